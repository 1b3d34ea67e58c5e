"""The days of the books, and the bookings made on them."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from daybook.acts import NOUNS, act_words, choices
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.models import Booking, BusinessDay
from daybook.navigation import FOUNDATION
from daybook.selectors import NumberUpTo, business_days
from daybook.tables import BadgeColumn, DayColumn, NumberColumn, PaikarTable

STATES: dict[str, Any] = {"open": _("Open"), "closed": _("Closed")}


def _bookings_of(record: BusinessDay) -> str:
    return f"{reverse('daybook:bookings')}?from_date={record.date}&to_date={record.date}"


def _booking(record: Booking) -> str:
    return reverse("reports:booking", args=[record.pk])


class DayTable(PaikarTable):
    """Business days, newest first; a row leads to the bookings of its date."""

    date = DayColumn(verbose_name=_("Business date"), linkify=_bookings_of)
    state = BadgeColumn(verbose_name=_("State"), labels=STATES)
    opened_at = DayColumn(verbose_name=_("Opened"))
    closed_at = DayColumn(verbose_name=_("Closed at"))
    booking_count = NumberColumn(verbose_name=_("Bookings"), total=True)
    last_number = NumberColumn(verbose_name=_("Known up to booking"), orderable=False)

    class Meta(PaikarTable.Meta):
        model = BusinessDay
        fields = ("date", "state", "opened_at", "closed_at", "booking_count", "last_number")

    row_link = staticmethod(_bookings_of)


class DayFilters(django_filters.FilterSet):
    """Days of a period."""

    from_date = DayFilter("date", "gte", label=_("From"))
    to_date = DayFilter("date", "lte", label=_("To"))


class DayList(ListPage):
    """Every date the books ever had, and how much was known at its end."""

    required_roles = sorted(FOUNDATION)
    title = _("Business days")
    subtitle = _(
        "Exactly one is open. What a closed one knew never changes: every booking up to its last one."
    )
    table_class = DayTable
    filterset_class = DayFilters
    empty_text = _("The books are not open yet.")

    def get_rows(self) -> QuerySet[BusinessDay]:
        return business_days().annotate(last_number=NumberUpTo("last_booking_id")).order_by("-date")


class BookingTable(PaikarTable):
    """Bookings, latest first."""

    number = NumberColumn(verbose_name=_("Number"), dash=False, linkify=_booking)
    business_date = DayColumn(verbose_name=_("Business date"))
    recorded_at = DayColumn(verbose_name=_("Recorded"))
    actor_name = tables.Column(verbose_name=_("Who"))
    purpose = tables.Column(verbose_name=_("Purpose"))
    reason = tables.Column(verbose_name=_("Reason"))

    row_link = staticmethod(_booking)

    def render_purpose(self, value: str) -> str:
        return act_words(value)

    def value_purpose(self, value: str) -> str:
        return act_words(value)

    class Meta(PaikarTable.Meta):
        model = Booking
        fields = ("number", "business_date", "recorded_at", "actor_name", "purpose", "reason")


class BookingFilter(django_filters.FilterSet):
    """Find bookings by date, by whom, for what."""

    search = SearchFilter(columns=["actor_name", "reason"], label=_("Person or reason"))
    noun = django_filters.ChoiceFilter(
        method="of_noun", label=_("Purpose"), choices=lambda: choices(NOUNS), empty_label=_("All")
    )
    from_date = DayFilter("business_date", "gte", label=_("From"))
    to_date = DayFilter("business_date", "lte", label=_("To"))

    def of_noun(self, queryset: QuerySet[Booking], _name: str, value: str) -> QuerySet[Booking]:
        return queryset.filter(purpose__startswith=f"{value}.")


class BookingList(ListPage):
    """Every transaction that wrote money facts."""

    required_roles = sorted(FOUNDATION)
    title = _("Bookings")
    subtitle = _(
        "One for each act that changed the books. Numbers follow the order in which acts were completed."
    )
    table_class = BookingTable
    filterset_class = BookingFilter
    queryset = Booking.objects.order_by("-id")
    empty_text = _("Nothing is booked yet.")
