"""Loan events: the list, a proposal with its preview, and the part of the loan's page about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from daybook import formats
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.pages import Page, Text
from daybook.selectors import latest_booking_id, open_business_date
from daybook.tables import (
    BadgeColumn,
    DayColumn,
    LinkColumn,
    MinorColumn,
    NamedColumn,
    PaikarTable,
)
from lending.contract_words import contract_words
from lending.models import Agreement, Loan, Tier
from partners.access import EVERYONE, Role
from partners.models import Institution
from repayments.builders.events import ShownPreview, shown_preview
from repayments.event_words import ICONS, INTRODUCTIONS, KINDS, STATES
from repayments.forms.event import EventForm, lead_to_fault
from repayments.forms.events import FORMS
from repayments.frames import Scope
from repayments.models import LoanEvent
from repayments.names import NamedChoiceFilter, sign_of
from repayments.selectors import measure_loans
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.kinds import Asked
from repayments.services.events.steps import may_propose, propose, see

Kind = LoanEvent.Kind
OF_A_SCOPE = (Kind.MORATORIUM,)
PROPOSING = (Role.OFFICER, Role.FINANCE_HEAD, Role.MAKER)


class EventTable(PaikarTable):
    """Events, those that wait first. Amounts of the two tiers are never added, so there is no foot."""

    row_link = staticmethod(lambda record: reverse("repayments:event", args=[record.pk]))

    kind = LinkColumn("repayments:event", accessor="kind", verbose_name=_("Event"))
    state = BadgeColumn(labels=STATES, verbose_name=_("State"))
    loan = LinkColumn(
        "reports:loan",
        args=["loan_id"],
        accessor="loan__number",
        verbose_name=_("Loan"),
        default=_("of a scope"),
    )
    institution = NamedColumn(accessor="institution", verbose_name=_("Institution"))
    effective_date = DayColumn(verbose_name=_("Counts from"))
    amount_minor = MinorColumn(verbose_name=_("Amount"))
    made_by_name = tables.Column(verbose_name=_("Proposed by"))
    made_at = DayColumn(verbose_name=_("Proposed"))
    decided_by_name = tables.Column(verbose_name=_("Decided by"))
    booking = LinkColumn(
        "reports:booking",
        args=["booking_id"],
        accessor="booking__number",
        verbose_name=_("Booking"),
        attrs={"th": {"class": "num"}, "td": {"class": "num"}},
    )

    class Meta(PaikarTable.Meta):
        model = LoanEvent
        attrs = {"class": "table event-list"}
        fields = (
            "kind",
            "state",
            "loan",
            "institution",
            "effective_date",
            "amount_minor",
            "made_by_name",
            "made_at",
            "decided_by_name",
            "booking",
        )

    def render_kind(self, record: LoanEvent) -> Text:
        """The kind in the reader's language."""
        return KINDS[record.kind]

    value_kind = render_kind

    def render_booking(self, value: int) -> str:
        """The number in the reader's digits."""
        return formats.number(value)

    def value_booking(self, value: int) -> int:
        """A file holds the number itself."""
        return value


class EventFilter(django_filters.FilterSet):
    """Find an event."""

    search = SearchFilter(
        columns=["loan__number", "reason", "parameters__reference", "made_by_name", "decided_by_name"]
    )
    state = django_filters.ChoiceFilter(choices=list(STATES.items()), label=_("State"), empty_label=_("All"))
    kind = django_filters.ChoiceFilter(choices=list(KINDS.items()), label=_("Event"), empty_label=_("All"))
    tier = django_filters.ChoiceFilter(choices=Tier.choices, label=_("Tier"), empty_label=_("Both"))
    institution = NamedChoiceFilter(
        queryset=Institution.objects.all(), label=_("Institution"), empty_label=_("All")
    )
    from_date = DayFilter("effective_date", "gte", label=_("From"))
    to_date = DayFilter("effective_date", "lte", label=_("To"))


