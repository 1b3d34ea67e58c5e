"""Pages of the calendar."""

from django.urls import path

from daybook import views

app_name = "daybook"
urlpatterns = [path("holidays/", views.HolidayList.as_view(), name="holiday_list")]
