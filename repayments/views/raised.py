"""What closes raised on a loan, with its working; the check of what banks charge late borrowers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from daybook.formats import day
from daybook.lists import ListPage
from daybook.pages import Page, Text
from daybook.selectors import BooksNotOpen, open_business_date
from daybook.tables import LinkColumn, MinorColumn, NumberColumn, PaikarTable
from lending.builders.workings import Stretch
from lending.contract_words import ContractWords, contract_words
from lending.models import Loan, Tier
from lending.selectors.contracts import words_of
from partners.access import EVERYONE
from repayments.builders.raised import raised_on, single
from repayments.forms.raised import NOTHING_TAKEN, TOO_MUCH, CheckForm
from repayments.frames import Scope
from repayments.selectors.penal_check import check_penal, check_rows, late_instalments

EVERYTHING_BOOKED = 2**62
YEARS = range(1900, 2200)
"""Beyond these the calendar ends before a month can be added."""


def asked_of(request: HttpRequest) -> tuple[date, int]:
    """As of which date and known by which booking; the open day and everything unless the address says."""
    try:
        as_of = date.fromisoformat(request.GET.get("as_of", ""))
    except ValueError:
        as_of = open_business_date()
    known = request.GET.get("known", "")
    is_number = known.isascii() and known.isdigit() and len(known) < len(str(EVERYTHING_BOOKED))
    return (
        as_of if as_of.year in YEARS else open_business_date(),
        int(known) if is_number else EVERYTHING_BOOKED,
    )


class LoanRaised(Page, TemplateView):
    """The part of a loan's page about lateness: what was raised and why, or the check on the bank."""

    required_roles = EVERYONE
    template_name = "repayments/raised/_loan.html"

    def get_template_names(self) -> list[str]:
        """The part alone for the loan's page; whoever opens the address itself gets a page around it."""
        return [self.template_name if self.request.htmx else "repayments/raised/page.html"]  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        loan = get_object_or_404(Loan.objects.select_related("agreement"), pk=self.kwargs["loan_id"])
        as_of, known = asked_of(self.request)
        said = contract_words(loan.agreement.contract_mode)
        found: dict[str, Any] = {
            "said": said,
            "as_of": as_of,
            "title": f"{loan.number}: {said.penal}",
            "subtitle": day(as_of),
            "crumbs": [(loan.number, reverse("reports:loan", args=[loan.pk]))],
        }
        if as_of >= loan.disbursed_date and loan.booking_id <= known:
            if loan.tier == Tier.WHOLESALE:
                found["raised"] = raised_on(
                    loan_id=loan.pk, agreement_id=loan.agreement_id, as_of=as_of, last_booking_id=known
                )
            else:
                found |= self._check(loan, as_of, known)
        return super().get_context_data(**found, **kwargs)

    @staticmethod
    def _check(loan: Loan, as_of: date, known: int) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "institution_id": loan.institution_id, "as_of": as_of, "last_booking_id": known
        }  # fmt: skip
        check = check_penal(Scope.of_loans([loan.pk]), **asked)
        if not check.loan.size:
            return {}
        return {
            "ours_minor": int(check.ours[0]),
            "reported_minor": int(check.reported[0]),
            "is_over": bool(check.reported[0] > check.ours[0]),
            "late": [
                (row, [Stretch.of(part) for part in single(row.segments, 0)])
                for row in late_instalments(loan.pk, **asked)
            ],
        }


class CheckTable(PaikarTable):
    """Sub-loans with a figure on either side."""

    number = LinkColumn("reports:loan", args=["loan_id"], verbose_name=gettext_lazy("Loan"))
    late_instalments = NumberColumn(verbose_name=gettext_lazy("Late instalments"))
    ours_minor = MinorColumn(verbose_name=gettext_lazy("At most, by our figures (Tk)"), total=True)
    reported_minor = MinorColumn(verbose_name=gettext_lazy("Charges the bank reported (Tk)"), total=True)
    difference_minor = MinorColumn(verbose_name=gettext_lazy("Over or under the limit (Tk)"), total=True)

    class Meta(PaikarTable.Meta):
        fields = ("number", "late_instalments", "ours_minor", "reported_minor", "difference_minor")


class ChosenRows:
    """The filter of a list that is reckoned and not read: ``ListPage`` asks it for form and rows."""

    def __init__(
        self, data: Mapping[str, Any], *, queryset: list[dict[str, Any]], request: HttpRequest
    ) -> None:
        self.form = CheckForm(data)
        if request.context.is_partner:  # type: ignore[attr-defined]
            del self.form.fields["institution"]
        self.form.is_valid()
        told = self.form.cleaned_data
        wanted = told.get("loan", "").strip().lower()
        rows = [row for row in queryset if wanted in str(row["number"]).lower()]
        if told.get("show") == TOO_MUCH:
            rows = [row for row in rows if row["difference_minor"] > 0]
        if told.get("show") == NOTHING_TAKEN:
            rows = [row for row in rows if not row["reported_minor"]]
        self.qs = rows


class PenalCheck(ListPage):
    """What banks took from late borrowers, beside the most they may take."""

    required_roles = EVERYONE
    title = gettext_lazy("Penal interest of sub-loans")
    subtitle = gettext_lazy(
        "A check, not a claim: the limit in force on overdue principal and interest, actual days over 360, "
        "beside the charges the bank reported."
    )
    table_class = CheckTable
    filterset_class = ChosenRows
    empty_text = gettext_lazy(
        "Choose an institution. Its sub-loans that are late or bore charges appear here."
    )

    def get_title(self) -> Text:
        return self._said().tell(self.title)

    def get_subtitle(self) -> Text:
        return self._said().tell(self.subtitle)

    def _said(self) -> ContractWords:
        """The words of the reader's own contracts."""
        return words_of(self.request.context.institution_id)  # type: ignore[attr-defined]

    def get_rows(self) -> list[dict[str, Any]]:
        context = self.request.context  # type: ignore[attr-defined]
        chosen = context.institution_id if context.is_partner else self.request.GET.get("institution", "")
        if not str(chosen).isdecimal():
            return []
        try:
            as_of, known = asked_of(self.request)
        except BooksNotOpen:
            return []
        return check_rows(int(chosen), as_of=as_of, last_booking_id=known)


urls = [
    path("loans/<int:loan_id>/raised/", LoanRaised.as_view(), name="loan-raised"),
    path("penal-check/", PenalCheck.as_view(), name="penal-check"),
]
