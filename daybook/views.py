"""The calendar of the books."""

from __future__ import annotations

import django_filters
import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.models import Holiday
from daybook.navigation import FOUNDATION
from daybook.tables import BadgeColumn, DayColumn, PaikarTable


class HolidayTable(PaikarTable):
    """Declarations of holidays, newest first; the one booked last decides for its date."""

    date = DayColumn(verbose_name=_("Date"))
    name = tables.Column(verbose_name=_("Name"))
    name_bn = tables.Column(verbose_name=_("Name in Bangla"))
    declared = BadgeColumn(
        accessor="is_holiday",
        verbose_name=_("Declared"),
        labels={"True": _("Holiday"), "False": _("Withdrawn")},
    )
    booked = DayColumn(accessor="booking__business_date", verbose_name=_("Booked on"))

    class Meta(PaikarTable.Meta):
        model = Holiday
        fields = ("date", "name", "name_bn", "declared", "booked")


class HolidayFilter(django_filters.FilterSet):
    """Find a holiday by name or between two dates."""

    search = SearchFilter(columns=["name", "name_bn"])
    from_date = DayFilter("date", "gte", label=_("From"))
    to_date = DayFilter("date", "lte", label=_("To"))


class HolidayList(ListPage):
    """Every declaration, so that a due date's adjustment can be explained."""

    required_roles = sorted(FOUNDATION)
    title = _("Holidays")
    subtitle = _(
        "Days declared closed, besides Friday and Saturday. A later declaration for a date replaces it."
    )
    table_class = HolidayTable
    filterset_class = HolidayFilter
    queryset = Holiday.objects.select_related("booking").order_by("-date", "-booking_id")
    empty_text = _("No holiday is declared. Reference data brings the official holidays in.")
