"""The tables of one loan as lists: to sort, to page through, to take away as a file."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daybook.formats import day
from daybook.lists import ListPage
from daybook.pages import Text
from daybook.tables import BadgeColumn, DayColumn, MinorColumn, NumberColumn, PaikarTable
from lending.models import Loan
from partners.access import EVERYONE
from repayments.models import Receipt
from reports.builders.schedule import STATE_LABELS
from reports.forms import AskedForm
from reports.services.loan_page import LoanView, make_loan_page
from reports.views.asking import books_query


class LoanTable(ListPage):
    """One table of a loan as of a date, known by a date."""

    required_roles = sorted(EVERYONE)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.loan = get_object_or_404(Loan, pk=kwargs["pk"])
        self.asked = AskedForm(request.GET).asked
        self.view: LoanView = make_loan_page(self.loan, self.asked)
        return super().get(request, *args, **kwargs)

    def get_title(self) -> Text:
        return f"{self.loan.number}: {self.title}"

    def get_subtitle(self) -> Text:
        return _("As of %(date)s, as known on %(known)s.") % {
            "date": day(self.asked.as_of),
            "known": day(self.asked.known_by),
        }

    def get_crumbs(self) -> list[tuple[Text, str]]:
        page = f"{reverse('reports:loan', args=[self.loan.pk])}?{books_query(self.asked)}"
        loans = f"{reverse('reports:loans')}?tier={self.loan.tier}"
        return [(gettext_lazy("Loans"), loans), (self.loan.number, page)]


class InstalmentTable(PaikarTable):
    """Instalments and what settled them."""

    number = NumberColumn(verbose_name=gettext_lazy("No."), dash=False)
    late_date = DayColumn(verbose_name=gettext_lazy("Due on"))
    nominal_date = DayColumn(verbose_name=gettext_lazy("Nominal date"))
    principal_minor = MinorColumn(total=True)
    interest_minor = MinorColumn(total=True)
    other_minor = MinorColumn(verbose_name=gettext_lazy("Charges and penal"), total=True)
    due_minor = MinorColumn(verbose_name=gettext_lazy("Total"), total=True)
    settled_minor = MinorColumn(verbose_name=gettext_lazy("Settled"), total=True)
    left_minor = MinorColumn(verbose_name=gettext_lazy("Left"), total=True)
    state = BadgeColumn(verbose_name=gettext_lazy("State"), labels=STATE_LABELS)
    days_late = NumberColumn(verbose_name=gettext_lazy("Days late"))
    settled_on = DayColumn(verbose_name=gettext_lazy("Settled on"))

    class Meta(PaikarTable.Meta):
        attrs = {"class": "table tight"}
        fields = (
            "number", "late_date", "nominal_date", "principal_minor", "interest_minor", "other_minor",
            "due_minor", "settled_minor", "left_minor", "state", "days_late", "settled_on",
        )  # fmt: skip


class InstalmentList(LoanTable):
    """The schedule of a loan and what settled it."""

    title = gettext_lazy("Schedule and what settled it")
    table_class = InstalmentTable
    empty_text = gettext_lazy("No instalment by this date, as known then.")

    def get_rows(self) -> list[Any]:
        return list(self.view.instalments)

    def get_table_kwargs(self) -> dict[str, Any]:
        labels = self.view.labels
        return {
            "extra_columns": [
                ("principal_minor", MinorColumn(verbose_name=str(labels[4]), total=True)),
                ("interest_minor", MinorColumn(verbose_name=str(labels[3]), total=True)),
            ],
            "sequence": InstalmentTable.Meta.fields,
        }


class ReceiptTable(PaikarTable):
    """Receipts of a loan."""

    value_date = DayColumn(verbose_name=gettext_lazy("Value date"))
    external_reference = tables.Column(
        verbose_name=gettext_lazy("Reference"), attrs={"td": {"class": "code"}}
    )
    amount_minor = MinorColumn(verbose_name=gettext_lazy("Amount"), total=True)
    settled = tables.Column(verbose_name=gettext_lazy("Settled"), orderable=False)
    channel = tables.Column(verbose_name=gettext_lazy("Came by"))
    booking_number = NumberColumn(verbose_name=gettext_lazy("Booking"))
    business_date = DayColumn(verbose_name=gettext_lazy("Booked on"))

    def render_settled(self, value: list[str]) -> str:
        return "; ".join(value)

    def render_channel(self, value: str, record: dict[str, Any]) -> str:
        if record["upload_id"]:
            return f"{record['file_name']}, {_('row')} {record['row_number']:.0f}"
        return str(dict(Receipt.Channel.choices).get(value, value))

    value_settled, value_channel = render_settled, render_channel

    class Meta(PaikarTable.Meta):
        fields = (
            "value_date", "external_reference", "amount_minor", "settled", "channel", "booking_number",
            "business_date",
        )  # fmt: skip


class ReceiptList(LoanTable):
    """Every receipt of a loan, mirrors included."""

    title = gettext_lazy("Receipts")
    table_class = ReceiptTable
    empty_text = gettext_lazy("No receipt by this date, as known then.")

    def get_rows(self) -> list[Any]:
        return [dict(row) for row in self.view.receipts]
