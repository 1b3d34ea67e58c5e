"""Judgements, securities and policies: propose one, the second person's worklist, decide one."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from daybook import formats
from daybook.formats import day, number
from daybook.lists import ListPage, SearchFilter
from daybook.pages import Page, Text
from daybook.tables import BadgeColumn, DayColumn, PaikarTable
from lending.models import Loan, Programme, Security
from lending.models.borrowers import SizeTier
from partners.access import FOUNDATION, Role
from partners.models import District, Institution
from repayments.forms.returns import DecideForm
from repayments.forms.rulings import FORMS
from repayments.models import ClassFloor, ClassFreeze, RulingProposal
from repayments.selectors.coverage import NOBODY, TIE, Change, changes_by
from repayments.services.rulings import (
    CannotDecideRuling,
    CannotProposeRuling,
    approve_ruling,
    class_policy_of,
    propose_ruling,
    provision_policy_of,
    reject_ruling,
)

Kind = RulingProposal.Kind
PROPOSERS = (Role.OFFICER, Role.FINANCE_HEAD)
DECIDERS = (Role.APPROVER, Role.FINANCE_HEAD)
KINDS = dict(Kind.choices)
STATES = {
    "proposed": gettext_lazy("Waiting"),
    "approved": gettext_lazy("Approved"),
    "rejected": gettext_lazy("Rejected"),
}
OF_A_LOAN = (Kind.FLOOR, Kind.RELEASE, Kind.SECURITY)
POLICIES = (Kind.CLASS_POLICY, Kind.PROVISION_POLICY)
CHANGES_SHOWN = 60


def _address(record: RulingProposal) -> str:
    return reverse("repayments:ruling", args=[record.pk])


class RulingTable(PaikarTable):
    """Proposals, newest first."""

    made_at = DayColumn(verbose_name=gettext_lazy("Proposed on"))
    kind = tables.Column(verbose_name=gettext_lazy("What"), linkify=_address)
    subject = tables.Column(
        accessor="pk", orderable=False, verbose_name=gettext_lazy("On"), attrs={"td": {"class": "code"}}
    )
    state = BadgeColumn(labels=STATES, verbose_name=gettext_lazy("State"))
    made_by = tables.Column(verbose_name=gettext_lazy("Proposed by"))
    decided_by = tables.Column(verbose_name=gettext_lazy("Decided by"), default="–")
    reason = tables.Column(verbose_name=gettext_lazy("Why"))

    row_link = staticmethod(_address)

    class Meta(PaikarTable.Meta):
        model = RulingProposal
        fields = ("made_at", "kind", "subject", "state", "made_by", "decided_by", "reason")

    def render_subject(self, record: RulingProposal) -> str:
        if record.loan is not None:
            return record.loan.number
        return str(record.parameters.get("code") or record.parameters.get("reference") or "–")

    value_subject = render_subject


class RulingFilter(django_filters.FilterSet):
    search = SearchFilter(columns=["loan__number", "reason"])
    kind = django_filters.ChoiceFilter(
        choices=Kind.choices, label=gettext_lazy("What"), empty_label=gettext_lazy("All")
    )
    state = django_filters.ChoiceFilter(
        choices=list(STATES.items()), label=gettext_lazy("State"), empty_label=gettext_lazy("All")
    )


class RulingList(ListPage):
    """Every proposal of a judgement, security or policy."""

    required_roles = FOUNDATION
    template_name = "repayments/rulings/list.html"
    title = gettext_lazy("Judgements and securities")
    subtitle = gettext_lazy("Held classes, freezes, securities and policies: two people stand behind each.")
    table_class = RulingTable
    filterset_class = RulingFilter
    empty_text = gettext_lazy("Nothing has been proposed yet.")

    def get_rows(self) -> QuerySet[RulingProposal]:
        return RulingProposal.objects.select_related("loan", "made_by", "decided_by").order_by("-made_at")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            may_propose=self.request.context.may(*PROPOSERS),  # type: ignore[attr-defined]
            **kwargs,
        )


class ProposeRuling(Page, TemplateView):
    """Fill in a proposal of one kind."""

    required_roles = PROPOSERS
    template_name = "repayments/rulings/new.html"

    def get_title(self) -> Text:
        return KINDS[self.kind]

    def get_subtitle(self) -> Text:
        return self.loan.number if self.loan else ""

    def get_crumbs(self) -> list[tuple[Text, str]]:
        if self.loan:
            return [(self.loan.number, reverse("reports:loan", args=[self.loan.pk]))]
        if self.kind in POLICIES:
            return [(_("Policies"), reverse("repayments:policies"))]
        return [(_("Judgements and securities"), reverse("repayments:rulings"))]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.kind = kwargs["kind"]
        if self.kind not in FORMS:
            raise Http404
        self.loan: Loan | None = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._subject()
        return self.render_to_response(
            self.get_context_data(form=FORMS[self.kind](initial=self._before()), changes=None)
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        more = self._subject()
        form = FORMS[self.kind](request.POST)
        changes = None
        if form.is_valid():
            parameters = form.parameters | more
            if self.kind in POLICIES and "look" in request.POST:
                changes = coverage(self.kind, parameters)
            else:
                try:
                    made = propose_ruling(
                        kind=self.kind,
                        parameters=parameters,
                        reason=form.cleaned_data["reason"],
                        actor=request.user,  # type: ignore[arg-type]
                        loan=self.loan,
                    )
                except CannotProposeRuling as refusal:
                    form.add_error(None, str(refusal))
                else:
                    messages.success(request, _("Proposed. It counts when a second person approves it."))
                    return redirect("repayments:ruling", pk=made.pk)
        return self.render_to_response(self.get_context_data(form=form, changes=changes))

    def _subject(self) -> dict[str, Any]:
        """The loan, floor, security or freeze the proposal is about, from the address."""
        asked = self.request.GET
        if self.kind == Kind.RELEASE:
            floor = get_object_or_404(
                ClassFloor.objects.select_related("loan"), pk=_whole(asked.get("floor"))
            )
            self.loan = floor.loan
            return {"floor_id": floor.pk}
        more: dict[str, Any] = {}
        if self.kind in OF_A_LOAN:
            self.loan = get_object_or_404(Loan, pk=_whole(asked.get("loan")))
        if asked.get("replaces"):
            model = Security if self.kind == Kind.SECURITY else ClassFreeze
            replaced = get_object_or_404(model, pk=_whole(asked.get("replaces")))
            more["replaces_id"] = replaced.pk
        return more

    def _before(self) -> dict[str, Any]:
        """What the replaced security or freeze says, to be changed."""
        asked = self.request.GET.get("replaces")
        if not asked:
            return {}
        model = Security if self.kind == Kind.SECURITY else ClassFreeze
        row = get_object_or_404(model, pk=_whole(asked))
        known = {name: getattr(row, name, None) for name in FORMS[self.kind].base_fields}
        if isinstance(row, Security):
            known["value"] = row.value.amount
        return known | {"reason": ""}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(kind=self.kind, is_policy=self.kind in POLICIES, **kwargs)


class RulingPage(Page, TemplateView):
    """One proposal, what it would change, and the second person's decision."""

    required_roles = FOUNDATION
    template_name = "repayments/rulings/detail.html"

    def get_title(self) -> Text:
        return KINDS[self.proposal.kind]

    def get_subtitle(self) -> Text:
        return self.proposal.loan.number if self.proposal.loan else ""

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Judgements and securities"), reverse("repayments:rulings"))]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._shown(DecideForm())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.context.may(*DECIDERS):  # type: ignore[attr-defined]
            raise PermissionDenied(_("Approvers and the finance head decide proposals."))
        form = DecideForm(request.POST)
        if form.is_valid():
            verb = reject_ruling if "reject" in request.POST else approve_ruling
            try:
                verb(
                    proposal_id=kwargs["pk"],
                    actor=request.user,  # type: ignore[arg-type]
                    reason=form.cleaned_data["reason"],
                )
            except CannotDecideRuling as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(
                    request,
                    _("Rejected; nothing was booked.")
                    if "reject" in request.POST
                    else _("Approved and booked."),
                )
                return redirect("repayments:ruling", pk=kwargs["pk"])
        return self._shown(form)

    def _shown(self, form: DecideForm) -> HttpResponse:
        self.proposal = get_object_or_404(
            RulingProposal.objects.select_related("loan", "institution", "made_by", "decided_by", "booking"),
            pk=self.kwargs["pk"],
        )
        proposal = self.proposal
        is_open = proposal.state == RulingProposal.State.PROPOSED
        is_mine = proposal.made_by_id == self.request.user.pk
        may = self.request.context.may(*DECIDERS)  # type: ignore[attr-defined]
        return self.render_to_response(
            self.get_context_data(
                form=form,
                proposal=proposal,
                state_label=STATES[proposal.state],
                facts=told(proposal),
                changes=coverage(proposal.kind, proposal.parameters)
                if is_open and proposal.kind in POLICIES
                else None,
                what_if=is_open and proposal.kind in POLICIES,
                is_open=is_open,
                is_mine=is_mine,
                may_decide=is_open and may and not is_mine,
            )
        )


