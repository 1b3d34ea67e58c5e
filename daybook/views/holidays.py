"""The calendar of the books."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from daybook.formats import day
from daybook.forms import HolidayForm
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.models import Holiday
from daybook.navigation import FOUNDATION
from daybook.pages import Page, Text
from daybook.services import Actor, declare_holidays
from daybook.tables import BadgeColumn, DayColumn, PaikarTable

MAY_DECLARE = ["administrator", "finance_head"]


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
    template_name = "daybook/holidays.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_declare = self.request.context.may(*MAY_DECLARE)  # type: ignore[attr-defined]
        return super().get_context_data(may_declare=may_declare, **kwargs)


class DeclareHoliday(Page, FormView):
    """Declare a day closed, or withdraw a declaration. Dues already planned keep their late dates."""

    required_roles = MAY_DECLARE
    template_name = "daybook/holiday_form.html"
    form_class = HolidayForm
    title = _("Declare or withdraw a holiday")
    subtitle = _(
        "It counts for schedules made from now on. Dues already planned keep their dates; to move them, "
        "a loan needs a new schedule version."
    )
    success_url = reverse_lazy("daybook:holiday_list")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(gettext("Holidays"), reverse("daybook:holiday_list"))]

    def form_valid(self, form: HolidayForm) -> HttpResponse:
        said = form.cleaned_data
        user = self.request.user
        declare_holidays(
            days=[(said["date"], said["name"], said["name_bn"])],
            actor=Actor(user.pk, str(user)),
            is_holiday=said["act"] == "declare",
            reason=said["reason"],
        )
        messages.success(
            self.request,
            (
                gettext("%(date)s is a holiday.")
                if said["act"] == "declare"
                else gettext("%(date)s is worked.")
            )
            % {"date": day(said["date"])},
        )
        return super().form_valid(form)
