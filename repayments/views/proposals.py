"""Proposals: enter wholesale money or ask for a reversal, and the second person's worklist."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
import numpy as np
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from djmoney.money import Money

from calc.money import from_minor, to_minor
from daybook.lists import ListPage, SearchFilter
from daybook.pages import Page, Text
from daybook.selectors import known_by, open_business_date
from daybook.tables import BadgeColumn, DayColumn, LinkColumn, MoneyColumn, NamedColumn, PaikarTable
from lending.models import Loan, Tier
from partners.access import FOUNDATION, Role
from partners.models import Institution
from repayments.builders.settlement import Settlement, open_dues, preview
from repayments.forms.receipts import DecisionForm, InstitutionChoice, ReceiptForm, ReversalForm
from repayments.frames import Scope
from repayments.models import Receipt, ReceiptProposal
from repayments.selectors import standings
from repayments.services.receipts import (
    CannotDecideProposal,
    CannotProposeReceipt,
    CannotProposeReversal,
    approve_proposal,
    propose_receipt,
    propose_reversal,
    reject_proposal,
)
from repayments.views.receipts import PROPOSERS, settled_by

DECIDERS = (Role.APPROVER, Role.FINANCE_HEAD)
KINDS = {"post": _("Post a receipt"), "reverse": _("Reverse a receipt")}
STATES = {"proposed": _("Waiting"), "approved": _("Approved"), "rejected": _("Rejected")}


class ProposalTable(PaikarTable):
    """Proposals, those that wait first."""

    row_link = staticmethod(lambda record: reverse("repayments:proposal", args=[record.pk]))

    kind = BadgeColumn(labels=KINDS, verbose_name=_("To do"))
    reference = LinkColumn("repayments:proposal", accessor="external_reference", verbose_name=_("Reference"))
    institution = NamedColumn(accessor="institution", verbose_name=_("Institution"))
    loan = tables.Column(accessor="loan__number", verbose_name=_("Loan"), attrs={"td": {"class": "code"}})
    amount = MoneyColumn(verbose_name=_("Amount"))
    value_date = DayColumn(verbose_name=_("Value date"))
    made_by = tables.Column(verbose_name=_("Proposed by"))
    made_at = DayColumn(verbose_name=_("Proposed"))
    state = BadgeColumn(labels=STATES, verbose_name=_("State"))
    decided_by = tables.Column(verbose_name=_("Decided by"))

    class Meta(PaikarTable.Meta):
        model = ReceiptProposal
        fields = (
            "kind",
            "reference",
            "institution",
            "loan",
            "amount",
            "value_date",
            "made_by",
            "made_at",
            "state",
            "decided_by",
        )


class ProposalFilter(django_filters.FilterSet):
    """Find a proposal."""

    search = SearchFilter(columns=["external_reference", "loan__number"])
    state = django_filters.ChoiceFilter(choices=list(STATES.items()), label=_("State"), empty_label=_("All"))
    kind = django_filters.ChoiceFilter(choices=list(KINDS.items()), label=_("To do"), empty_label=_("All"))
    institution = django_filters.ModelChoiceFilter(
        queryset=Institution.objects.all(), label=_("Institution"), empty_label=_("All")
    )


class ProposalList(ListPage):
    """What waits for a second person, and what became of the rest."""

    required_roles = FOUNDATION
    title = _("Proposals")
    subtitle = _(
        "Wholesale receipts and reversals take two people: one proposes, another approves or rejects."
    )
    template_name = "repayments/receipts/proposals.html"
    table_class = ProposalTable
    filterset_class = ProposalFilter
    empty_text = _("Nothing was proposed yet.")

    def get_rows(self) -> QuerySet[Any]:
        waits = Case(When(state="proposed", then=Value(0)), default=Value(1), output_field=IntegerField())
        return (
            ReceiptProposal.objects.select_related("institution", "loan", "made_by", "decided_by")
            .annotate(waits=waits)
            .order_by("waits", "-pk")
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return super().get_context_data(**{"may_propose": context.may(*PROPOSERS)} | kwargs)


class ChooseLoan(Page, TemplateView):
    """First step of a wholesale receipt: the institution, then which of its loans the money is for."""

    required_roles = PROPOSERS
    template_name = "repayments/receipts/choose_loan.html"
    title = _("Enter a wholesale receipt")
    subtitle = _("Choose who paid, then the loan the money is for.")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Receipts"), reverse("repayments:receipts"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = InstitutionChoice(self.request.GET or None)
        chosen = form.cleaned_data["institution"] if form.is_bound and form.is_valid() else None
        loans = _wholesale_loans(chosen) if chosen else []
        return super().get_context_data(**{"form": form, "chosen": chosen, "loans": loans} | kwargs)


def _wholesale_loans(institution: Institution) -> list[dict[str, Any]]:
    """The institution's wholesale loans as they stand now, with the next instalment not settled."""
    today = open_business_date()
    rows = standings(
        as_of=today,
        knowledge=known_by(today),
        scope=Scope(institution_id=institution.pk, tier=Tier.WHOLESALE.value),
    )
    following = open_dues(rows["loan_id"].to_numpy(dtype=np.int64)).groupby("loan_id").first()
    rows = rows.join(following[["late_date", "open_minor"]], on="loan_id")
    rows["overdue_minor"] = rows[
        [f"overdue_{name}_minor" for name in ("charge", "penal", "interest", "principal")]
    ].sum(axis=1)
    rows = rows.sort_values(["days_past_due", "loan_id"], ascending=[False, True])
    rows["has_next"] = rows["open_minor"].notna()
    rows["late_date"] = rows["late_date"].dt.date
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


