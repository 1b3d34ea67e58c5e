"""Pages of the days, the bookings and the trail."""

from django.urls import path

from daybook.views import books, holidays, trail

app_name = "daybook"
urlpatterns = [
    path("days/", books.DayList.as_view(), name="days"),
    path("bookings/", books.BookingList.as_view(), name="bookings"),
    path("holidays/", holidays.HolidayList.as_view(), name="holiday_list"),
    path("holidays/declare/", holidays.DeclareHoliday.as_view(), name="holiday_declare"),
    path("trail/", trail.Trail.as_view(), name="trail"),
    path("trail/check/", trail.CheckChain.as_view(), name="trail-check"),
]
