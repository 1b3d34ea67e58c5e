"""Programmes with their dated terms, clusters, borrowers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import Count, QuerySet, Sum
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from daybook.formats import taka
from daybook.lists import ListPage, SearchFilter
from daybook.pages import Text
from daybook.selectors import open_business_date
from daybook.tables import (
    BadgeColumn,
    DayColumn,
    LinkColumn,
    MoneyColumn,
    NamedColumn,
    NumberColumn,
    PaikarTable,
)
from lending import words
from lending.builders.proposals import ProposalShown, told_terms
from lending.forms.programmes import TermsForm
from lending.models import Cluster, Person, Programme
from lending.services.proposals import COUNTS, MONEYS, PERCENTS, propose_terms
from lending.views.proposals import decisions, waiting_proposals
from partners.access import EVERYONE, Role
from partners.views.offers import Offer, OffersPage


class ProgrammeTable(PaikarTable):
    """Programmes, newest first."""

    code = LinkColumn("lending:programme", verbose_name=_("Code"))
    name = tables.Column(verbose_name=_("Name"))
    fund = tables.Column(accessor="fund_source__name", verbose_name=_("Fund source"))
    from_date = DayColumn(verbose_name=_("From"))
    to_date = DayColumn(verbose_name=_("To"))
    agreement_count = NumberColumn(verbose_name=_("Agreements"), total=True)
    limits = MoneyColumn(verbose_name=_("Limits (Tk)"), total=True)

    class Meta(PaikarTable.Meta):
        model = Programme
        fields = ("code", "name", "fund", "from_date", "to_date", "agreement_count", "limits")


class ProgrammeList(ListPage):
    """Phases of the programme; a partner sees its own agreements counted."""

    required_roles = EVERYONE
    title = _("Programmes")
    subtitle = _("Whose money is lent, and on which terms.")
    table_class = ProgrammeTable
    empty_text = _("No programme is loaded yet.")

    def get_rows(self) -> QuerySet[Programme]:
        return Programme.objects.select_related("fund_source").annotate(
            agreement_count=Count("agreements"), limits=Sum("agreements__limit")
        )


class ProgrammePage(OffersPage):
    """One programme: its terms, version by version; new ones are proposed and decided here."""

    required_roles = EVERYONE
    template_name = "lending/programme.html"

    subject: Programme

    def load(self, **kwargs: Any) -> Programme:
        return get_object_or_404(Programme.objects.select_related("fund_source"), pk=kwargs["pk"])

    def get_title(self) -> Text:
        return str(self.subject)

    def waiting(self) -> list[ProposalShown]:
        """Terms that wait for a second person."""
        return waiting_proposals(self.subject.proposals.all(), self.reader)

    def offers(self) -> Sequence[Offer]:
        found = list(decisions(self.waiting(), self.reader, self.request.user))  # type: ignore[arg-type]
        if self.reader.may(Role.OFFICER, Role.FINANCE_HEAD):
            found.append(
                Offer(
                    name="terms",
                    label=_("Propose new terms"),
                    done=_("Proposed: a second person decides."),
                    hint=_("They count for loans disbursed from that day; others keep theirs."),
                    form_class=TermsForm,
                    form_kwargs={"initial": self._current()},
                    icon="plus",
                    is_folded=True,
                    run=self._propose,
                )
            )
        return found

    def _current(self) -> dict[str, Any]:
        """The terms in force, to start from."""
        terms = self.subject.terms.order_by("-effective_date", "-booking_id").first()
        if terms is None:
            return {}
        found = {name: getattr(terms, name) for name in (*PERCENTS, *COUNTS)}
        found |= {name: money and taka(money) for name in MONEYS for money in [getattr(terms, name)]}
        return found | {"excluded_sectors": ", ".join(terms.excluded_sectors)}

    def now(self) -> dict[str, str]:
        """The terms in force in words, to stand beside what is proposed."""
        terms = self.subject.terms.order_by("-effective_date", "-booking_id").first()
        if terms is None:
            return {}
        values = {name: getattr(terms, name) for name in (*PERCENTS, *COUNTS)}
        values |= {name: money and money.amount for name in MONEYS for money in [getattr(terms, name)]}
        kept = {name: None if value is None else str(value) for name, value in values.items()}
        return told_terms(
            {
                **kept,
                "effective_date": terms.effective_date.isoformat(),
                "excluded_sectors": terms.excluded_sectors,
                "confidence": terms.confidence,
            }
        )

    def _propose(self, told: dict[str, Any]) -> None:
        propose_terms(
            programme=self.subject,
            actor=self.request.user,  # type: ignore[arg-type]
            business_date=open_business_date(),
            **told,
        )

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Programmes"), reverse("lending:programmes"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        versions = self.subject.terms.order_by("-effective_date", "-booking_id")
        return super().get_context_data(
            programme=self.subject,
            waiting=self.waiting(),
            now=self.now(),
            versions=[(terms, words.CONFIDENCES.get(terms.confidence, "")) for terms in versions],
            agreements=[
                (agreement, words.AGREEMENT_STATES[agreement.state])
                for agreement in self.subject.agreements.select_related("institution")
            ],
            **kwargs,
        )


class ClusterTable(PaikarTable):
    """Clusters and clientele groups."""

    code = tables.Column(verbose_name=_("Code"), attrs={"td": {"class": "code"}})
    name = tables.Column(verbose_name=_("Name"))
    kind = BadgeColumn(verbose_name=_("Kind"), labels=words.CLUSTER_KINDS)
    sector = tables.Column(verbose_name=_("Sector"))
    place = tables.Column(verbose_name=_("Place"))
    district = tables.Column(verbose_name=_("District"))
    status = BadgeColumn(verbose_name=_("Status"), labels=words.CLUSTER_STATES)
    application_count = NumberColumn(verbose_name=_("Applications"), total=True)

    class Meta(PaikarTable.Meta):
        model = Cluster
        fields = ("code", "name", "kind", "sector", "place", "district", "status", "application_count")


class ClusterFilter(django_filters.FilterSet):
    """Find a cluster."""

    search = SearchFilter(columns=["code", "name", "place", "sector", "district__name"])
    kind = django_filters.ChoiceFilter(
        choices=words.choices(words.CLUSTER_KINDS), label=_("Kind"), empty_label=_("All")
    )
    status = django_filters.ChoiceFilter(
        choices=words.choices(words.CLUSTER_STATES), label=_("Status"), empty_label=_("All")
    )


class ClusterList(ListPage):
    """Where the programme lends."""

    required_roles = EVERYONE
    title = _("Clusters")
    subtitle = _("Fifty or more units of one kind within some five kilometres, and groups bound to no place.")
    table_class = ClusterTable
    filterset_class = ClusterFilter
    empty_text = _("No cluster is loaded yet.")

    def get_rows(self) -> QuerySet[Cluster]:
        return Cluster.objects.select_related("district").annotate(application_count=Count("applications"))


class BorrowerTable(PaikarTable):
    """People with a sub-loan; the identity number is masked."""

    name = tables.Column(verbose_name=_("Name"))
    nid = tables.Column(verbose_name=_("NID"), attrs={"td": {"class": "code"}})
    gender = BadgeColumn(verbose_name=_("Gender"), labels=words.GENDERS)
    institution = NamedColumn(accessor="institution", verbose_name=_("Institution"))
    loan_count = NumberColumn(verbose_name=_("Sub-loans"), total=True)

    class Meta(PaikarTable.Meta):
        model = Person
        fields = ("name", "nid", "gender", "institution", "loan_count")

    def render_nid(self, value: str) -> str:
        """Only the last four digits."""
        return f"…{value[-4:]}"

    def value_nid(self, value: str) -> str:
        """A file shows no more than the screen."""
        return f"…{value[-4:]}"


class BorrowerFilter(django_filters.FilterSet):
    """Find a person by name."""

    search = SearchFilter(columns=["name", "ownerships__enterprise__name"])
    gender = django_filters.ChoiceFilter(
        choices=words.choices(words.GENDERS), label=_("Gender"), empty_label=_("All")
    )


class BorrowerList(ListPage):
    """The people behind the sub-loans, as their institutions report them."""

    required_roles = EVERYONE
    title = _("Borrowers")
    table_class = BorrowerTable
    filterset_class = BorrowerFilter
    empty_text = _("Borrowers appear here with the first list of sub-loans.")

    def get_rows(self) -> QuerySet[Person]:
        return Person.objects.select_related("institution").annotate(
            loan_count=Count("loan_parties__loan", distinct=True)
        )

    def get_table_kwargs(self) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return {"exclude": ("institution",)} if context.is_partner else {}


urls = [
    path("programmes/", ProgrammeList.as_view(), name="programmes"),
    path("programmes/<int:pk>/", ProgrammePage.as_view(), name="programme"),
    path("clusters/", ClusterList.as_view(), name="clusters"),
    path("borrowers/", BorrowerList.as_view(), name="borrowers"),
]