def told(proposal: RulingProposal) -> list[tuple[Text, str]]:
    """What was filled in, by the labels of its form."""
    found: list[tuple[Text, str]] = []
    for name, field in FORMS[proposal.kind].base_fields.items():
        key = name if name in proposal.parameters else f"{name}_id"
        value = proposal.parameters.get(key)
        if value not in (None, "", [], False):
            found.append((field.label or name, _shown_value(key, value, field)))
    return found


def _shown_value(name: str, value: Any, field: Any) -> str:
    named = {"institution_id": Institution, "programme_id": Programme, "district_id": District}
    if name in named:
        return formats.named(named[name].objects.get(pk=value))  # type: ignore[attr-defined]
    if name in ("sizes", "scope"):
        return ", ".join(str(SizeTier(size).label) for size in value)
    if name.endswith("_date"):
        return day(date.fromisoformat(value))
    if value is True:
        return _("yes")
    choices = {str(key): label for key, label in getattr(field, "choices", [])}
    if str(value) in choices:
        return str(choices[str(value)])
    return number(value) if isinstance(value, int) else str(value)


def coverage(kind: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """What a policy would change, in rows for the page."""
    policy = class_policy_of(parameters) if kind == Kind.CLASS_POLICY else provision_policy_of(parameters)
    return [
        {"change": change, "size": _size(change), "before": _who(change.before), "after": _who(change.after)}
        for change in changes_by(policy)[:CHANGES_SHOWN]
    ]


def _size(change: Change) -> str:
    name = change.size.name.lower()
    return str(SizeTier(name).label) if name in SizeTier.values else _("not recorded")


def _who(code: str) -> str:
    return {NOBODY: _("no policy"), TIE: _("a tie: no policy would govern")}.get(code, code)


def _whole(text: str | None) -> int:
    if not (text or "").isdecimal():
        raise Http404
    return int(text or 0)


urls = [
    path("rulings/", RulingList.as_view(), name="rulings"),
    path("rulings/new/<str:kind>/", ProposeRuling.as_view(), name="ruling-new"),
    path("rulings/<int:pk>/", RulingPage.as_view(), name="ruling"),
]
