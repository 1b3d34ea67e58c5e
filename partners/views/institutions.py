"""Institutions: the list, and the page on which the foundation keeps status, limits, ratios and branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_tables2 as tables
from django.db.models import Count
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daybook.lists import ListPage
from daybook.pages import Text
from daybook.selectors import open_business_date, trail_of
from daybook.tables import BadgeColumn, LinkColumn, MoneyColumn, NumberColumn, PaikarTable
from partners import words
from partners.access import EVERYONE, FOUNDATION, Role
from partners.forms.institutions import BranchForm, InstitutionForm, LimitForm, RatioForm, StatusForm
from partners.models import ExposureLimit, Institution
from partners.routing import check_digit_fits
from partners.selectors import status_on, statuses_on
from partners.services.institutions import (
    add_branch,
    add_institution,
    add_ratio,
    change_status,
    set_exposure_limit,
)
from partners.views.offers import DraftPage, Offer, OffersPage

BRANCHES_SHOWN = 12


class InstitutionTable(PaikarTable):
    """Institutions as they stand on the business date."""

    name = LinkColumn("partners:institution", verbose_name=gettext_lazy("Institution"), attrs={})
    kind = BadgeColumn(verbose_name=gettext_lazy("Kind"), labels=words.KINDS)
    ownership = tables.Column(verbose_name=gettext_lazy("Ownership"))
    status = BadgeColumn(verbose_name=gettext_lazy("Status"), labels=words.STATUSES)
    limit = MoneyColumn(verbose_name=gettext_lazy("Exposure limit (Tk)"))
    branch_count = NumberColumn(verbose_name=gettext_lazy("Branches"), total=True)

    class Meta(PaikarTable.Meta):
        fields = ("name", "kind", "ownership", "status", "limit", "branch_count")


class InstitutionList(ListPage):
    """Who takes part."""

    required_roles = FOUNDATION
    title = gettext_lazy("Institutions and limits")
    template_name = "partners/institutions.html"
    table_class = InstitutionTable
    empty_text = gettext_lazy("No institution is loaded yet.")

    def get_rows(self) -> list[Any]:
        on = open_business_date()
        statuses = statuses_on(on)
        limits = {
            row.institution_id: row.amount
            for row in ExposureLimit.objects.filter(effective_date__lte=on).order_by(
                "institution_id", "effective_date", "booking_id"
            )
        }
        return [
            {
                "pk": row.pk,
                "name": row.name,
                "kind": status.kind if (status := statuses.get(row.pk)) else "",
                "ownership": words.OWNERSHIPS[status.ownership] if status else "",
                "status": status.status if status else "",
                "limit": limits.get(row.pk),
                "branch_count": row.branch_count,
            }
            for row in Institution.objects.annotate(branch_count=Count("branches")).order_by("name")
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return super().get_context_data(may_add=context.may(Role.ADMINISTRATOR, Role.FINANCE_HEAD), **kwargs)


class InstitutionNew(DraftPage):
    """Take in a new partner institution."""

    required_roles = (Role.ADMINISTRATOR, Role.FINANCE_HEAD)
    title = gettext_lazy("New institution")
    form_class = InstitutionForm
    button = gettext_lazy("Add the institution")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Institutions and limits"), reverse("partners:institutions"))]

    def make(self, told: dict[str, Any]) -> str:
        institution = add_institution(
            **told,
            actor=self.request.user,  # type: ignore[arg-type]
            business_date=open_business_date(),
        )
        return reverse("partners:institution", args=[institution.pk])


class InstitutionPage(OffersPage):
    """One institution: dated status, limits, ratios, branches, people. A partner reads its own."""

    required_roles = EVERYONE
    template_name = "partners/institution.html"
    subject: Institution

    def load(self, **kwargs: Any) -> Institution:
        return get_object_or_404(Institution, pk=kwargs["pk"])

    def get_title(self) -> Text:
        return self.subject.name

    def get_subtitle(self) -> Text:
        return self.subject.name_bn

    def get_crumbs(self) -> list[tuple[Text, str]]:
        if self.reader.is_partner:
            return []
        return [(_("Institutions and limits"), reverse("partners:institutions"))]

    def offers(self) -> Sequence[Offer]:
        reader, on = self.reader, open_business_date()
        status = status_on(self.subject.pk, on)
        found = []
        if reader.may(Role.FINANCE_HEAD):
            found.append(
                Offer(
                    name="limit",
                    label=_("Set the exposure limit"),
                    done=_("The limit is set."),
                    form_class=LimitForm,
                    form_kwargs={"initial": {"effective_date": on}},
                    is_folded=True,
                    icon="gauge",
                    run=lambda told: self._act(set_exposure_limit, **told),
                )
            )
        if reader.may(Role.ADMINISTRATOR, Role.FINANCE_HEAD):
            initial = {"effective_date": on}
            if status is not None:
                initial |= {
                    name: getattr(status, name) for name in ("status", "kind", "ownership", "is_islamic")
                }
            found.append(
                Offer(
                    name="status",
                    label=_("Change the status"),
                    done=_("The status is booked."),
                    form_class=StatusForm,
                    form_kwargs={"initial": initial},
                    is_folded=True,
                    icon="edit",
                    run=lambda told: self._act(change_status, **told),
                )
            )
        if reader.may(Role.OFFICER, Role.ADMINISTRATOR, Role.FINANCE_HEAD):
            found += [
                Offer(
                    name="ratio",
                    label=_("Note a ratio"),
                    done=_("The ratio is noted."),
                    form_class=RatioForm,
                    is_folded=True,
                    icon="percentage",
                    run=lambda told: self._act(add_ratio, **told),
                ),
                Offer(
                    name="branch",
                    label=_("Add a branch"),
                    done=_("The branch is added."),
                    form_class=BranchForm,
                    is_folded=True,
                    icon="plus",
                    run=lambda told: self._act(add_branch, **told),
                ),
            ]
        return found

    def _act(self, service: Any, **told: Any) -> None:
        service(
            institution=self.subject,
            actor=self.request.user,
            business_date=open_business_date(),
            **told,
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        institution, on = self.subject, open_business_date()
        branches = institution.branches.select_related("district").order_by("name")
        search = self.request.GET.get("branch", "").strip()
        if search:
            branches = branches.filter(name__icontains=search) | branches.filter(
                routing_number__startswith=search
            )
        status = status_on(institution.pk, on)
        return super().get_context_data(
            institution=institution,
            status=status,
            status_word=words.STATUSES[status.status] if status else "",
            kind_word=words.KINDS[status.kind] if status else "",
            statuses=[
                (row, words.STATUSES[row.status], words.KINDS[row.kind], words.OWNERSHIPS[row.ownership])
                for row in institution.statuses.select_related("booking").order_by("-effective_date", "-id")
            ],
            limits=institution.exposure_limits.select_related("booking").order_by("-effective_date", "-id"),
            ratios=institution.ratios.order_by("-as_of", "name"),
            branches=[
                (branch, not branch.routing_number or check_digit_fits(branch.routing_number))
                for branch in branches[:BRANCHES_SHOWN]
            ],
            branch_count=branches.count(),
            branch_search=search,
            people=[
                (row, words.ROLES[row.role])
                for row in institution.memberships.select_related("user").order_by("user__full_name")
            ],
            trail=trail_of("partners.institution", institution.pk)[:10],
            **kwargs,
        )


urls = [
    path("institutions/", InstitutionList.as_view(), name="institutions"),
    path("institutions/new/", InstitutionNew.as_view(), name="institution-new"),
    path("institutions/<int:pk>/", InstitutionPage.as_view(), name="institution"),
]
