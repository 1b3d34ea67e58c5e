"""Agreements: the list, drafting, and the page with its allotments and use of the limit."""

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

from daybook.formats import named, tk
from daybook.lists import ListPage, SearchFilter
from daybook.pages import Text
from daybook.selectors import open_business_date
from daybook.tables import (
    BadgeColumn,
    DayColumn,
    LinkColumn,
    MoneyColumn,
    NamedColumn,
    PaikarTable,
    PercentColumn,
)
from lending import words
from lending.builders.proposals import ProposalShown
from lending.builders.terms import agreement_terms
from lending.contract_words import contract_words
from lending.forms.agreements import AllotmentForm, NoteForm, ReasonForm
from lending.models import Agreement, Application, Programme
from lending.selectors.pages import allotments_of, steps_of, use_of_limit
from lending.selectors.worklists import WORKLISTS, narrowed
from lending.services.agreements import approve_agreement
from lending.services.proposals import MAKERS, propose_allotment, propose_end
from lending.views.agreement_new import example_of
from lending.views.proposals import decisions, waiting_proposals
from partners.access import EVERYONE, Role, authority_of
from partners.views.offers import Offer, OffersPage

State = Agreement.State


class AgreementTable(PaikarTable):
    """Agreements, newest first."""

    number = LinkColumn("lending:agreement", verbose_name=gettext_lazy("Agreement"))
    institution = NamedColumn(accessor="institution", verbose_name=gettext_lazy("Institution"))
    programme = tables.Column(accessor="programme__code", verbose_name=gettext_lazy("Programme"))
    state = BadgeColumn(verbose_name=gettext_lazy("State"), labels=words.AGREEMENT_STATES)
    from_date = DayColumn(verbose_name=gettext_lazy("From"))
    to_date = DayColumn(verbose_name=gettext_lazy("May draw until"))
    annual_rate = PercentColumn(verbose_name=gettext_lazy("Rate"))
    limit = MoneyColumn(verbose_name=gettext_lazy("Limit (Tk)"), total=True)

    class Meta(PaikarTable.Meta):
        model = Agreement
        fields = (
            "number",
            "institution",
            "programme",
            "state",
            "from_date",
            "to_date",
            "annual_rate",
            "limit",
        )


class AgreementFilter(django_filters.FilterSet):
    """Find an agreement."""

    search = SearchFilter(columns=["number", "institution__name"])
    state = django_filters.ChoiceFilter(
        choices=words.choices(words.AGREEMENT_STATES),
        label=gettext_lazy("State"),
        empty_label=gettext_lazy("All"),
    )
    waiting = django_filters.ChoiceFilter(
        choices=[(key, label) for key, label in WORKLISTS.items() if key.startswith("agreements")],
        method="narrow",
        label=gettext_lazy("Waiting"),
        empty_label=gettext_lazy("All"),
    )
    programme = django_filters.ModelChoiceFilter(
        queryset=Programme.objects.all(), label=gettext_lazy("Programme"), empty_label=gettext_lazy("All")
    )

    def narrow(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Rows of a worklist that the reader may act on."""
        return narrowed(queryset, value, self.request.user.pk)


class AgreementList(ListPage):
    """What was signed with whom."""

    required_roles = EVERYONE
    title = gettext_lazy("Agreements")
    template_name = "lending/agreements.html"
    table_class = AgreementTable
    filterset_class = AgreementFilter
    empty_text = gettext_lazy("No agreement is drafted yet.")

    def get_rows(self) -> QuerySet[Agreement]:
        return Agreement.objects.select_related("institution", "programme")

    def get_table_kwargs(self) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return {"exclude": ("institution",)} if context.is_partner else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return super().get_context_data(may_draft=context.may(Role.OFFICER, Role.FINANCE_HEAD), **kwargs)


class AgreementPage(OffersPage):
    """One agreement: terms, use of the limit, allotments, steps; approving and allotting."""

    required_roles = EVERYONE
    template_name = "lending/agreement.html"
    subject: Agreement

    def load(self, **kwargs: Any) -> Agreement:
        return get_object_or_404(
            Agreement.objects.select_related("institution", "programme"), pk=kwargs["pk"]
        )

    def get_title(self) -> Text:
        return _("Agreement %(number)s") % {"number": self.subject.number}

    def get_subtitle(self) -> Text:
        return f"{named(self.subject.institution)} · {named(self.subject.programme)}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Agreements"), reverse("lending:agreements"))]

    def offers(self) -> Sequence[Offer]:
        agreement, reader = self.subject, self.reader
        found = []
        if agreement.state == State.DRAFT and reader.may(Role.APPROVER, Role.FINANCE_HEAD):
            authority = authority_of(reader.roles, on=open_business_date())
            found.append(
                Offer(
                    name="approve",
                    label=_("Approve the agreement"),
                    done=_("Approved: money may now be allotted and drawn under it."),
                    hint=_("Your authority reaches %(amount)s.") % {"amount": tk(authority)},
                    form_class=NoteForm,
                    run=lambda told: self._act(approve_agreement, **told),
                )
            )
        if agreement.state != State.ENDED and reader.may(*MAKERS):
            found.append(
                Offer(
                    name="allot",
                    label=_("Allot part of the limit"),
                    done=_("Proposed: a second person decides."),
                    form_class=AllotmentForm,
                    form_kwargs={
                        "initial": {
                            "fund_source": agreement.programme.fund_source_id,
                            "from_date": agreement.from_date,
                            "to_date": agreement.to_date,
                        }
                    },
                    icon="plus",
                    is_folded=True,
                    run=lambda told: self._act(propose_allotment, **told),
                )
            )
        if agreement.state == State.ACTIVE and reader.may(*MAKERS):
            found.append(
                Offer(
                    name="end",
                    label=_("End the agreement"),
                    done=_("Proposed: a second person decides."),
                    hint=_("No more money is drawn then. What was lent stays owed as agreed."),
                    form_class=ReasonForm,
                    icon="circle-x",
                    is_folded=True,
                    is_danger=True,
                    run=lambda told: self._act(propose_end, **told),
                )
            )
        user = self.request.user
        found[:0] = decisions(self.waiting(), reader, user)  # type: ignore[arg-type]
        return found

    def waiting(self) -> list[ProposalShown]:
        """What of this agreement waits for a second person."""
        return waiting_proposals(self.subject.proposals.all(), self.reader)

    def _act(self, service: Any, **told: Any) -> None:
        service(
            agreement=self.subject,
            actor=self.request.user,
            business_date=open_business_date(),
            **told,
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        agreement = self.subject
        return super().get_context_data(
            agreement=agreement,
            state=words.AGREEMENT_STATES[agreement.state],
            said=contract_words(agreement.contract_mode),
            terms=agreement_terms(agreement),
            shown=example_of(agreement),
            waiting=self.waiting(),
            use=use_of_limit(agreement),
            allotments=allotments_of(agreement),
            applications=[
                (application, words.APPLICATION_STATES[application.state])
                for application in agreement_applications(agreement)
            ],
            steps=steps_of(agreement),
            **kwargs,
        )


def agreement_applications(agreement: Agreement) -> QuerySet[Application]:
    """Applications under any of the agreement's allotments, newest first."""
    return (
        Application.objects.filter(allotment__agreement=agreement).select_related("cluster").order_by("-id")
    )


urls = [
    path("agreements/", AgreementList.as_view(), name="agreements"),
    path("agreements/<int:pk>/", AgreementPage.as_view(), name="agreement"),
]