class ProposeReceipt(Page, TemplateView):
    """Second step: the money. What it would settle is shown before anybody confirms it."""

    required_roles = PROPOSERS
    template_name = "repayments/receipts/propose.html"

    def get_title(self) -> Text:
        return _("Receipt on %(loan)s") % {"loan": self.loan.number}

    def get_subtitle(self) -> Text:
        return self.loan.institution.name

    def get_crumbs(self) -> list[tuple[Text, str]]:
        start = reverse("repayments:receipt-new")
        return [
            (_("Receipts"), reverse("repayments:receipts")),
            (_("Enter a wholesale receipt"), f"{start}?institution={self.loan.institution_id}"),
        ]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.form = ReceiptForm(request.POST or None)
        self.seen: Settlement | None = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.loan = _wholesale_loan(kwargs["loan_id"])
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.loan = _wholesale_loan(kwargs["loan_id"])
        if not self.form.is_valid():
            return self.render_to_response(self.get_context_data())
        told = self.form.cleaned_data
        if "propose" in request.POST and told["shown"] == self.form.figures:
            try:
                proposal = propose_receipt(
                    loan_id=self.loan.pk,
                    amount=Money(told["amount"], self.loan.currency),
                    value_date=told["value_date"],
                    external_reference=told["external_reference"],
                    reason=told["reason"],
                    actor=request.user,  # type: ignore[arg-type]
                )
            except CannotProposeReceipt as refusal:
                self.form.add_error(None, str(refusal))
            else:
                messages.success(request, gettext("Proposed. It is posted when a second person approves it."))
                return redirect("repayments:proposal", pk=proposal.pk)
        self._preview(told)
        return self.render_to_response(self.get_context_data())

    def _preview(self, told: dict[str, Any]) -> None:
        if told["amount"] <= 0:
            self.form.add_error("amount", gettext("The amount must be more than nothing."))
            return
        if told["value_date"] > open_business_date():
            self.form.add_error("value_date", gettext("The value date is after the business date."))
            return
        self.seen = preview(
            loan_id=self.loan.pk,
            amount_minor=to_minor(told["amount"]),
            value_date=told["value_date"],
            as_of=open_business_date(),
        )
        self.form.data = {**self.form.data.dict(), "shown": self.form.figures}  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        dues = open_dues(np.array([self.loan.pk], dtype=np.int64))
        dues["late_date"] = dues["late_date"].dt.date
        is_early = self.seen is not None and self.form.cleaned_data["value_date"] < self.loan.disbursed_date
        return super().get_context_data(
            **{
                "loan": self.loan,
                "form": self.form,
                "settlement": self.seen,
                "is_early": is_early,
                "dues": dues.to_dict("records"),
                "open_minor": int(dues["open_minor"].sum()),
            }
            | kwargs
        )


def _wholesale_loan(loan_id: int) -> Loan:
    return get_object_or_404(Loan.objects.select_related("institution"), pk=loan_id, tier=Tier.WHOLESALE)


