"""Lists of what differs between two states of knowledge: the loans, and the bookings that made it so."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daybook.acts import act_words
from daybook.formats import day
from daybook.lists import ListPage
from daybook.pages import Text
from daybook.tables import DayColumn, LinkColumn, MinorColumn, NumberColumn, PaikarTable
from partners.access import EVERYONE
from reports.builders.comparison import Comparison
from reports.builders.objects import Bilingual
from reports.builders.wording import TIER_SHORT
from reports.forms import ALL, PortfolioForm
from reports.selectors.portfolio import institution_names
from reports.services.comparing import compare_portfolios
from reports.views.asking import books_query, context_of


class DifferingForm(PortfolioForm):
    """The question of the portfolio page, narrowed to a tier or a number."""

    tier = forms.ChoiceField(required=False, label=gettext_lazy("Tier"), choices=[ALL, *TIER_SHORT.items()])
    q = forms.CharField(
        required=False,
        max_length=40,
        label=gettext_lazy("Loan"),
        widget=forms.TextInput(attrs={"type": "search", "data-search": ""}),
    )


class Differing(ListPage):
    """What both lists share: the question, and the way back to the portfolio."""

    required_roles = sorted(EVERYONE)
    template_name = "reports/differing.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        context = context_of(request)
        self.form = DifferingForm(request.GET, is_partner=context.is_partner)
        other, facts = self.form.compare_with, dict(self.form.facts)
        if other is None:
            return redirect("reports:portfolio")
        if context.is_partner:
            facts["institution"] = str(context.institution_id)
        self.comparison: Comparison = compare_portfolios(self.form.asked, other, facts)
        return super().get(request, *args, **kwargs)

    def get_subtitle(self) -> Text:
        found = self.comparison
        return _("As of %(date)s, as known on %(then)s and as known on %(now)s.") % {
            "date": day(found.later.as_of),
            "then": day(found.earlier.known_by),
            "now": day(found.later.known_by),
        }

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(gettext_lazy("Portfolio"), f"{reverse('reports:portfolio')}?{self.question()}")]

    def question(self) -> str:
        """The address of the question, without what only the list knows."""
        kept = self.request.GET.copy()
        for name in ("page", "sort", "export", "tier", "q"):
            kept.pop(name, None)
        return kept.urlencode()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            form=self.form, question=self.question(), is_loans=isinstance(self, DifferingLoanList), **kwargs
        )


class DifferingLoans(PaikarTable):
    """Loans whose figures differ, the largest change of overdue first. No total: it would add the tiers."""

    number = tables.Column(
        verbose_name=gettext_lazy("Loan"),
        linkify=lambda record: record["address"],
        attrs={"td": {"class": "code"}},
    )
    tier = tables.Column(verbose_name=gettext_lazy("Tier"))
    institution = tables.Column(verbose_name=gettext_lazy("Institution"))
    outstanding_minor_then = MinorColumn(verbose_name=gettext_lazy("Outstanding then"))
    outstanding_minor_now = MinorColumn(verbose_name=gettext_lazy("Outstanding now"))
    overdue_minor_then = MinorColumn(verbose_name=gettext_lazy("Overdue then"))
    overdue_minor_now = MinorColumn(verbose_name=gettext_lazy("Overdue now"))
    days_past_due_then = NumberColumn(verbose_name=gettext_lazy("Days then"))
    days_past_due_now = NumberColumn(verbose_name=gettext_lazy("Days now"))

    row_link = staticmethod(lambda record: record["address"])

    class Meta(PaikarTable.Meta):
        fields = (
            "number", "tier", "institution", "outstanding_minor_then", "outstanding_minor_now",
            "overdue_minor_then", "overdue_minor_now", "days_past_due_then", "days_past_due_now",
        )  # fmt: skip


class DifferingLoanList(Differing):
    """Every loan whose outstanding, overdue or days past due differ."""

    title = gettext_lazy("Loans whose figures differ")
    table_class = DifferingLoans
    empty_text = gettext_lazy("No loan's figures differ.")

    def get_rows(self) -> list[dict[str, Any]]:
        changed = self.comparison.changed
        told = self.form.cleaned_data
        if tier := told.get("tier"):
            changed = changed[changed["tier"] == tier]
        if text := (told.get("q") or "").strip().upper():
            changed = changed[changed["number"].str.contains(text, regex=False)]
        names = {pk: str(Bilingual(*name)) for pk, name in institution_names().items()}
        books = books_query(self.comparison.later)
        return [
            {
                **row,
                "tier": str(TIER_SHORT[row["tier"]]),
                "institution": names.get(row["institution_id"], ""),
                "address": f"{reverse('reports:loan', args=[row['loan_id']])}?{books}",
            }
            for row in changed.to_dict("records")
        ]


class DifferingBookings(PaikarTable):
    """Bookings between the two dates, latest first."""

    number = LinkColumn("reports:booking", args=["id"], verbose_name=gettext_lazy("Booking"))
    business_date = DayColumn(verbose_name=gettext_lazy("Business date"))
    purpose = tables.Column(verbose_name=gettext_lazy("What"))
    actor_name = tables.Column(verbose_name=gettext_lazy("By"))
    loans = NumberColumn(verbose_name=gettext_lazy("Loans"))
    received_minor = MinorColumn(verbose_name=gettext_lazy("Received"))
    reversed_minor = MinorColumn(verbose_name=gettext_lazy("Reversed"))
    disbursed_minor = MinorColumn(verbose_name=gettext_lazy("Disbursed"))
    earliest = DayColumn(verbose_name=gettext_lazy("Earliest value date"))

    row_link = staticmethod(lambda record: reverse("reports:booking", args=[record["id"]]))

    class Meta(PaikarTable.Meta):
        fields = (
            "number", "business_date", "purpose", "actor_name", "loans", "received_minor", "reversed_minor",
            "disbursed_minor", "earliest",
        )  # fmt: skip


class DifferingBookingList(Differing):
    """Every booking between the two dates that counts by the date asked."""

    title = gettext_lazy("Bookings between the two dates that count by the date asked")
    table_class = DifferingBookings
    empty_text = gettext_lazy("No booking between the two dates counts by the date asked.")

    def get_rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.comparison.between.to_dict("records")
        return [{**row, "purpose": act_words(row["purpose"])} for row in rows]
