"""Facilities, tranches and what was lent on from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calc.schedule import Method
from daybook.formats import named, taka, taka_minor, tk
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.pages import Text
from daybook.selectors import open_business_date
from daybook.tables import (
    BadgeColumn,
    DayColumn,
    LinkColumn,
    MinorColumn,
    MoneyColumn,
    NamedColumn,
    NumberColumn,
    PaikarTable,
)
from lending import words
from lending.forms.agreements import NoteForm, ReasonForm
from lending.forms.applications import DisbursementForm, TrancheApprovalForm, TrancheRequestForm
from lending.models import Agreement, Facility, Tranche
from lending.selectors.pages import disbursed_tranches, steps_of, use_of_facility, use_of_tranche
from lending.selectors.worklists import WORKLISTS, narrowed
from lending.services.tranches import (
    approve_tranche,
    cancel_tranche,
    clear_tranche,
    disburse_tranche,
    request_tranche,
)
from lending.views.cancellations import cancellation_offers
from lending.views.tranche_plans import facility_plan, tranche_plan
from partners.access import EVERYONE, Role, authority_of
from partners.views.offers import Offer, OffersPage

State = Tranche.State


class TrancheTable(PaikarTable):
    """Tranches, newest first."""

    number = LinkColumn("lending:tranche", verbose_name=gettext_lazy("Tranche"))
    institution = NamedColumn(accessor="institution", verbose_name=gettext_lazy("Institution"))
    facility = tables.Column(
        accessor="facility__number", verbose_name=gettext_lazy("Facility"), attrs={"td": {"class": "code"}}
    )
    state = BadgeColumn(verbose_name=gettext_lazy("State"), labels=words.TRANCHE_STATES)
    requested_date = DayColumn(verbose_name=gettext_lazy("Requested"))
    requested_amount = MoneyColumn(verbose_name=gettext_lazy("Requested (Tk)"), total=True)
    approved_amount = MoneyColumn(verbose_name=gettext_lazy("Approved (Tk)"), total=True)
    value_date = DayColumn(verbose_name=gettext_lazy("Sent"))

    class Meta(PaikarTable.Meta):
        model = Tranche
        fields = (
            "number",
            "institution",
            "facility",
            "state",
            "requested_date",
            "requested_amount",
            "approved_amount",
            "value_date",
        )


class TrancheFilter(django_filters.FilterSet):
    """Find a tranche."""

    search = SearchFilter(columns=["number", "institution__name", "facility__number", "bank_reference"])
    state = django_filters.ChoiceFilter(
        choices=words.choices(words.TRANCHE_STATES),
        label=gettext_lazy("State"),
        empty_label=gettext_lazy("All"),
    )
    waiting = django_filters.ChoiceFilter(
        choices=[(key, label) for key, label in WORKLISTS.items() if key.startswith("tranches")],
        method="narrow",
        label=gettext_lazy("Waiting"),
        empty_label=gettext_lazy("All"),
    )
    from_date = DayFilter("requested_date", "gte", label=gettext_lazy("From"))
    to_date = DayFilter("requested_date", "lte", label=gettext_lazy("To"))

    def narrow(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Rows of a worklist that the reader may act on."""
        return narrowed(queryset, value, self.request.user.pk)


class TrancheList(ListPage):
    """Every drawdown; a partner sees its own."""

    required_roles = EVERYONE
    title = gettext_lazy("Tranches")
    table_class = TrancheTable
    filterset_class = TrancheFilter
    empty_text = gettext_lazy("No tranche was requested yet. Tranches are requested on a facility's page.")

    def get_rows(self) -> QuerySet[Tranche]:
        return Tranche.objects.select_related("institution", "facility")

    def get_table_kwargs(self) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return {"exclude": ("institution",)} if context.is_partner else {}


def is_irregular(agreement: Agreement) -> bool:
    """Whether each tranche brings the amounts of its own instalments."""
    return agreement.method == Method.IRREGULAR