class ProposeReversal(Page, TemplateView):
    """Ask for a receipt of either tier to be taken back."""

    required_roles = PROPOSERS
    template_name = "repayments/receipts/reverse.html"

    def get_title(self) -> Text:
        return _("Reverse receipt %(reference)s") % {"reference": self.receipt.external_reference}

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [
            (_("Receipts"), reverse("repayments:receipts")),
            (self.receipt.external_reference, reverse("repayments:receipt", args=[self.receipt.pk])),
        ]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._shown(ReversalForm())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = ReversalForm(request.POST)
        if form.is_valid():
            try:
                proposal = propose_reversal(
                    receipt_id=kwargs["pk"],
                    reason=form.cleaned_data["reason"],
                    actor=request.user,  # type: ignore[arg-type]
                )
            except CannotProposeReversal as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(
                    request, gettext("Proposed. It is reversed when a second person approves it.")
                )
                return redirect("repayments:proposal", pk=proposal.pk)
        return self._shown(form)

    def _shown(self, form: ReversalForm) -> HttpResponse:
        self.receipt = get_object_or_404(
            Receipt.objects.select_related("loan", "institution"), pk=self.kwargs["pk"]
        )
        return self.render_to_response(
            self.get_context_data(
                form=form,
                receipt=self.receipt,
                amount=Money(from_minor(self.receipt.amount_minor), self.receipt.loan.currency),
                settlement=settled_by(self.receipt),
            )
        )


class ProposalPage(Page, TemplateView):
    """One proposal: what approving it would do, and the second person's decision."""

    required_roles = FOUNDATION
    template_name = "repayments/receipts/proposal.html"

    def get_title(self) -> Text:
        return KINDS[self.proposal.kind]

    def get_subtitle(self) -> Text:
        return f"{self.proposal.external_reference} · {self.proposal.loan.number}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Proposals"), reverse("repayments:proposals"))]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._shown(DecisionForm())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.context.may(*DECIDERS):  # type: ignore[attr-defined]
            raise PermissionDenied(gettext("Approvers and the finance head decide proposals."))
        form = DecisionForm(request.POST)
        if form.is_valid():
            decide = reject_proposal if "reject" in request.POST else approve_proposal
            try:
                done = decide(
                    proposal_id=kwargs["pk"],
                    actor=request.user,  # type: ignore[arg-type]
                    reason=form.cleaned_data["reason"],
                )
            except CannotDecideProposal as refusal:
                form.add_error(None, str(refusal))
            else:
                told = (
                    gettext("Approved and posted.")
                    if done.state == ReceiptProposal.State.APPROVED
                    else gettext("Rejected; nothing was posted.")
                )
                messages.success(request, told)
                return redirect("repayments:proposal", pk=done.pk)
        return self._shown(form)

    def _shown(self, form: DecisionForm) -> HttpResponse:
        proposal: ReceiptProposal = get_object_or_404(
            ReceiptProposal.objects.select_related(
                "institution", "loan", "made_by", "decided_by", "receipt", "booking"
            ),
            pk=self.kwargs["pk"],
        )
        self.proposal = proposal
        is_open = proposal.state == ReceiptProposal.State.PROPOSED
        is_mine = proposal.made_by_id == self.request.user.pk
        may_decide = self.request.context.may(*DECIDERS)  # type: ignore[attr-defined]
        return self.render_to_response(
            self.get_context_data(
                form=form,
                proposal=proposal,
                state_label=STATES[proposal.state],
                settlement=_outcome(proposal) if is_open else None,
                is_early=proposal.value_date < proposal.loan.disbursed_date,
                is_open=is_open,
                is_mine=is_mine,
                may_decide=is_open and may_decide and not is_mine,
            )
        )


def _outcome(proposal: ReceiptProposal) -> Settlement:
    """What posting would settle, or what reversing would open again."""
    if proposal.receipt is not None:
        return settled_by(proposal.receipt)
    return preview(
        loan_id=proposal.loan_id,
        amount_minor=to_minor(proposal.amount.amount),
        value_date=proposal.value_date,
        as_of=open_business_date(),
    )


urls = [
    path("receipts/new/", ChooseLoan.as_view(), name="receipt-new"),
    path("receipts/new/<int:loan_id>/", ProposeReceipt.as_view(), name="receipt-propose"),
    path("receipts/<int:pk>/reverse/", ProposeReversal.as_view(), name="receipt-reverse"),
    path("proposals/", ProposalList.as_view(), name="proposals"),
    path("proposals/<int:pk>/", ProposalPage.as_view(), name="proposal"),
]
