"""Penal rates: what late money costs under which agreement, from when, who proposed and who decided it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daybook.formats import day, named, percent
from daybook.lists import ListPage, SearchFilter
from daybook.pages import Text
from daybook.selectors import open_business_date
from daybook.tables import BadgeColumn, DayColumn, LinkColumn, NamedColumn, PaikarTable, PercentColumn
from lending import words
from lending.contract_words import contract_words
from lending.forms.penal import PenalRateDecisionForm, PenalRateForm
from lending.models import Agreement, PenalRate
from lending.selectors.worklists import WORKLISTS, narrowed
from lending.services.penal import decide_penal_rate, penal_rate_on, propose_penal_rate
from partners.access import EVERYONE, Role
from partners.views.offers import Offer, OffersPage


class PenalRateTable(PaikarTable):
    """Changes of penal rates, the latest first."""

    agreement = LinkColumn(
        "lending:agreement-penal-rates",
        args=["agreement_id"],
        accessor="agreement__number",
        verbose_name=gettext_lazy("Agreement"),
    )
    institution = NamedColumn(accessor="institution", verbose_name=gettext_lazy("Institution"))
    effective_date = DayColumn(verbose_name=gettext_lazy("From"))
    annual_rate = PercentColumn(verbose_name=gettext_lazy("Rate"))
    state = BadgeColumn(verbose_name=gettext_lazy("State"), labels=words.PENAL_RATE_STATES)
    proposed_by_name = tables.Column(verbose_name=gettext_lazy("Proposed by"))
    decided_by_name = tables.Column(verbose_name=gettext_lazy("Decided by"))
    reason = tables.Column(verbose_name=gettext_lazy("Reason"))

    class Meta(PaikarTable.Meta):
        model = PenalRate
        fields = (
            "agreement",
            "institution",
            "effective_date",
            "annual_rate",
            "state",
            "proposed_by_name",
            "decided_by_name",
            "reason",
        )


class PenalRateFilter(django_filters.FilterSet):
    """Find a change of a penal rate."""

    search = SearchFilter(columns=["agreement__number", "institution__name", "reason"])
    state = django_filters.ChoiceFilter(
        choices=words.choices(words.PENAL_RATE_STATES),
        label=gettext_lazy("State"),
        empty_label=gettext_lazy("All"),
    )
    waiting = django_filters.ChoiceFilter(
        choices=[("penal-rates-decide", WORKLISTS["penal-rates-decide"])],
        method="narrow",
        label=gettext_lazy("Waiting"),
        empty_label=gettext_lazy("All"),
    )

    def narrow(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Rows of a worklist that the reader may act on."""
        return narrowed(queryset, value, self.request.user.pk)


class PenalRateList(ListPage):
    """Every change of a penal rate, proposed and decided."""

    required_roles = EVERYONE
    title = gettext_lazy("Penal rates")
    subtitle = gettext_lazy(
        "What late instalments cost from a date, where it differs from what the agreement began with."
    )
    table_class = PenalRateTable
    filterset_class = PenalRateFilter
    empty_text = gettext_lazy("No penal rate was changed; every agreement has the one it began with.")

    def get_rows(self) -> QuerySet[PenalRate]:
        return PenalRate.objects.select_related("agreement", "institution").order_by("-effective_date", "-id")

    def get_table_kwargs(self) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return {"exclude": ("institution",)} if context.is_partner else {}


class AgreementPenalRates(OffersPage):
    """One agreement's penal rate by date; proposing another and deciding it."""

    required_roles = EVERYONE
    template_name = "lending/penal_rates.html"
    subject: Agreement

    def load(self, **kwargs: Any) -> Agreement:
        return get_object_or_404(Agreement.objects.select_related("institution"), pk=kwargs["pk"])

    def get_title(self) -> Text:
        words_of_mode = contract_words(self.subject.contract_mode)
        return _("%(rate)s of %(number)s") % {
            "rate": words_of_mode.penal_rate,
            "number": self.subject.number,
        }

    def get_subtitle(self) -> Text:
        return named(self.subject.institution)

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [
            (_("Agreements"), reverse("lending:agreements")),
            (self.subject.number, reverse("lending:agreement", args=[self.subject.pk])),
        ]

    def offers(self) -> Sequence[Offer]:
        agreement, reader = self.subject, self.reader
        waiting = agreement.penal_rates.filter(state=PenalRate.State.PROPOSED).first()
        if waiting is not None:
            return self._decisions(waiting) if reader.may(Role.APPROVER, Role.FINANCE_HEAD) else []
        if agreement.state != Agreement.State.ACTIVE or not reader.may(Role.OFFICER, Role.FINANCE_HEAD):
            return []
        return [
            Offer(
                name="propose",
                label=_("Propose another rate"),
                done=_("Proposed: it counts once a second person has approved it."),
                form_class=PenalRateForm,
                form_kwargs={"initial": {"effective_date": open_business_date()}},
                run=partial(self._run, propose_penal_rate, agreement=agreement),
            )
        ]

    def _decisions(self, waiting: PenalRate) -> list[Offer]:
        said = {"rate": percent(waiting.annual_rate), "day": day(waiting.effective_date)}
        decide = partial(self._run, decide_penal_rate, penal_rate=waiting)
        return [
            Offer(
                name="approve",
                label=_("Approve %(rate)s from %(day)s") % said,
                done=_("Approved: the closes from that day on go by it."),
                form_class=PenalRateDecisionForm,
                run=partial(decide, approve=True),
            ),
            Offer(
                name="reject",
                label=_("Reject it"),
                done=_("Rejected: the rate stays as it was."),
                form_class=PenalRateDecisionForm,
                icon="x",
                is_danger=True,
                is_folded=True,
                run=partial(decide, approve=False),
            ),
        ]

    def _run(self, service: Any, told: dict[str, Any], **named: Any) -> None:
        service(**named, **told, actor=self.request.user, business_date=open_business_date())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        agreement = self.subject
        rate: Decimal = penal_rate_on(agreement, open_business_date())
        return super().get_context_data(
            agreement=agreement,
            rate=rate,
            said=contract_words(agreement.contract_mode),
            changes=[
                (change, words.PENAL_RATE_STATES[change.state])
                for change in agreement.penal_rates.order_by("-effective_date", "-id")
            ],
            **kwargs,
        )


urls = [
    path("penal-rates/", PenalRateList.as_view(), name="penal-rates"),
    path("agreements/<int:pk>/penal-rates/", AgreementPenalRates.as_view(), name="agreement-penal-rates"),
]