class FacilityPage(OffersPage):
    """What was sanctioned on an application, and what was drawn of it."""

    required_roles = EVERYONE
    template_name = "lending/facility.html"
    subject: Facility

    def load(self, **kwargs: Any) -> Facility:
        return get_object_or_404(
            Facility.objects.select_related(
                "institution", "application__cluster", "allotment__agreement", "allotment__fund_source"
            ),
            pk=kwargs["pk"],
        )

    def get_title(self) -> Text:
        return _("Facility %(number)s") % {"number": self.subject.number}

    def get_subtitle(self) -> Text:
        return f"{named(self.subject.institution)} · {named(self.subject.application.cluster)}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        application = self.subject.application
        return [
            (_("Applications"), reverse("lending:applications")),
            (application.number, reverse("lending:application", args=[application.pk])),
        ]

    def offers(self) -> Sequence[Offer]:
        facility = self.subject
        use = use_of_facility(facility)
        if self.reader.is_foundation:
            return cancellation_offers(facility, self.reader, self.request.user)  # type: ignore[arg-type]
        if not self.reader.may(Role.MAKER, Role.CHECKER) or use.left.amount <= 0:
            return []
        if open_business_date() > facility.expires_date:
            return []
        return [
            Offer(
                name="request",
                label=_("Request a tranche"),
                done=_("Requested: the foundation clears it next."),
                hint=_("%(left)s can still be drawn.") % {"left": tk(use.left)},
                form_class=TrancheRequestForm,
                form_kwargs={"is_irregular": is_irregular(facility.allotment.agreement)},
                icon="send",
                run=self._request,
            )
        ]

    def _request(self, told: dict[str, Any]) -> str:
        tranche = request_tranche(
            facility=self.subject,
            actor=self.request.user,  # type: ignore[arg-type]
            business_date=open_business_date(),
            **told,
        )
        return reverse("lending:tranche", args=[tranche.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facility = self.subject
        return super().get_context_data(
            facility=facility,
            use=use_of_facility(facility),
            cancellations=[
                (cancellation, words.CANCELLATION_STATES[cancellation.state])
                for cancellation in facility.cancellations.all()
            ],
            tranches=[
                (tranche, words.TRANCHE_STATES[tranche.state])
                for tranche in facility.tranches.order_by("-id")
            ],
            **kwargs,
        )


class TranchePage(OffersPage):
    """One drawdown: who cleared, approved and sent it, and what was lent on from it."""

    required_roles = EVERYONE
    template_name = "lending/tranche.html"
    subject: Tranche

    def load(self, **kwargs: Any) -> Tranche:
        return get_object_or_404(
            Tranche.objects.select_related(
                "institution", "facility__application__cluster", "agreement", "loan", "into_loan", "booking"
            ),
            pk=kwargs["pk"],
        )

    def get_title(self) -> Text:
        return _("Tranche %(number)s") % {"number": self.subject.number}

    def get_subtitle(self) -> Text:
        return f"{named(self.subject.institution)} · {named(self.subject.facility.application.cluster)}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Tranches"), reverse("lending:tranches"))]

    def offers(self) -> Sequence[Offer]:
        tranche, reader = self.subject, self.reader
        found = []
        if tranche.state == State.REQUESTED and reader.may(Role.OFFICER):
            found.append(
                self._step(
                    "clear",
                    _("Clear for approval"),
                    _("Cleared: it waits for approval."),
                    clear_tranche,
                    NoteForm,
                )
            )
        if tranche.state == State.CLEARED and reader.may(Role.APPROVER, Role.FINANCE_HEAD):
            found.append(self._approve())
        if tranche.state == State.APPROVED and reader.may(Role.OFFICER, Role.FINANCE_HEAD):
            found.append(self._disburse())
        is_waiting = tranche.state in (State.REQUESTED, State.CLEARED, State.APPROVED)
        if is_waiting and not reader.may(Role.AUDITOR, Role.ADMINISTRATOR, Role.VIEWER):
            cancel = self._step(
                "cancel", _("Cancel the tranche"), _("Cancelled."), cancel_tranche, ReasonForm
            )
            cancel.is_danger, cancel.is_folded, cancel.icon = True, True, "x"
            found.append(cancel)
        return found

    def _approve(self) -> Offer:
        authority = authority_of(self.reader.roles, on=open_business_date())
        offer = self._step(
            "approve",
            _("Approve"),
            _("Approved: it may be sent."),
            approve_tranche,
            TrancheApprovalForm,
        )
        tranche = self.subject
        offer.form_kwargs = {
            "is_irregular": is_irregular(tranche.agreement),
            "initial": {
                "amount": taka(tranche.requested_amount),
                "first_due_date": tranche.first_due_date,
                "instalment_amounts": "\n".join(map(taka_minor, tranche.instalment_amounts)),
            },
        }
        offer.hint = _("Your authority reaches %(amount)s.") % {"amount": tk(authority)}
        return offer

    def _disburse(self) -> Offer:
        offer = self._step(
            "disburse",
            _("Record the disbursement"),
            _("Disbursed: the wholesale loan is open with its plan."),
            disburse_tranche,
            DisbursementForm,
        )
        offer.form_kwargs = {"initial": {"value_date": open_business_date()}}
        offer.icon = "transfer-out"
        return offer

    def _step(self, name: str, label: str, done: str, service: Any, form_class: Any) -> Offer:
        return Offer(
            name=name,
            label=label,
            done=done,
            form_class=form_class,
            run=lambda told: self._act(service, **told),
        )

    def _act(self, service: Any, **told: Any) -> None:
        service(
            tranche=self.subject,
            actor=self.request.user,
            business_date=open_business_date(),
            **told,
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tranche = self.subject
        return super().get_context_data(
            tranche=tranche,
            state=words.TRANCHE_STATES[tranche.state],
            loan=getattr(tranche, "loan", None),
            use=use_of_tranche(tranche),
            may_plan=tranche.state in (State.REQUESTED, State.CLEARED, State.APPROVED),
            may_join=tranche.state == State.APPROVED
            and self.reader.may(Role.OFFICER, Role.FINANCE_HEAD)
            and tranche.agreement.loans.filter(tier="wholesale").exists(),
            may_load=tranche.state == State.DISBURSED and self.reader.may(Role.MAKER),
            steps=steps_of(tranche),
            **kwargs,
        )


class OnLendingTable(PaikarTable):
    """Disbursed tranches and how much of each reached entrepreneurs."""

    number = LinkColumn("lending:tranche", verbose_name=gettext_lazy("Tranche"))
    institution = NamedColumn(accessor="institution", verbose_name=gettext_lazy("Institution"))
    cluster = tables.Column(accessor="facility__application__cluster", verbose_name=gettext_lazy("Cluster"))
    value_date = DayColumn(verbose_name=gettext_lazy("Sent"))
    approved_amount = MoneyColumn(verbose_name=gettext_lazy("Drawn (Tk)"), total=True)
    lent_minor = MinorColumn(verbose_name=gettext_lazy("Lent on (Tk)"), total=True)
    loan_count = NumberColumn(verbose_name=gettext_lazy("Sub-loans"), total=True)

    class Meta(PaikarTable.Meta):
        model = Tranche
        fields = (
            "number",
            "institution",
            "cluster",
            "value_date",
            "approved_amount",
            "lent_minor",
            "loan_count",
        )


class OnLendingFilter(django_filters.FilterSet):
    """Find a disbursed tranche."""

    search = SearchFilter(columns=["number", "institution__name", "facility__application__cluster__name"])


class OnLendingList(ListPage):
    """What was drawn and what was lent on; here an institution sends its lists of sub-loans."""

    required_roles = EVERYONE
    title = gettext_lazy("Sub-loan lists")
    subtitle = gettext_lazy("What was drawn, and what of it reached entrepreneurs by the lists sent so far.")
    template_name = "lending/on_lending.html"
    table_class = OnLendingTable
    filterset_class = OnLendingFilter
    empty_text = gettext_lazy("Nothing was drawn yet. Sub-loans are reported once a tranche is disbursed.")

    def get_rows(self) -> QuerySet[Tranche]:
        return disbursed_tranches()

    def get_table_kwargs(self) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return {"exclude": ("institution",)} if context.is_partner else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return super().get_context_data(may_load=context.may(Role.MAKER), **kwargs)


urls = [
    path("facilities/<int:pk>/", FacilityPage.as_view(), name="facility"),
    path("tranches/", TrancheList.as_view(), name="tranches"),
    path("tranches/<int:pk>/", TranchePage.as_view(), name="tranche"),
    path("tranches/<int:pk>/plan/", tranche_plan, name="tranche-plan"),
    path("facilities/<int:pk>/plan/", facility_plan, name="facility-plan"),
    path("subloans/", OnLendingList.as_view(), name="subloans"),
]