class EventList(ListPage):
    """What waits for a second person, and every event there was."""

    required_roles = EVERYONE
    title = _("Loan events")
    subtitle = _("Each takes two people: one proposes what was seen, another approves or rejects.")
    template_name = "repayments/events/list.html"
    table_class = EventTable
    filterset_class = EventFilter
    empty_text = _("No event was proposed yet. Begin on the page of a loan.")

    def get_rows(self) -> QuerySet[Any]:
        waits = Case(When(state="proposed", then=Value(0)), default=Value(1), output_field=IntegerField())
        return (
            LoanEvent.objects.select_related("institution", "loan", "booking")
            .annotate(waits=waits)
            .order_by("waits", "-pk")
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        may = may_propose(context, Kind.MORATORIUM, Tier.WHOLESALE)
        return super().get_context_data(**{"may_propose": may} | kwargs)


class NewEvent(Page, TemplateView):
    """Propose an event: what it would do is shown before anybody confirms it."""

    required_roles: ClassVar[Sequence[str]] = PROPOSING
    template_name = "repayments/events/new.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.kind = kwargs["kind"]
        self.seen: ShownPreview | None = None

    def get_title(self) -> Text:
        return KINDS[self.kind]

    def get_subtitle(self) -> Text:
        if self.loan is None:
            return _("Every loan of a scope")
        return f"{self.loan.number} · {formats.named(self.loan.institution)}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        crumbs: list[tuple[Text, str]] = [(_("Loan events"), reverse("repayments:events"))]
        if self.loan:
            crumbs.append((self.loan.number, reverse("reports:loan", args=[self.loan.pk])))
        return crumbs

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._open()
        self.form = self._form(None)
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._open()
        self.form = self._form(request.POST, request.FILES)
        if self.form.is_valid():
            self.form.data = {**request.POST.dict(), **self.form.carried()}
            try:
                asked = self._asked()
                seen = see(asked, actor=request.user)  # type: ignore[arg-type]
                if "propose" in request.POST and self.form.cleaned_data["shown"] == seen.digest:
                    event = propose(
                        asked,
                        actor=request.user,  # type: ignore[arg-type]
                        reason=self.form.cleaned_data["reason"],
                    )
                    messages.success(
                        request, gettext("Proposed. It is booked when a second person approves it.")
                    )
                    return redirect("repayments:event", pk=event.pk)
                self.seen = shown_preview(seen.outcome.preview(), contract_words(self.mode))
                self.form.data |= {"shown": seen.digest}
            except CannotMakeEvent as refusal:
                self.form.refuse(refusal.term, contract_words(self.mode).tell(refusal))
        lead_to_fault(self.form)
        return self.render_to_response(self.get_context_data())

    def _open(self) -> None:
        """The loan, where the event is of one; a page that is not for this person stays shut."""
        loan_id = self.kwargs.get("loan_id")
        if self.kind not in FORMS or (loan_id is None) != (self.kind in OF_A_SCOPE):
            raise Http404
        self.loan: Loan | None = (
            get_object_or_404(Loan.objects.select_related("institution", "agreement"), pk=loan_id)
            if loan_id
            else None
        )
        tier = self.loan.tier if self.loan else Tier.WHOLESALE
        if not may_propose(self.request.context, self.kind, tier):  # type: ignore[attr-defined]
            raise PermissionDenied(gettext("Your role does not propose this."))

    @property
    def mode(self) -> str:
        """The contract whose words are used."""
        return self.loan.agreement.contract_mode if self.loan else Agreement.ContractMode.INTEREST

    def _form(self, data: Any, files: Any = None) -> EventForm:
        form = FORMS[self.kind](data, files, loan=self.loan, today=open_business_date())
        if self.request.context.is_partner:  # type: ignore[attr-defined]
            form.fields.pop("scope", None)  # what touches many loans the foundation proposes
        form.speak(contract_words(self.mode))
        return form

    def _asked(self) -> Asked:
        told, parameters = self.form.cleaned_data, self.form.parameters()
        of_one = self.loan is not None and "agreement" not in parameters
        return Asked(
            kind=self.kind,
            loan_id=self.loan.pk if self.loan and of_one else None,
            effective_on=told["effective_date"],
            parameters=parameters,
            valid_until=told.get("valid_until"),
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **{
                "form": self.form,
                "loan": self.loan,
                "kind": self.kind,
                "icon": ICONS[self.kind],
                "introduction": contract_words(self.mode).tell(INTRODUCTIONS[self.kind]),
                "preview": self.seen,
                "words": contract_words(self.mode),
                "currency": sign_of(self.loan.currency if self.loan else "BDT"),
                "standing": _standing(self.loan) if self.loan else None,
                "back": reverse("reports:loan", args=[self.loan.pk])
                if self.loan
                else reverse("repayments:events"),
            }
            | kwargs
        )


def _standing(loan: Loan) -> dict[str, Any]:
    """How the loan stands on the open business date, money in minor units: what an event starts from."""
    scope, today = Scope.of_loans([loan.pk]), open_business_date()
    row = measure_loans(scope, as_of=today, last_booking_id=latest_booking_id()).rows[0]
    overdue = ("principal", "interest", "penal", "charge")
    return {
        "as_of": today,
        "outstanding": int(row["outstanding_minor"]),
        "overdue": sum(int(row[f"overdue_{name}_minor"]) for name in overdue),
        "days_past_due": int(row["days_past_due"]),
        "advance": int(row["advance_minor"]),
        "written_off": int(row["written_off_minor"]),
    }


class NewEventOfScope(NewEvent):
    """Propose an event on many loans at once: the foundation's alone."""

    required_roles: ClassVar[Sequence[str]] = (Role.OFFICER, Role.FINANCE_HEAD)


class LoanEvents(Page, TemplateView):
    """The part of a loan's page about its events, and what this person may propose on it."""

    required_roles = EVERYONE
    template_name = "repayments/events/_loan.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        loan = get_object_or_404(Loan, pk=self.kwargs["loan_id"])
        context = self.request.context  # type: ignore[attr-defined]
        lines = (
            loan.event_lines.select_related("event", "event__booking", "schedule", "receipt")
            .order_by("-event_id")
            .filter(event__isnull=False)
        )
        waiting = LoanEvent.objects.filter(loan=loan).exclude(state=LoanEvent.State.APPROVED)
        offered = [
            (label, ICONS[kind], reverse("repayments:event-new", args=[kind, loan.pk]))
            for kind, label in KINDS.items()
            if kind not in OF_A_SCOPE and may_propose(context, kind, loan.tier)
        ]
        return super().get_context_data(
            **{
                "loan": loan,
                "lines": [(line, KINDS[line.event.kind]) for line in lines],
                "waiting": [(event, KINDS[event.kind], STATES[event.state]) for event in waiting],
                "offered": offered,
            }
            | kwargs
        )


urls = [
    path("events/", EventList.as_view(), name="events"),
    path("events/new/<slug:kind>/", NewEventOfScope.as_view(), name="event-new-scope"),
    path("events/new/<slug:kind>/<int:loan_id>/", NewEvent.as_view(), name="event-new"),
    path("loans/<int:loan_id>/events/", LoanEvents.as_view(), name="loan-events"),
]
