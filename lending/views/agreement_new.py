"""Drafting an agreement, with the plan its terms mean shown while they are typed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from daybook.pages import Text
from daybook.selectors import open_business_date
from lending.builders.plans import PlanShown, show_plan
from lending.forms.terms import AgreementForm, drafted
from lending.models import Agreement
from lending.services.agreements import CannotDraftAgreement, draft_agreement, refuse_bad_terms
from partners.access import Role, requires
from partners.models import Institution
from partners.views.offers import DraftPage

MAKERS = (Role.OFFICER, Role.FINANCE_HEAD)
NEEDED = ("limit", "from_date", "annual_rate", "contract_mode", "method", "frequency", "instalment_count")
"""Fields without which there is no plan to show."""


class AgreementNew(DraftPage):
    """Draft an agreement; a second person approves it."""

    required_roles = MAKERS
    template_name = "lending/agreement_new.html"
    title = gettext_lazy("New agreement")
    subtitle = gettext_lazy("A draft counts once a second person has approved it.")
    form_class = AgreementForm
    button = gettext_lazy("Save the draft")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Agreements"), reverse("lending:agreements"))]

    def form_kwargs(self) -> dict[str, Any]:
        wanted = self.request.GET.get("institution", "")
        chosen = Institution.objects.filter(pk=wanted).first() if wanted.isdecimal() else None
        today = open_business_date()
        return {"initial": {"institution": chosen, "signed_date": today, "from_date": today}}

    def make(self, told: dict[str, Any]) -> str:
        agreement = draft_agreement(
            **told,
            actor=self.request.user,  # type: ignore[arg-type]
            business_date=open_business_date(),
        )
        return reverse("lending:agreement", args=[agreement.pk])


@require_POST
@requires(*MAKERS)
def preview(request: HttpRequest) -> HttpResponse:
    """What the terms typed so far mean for the whole limit; nothing is saved."""
    form = AgreementForm(request.POST)
    form.is_valid()
    told = form.cleaned_data
    missing = [form.fields[name].label for name in NEEDED if told.get(name) is None]
    if missing:
        return render(request, "lending/_plan.html", {"missing": missing})
    for name in ("signed_date", "to_date"):
        told[name] = told.get(name) or told["from_date"]
    agreement = drafted(told)
    try:
        plan = refuse_bad_terms(agreement)
    except CannotDraftAgreement as refusal:
        return render(request, "lending/_plan.html", {"refusal": str(refusal)})
    shown = show_plan(plan, contract_mode=agreement.contract_mode, disbursed_on=agreement.from_date)
    return render(request, "lending/_plan.html", {"shown": shown, "agreement": agreement})


def example_of(agreement: Agreement) -> PlanShown | None:
    """The plan of an agreement's whole limit; None where its terms, booked elsewhere, make none."""
    try:
        plan = refuse_bad_terms(agreement)
    except CannotDraftAgreement:
        return None
    return show_plan(plan, contract_mode=agreement.contract_mode, disbursed_on=agreement.from_date)


urls = [
    path("agreements/new/", AgreementNew.as_view(), name="agreement-new"),
    path("agreements/new/plan/", preview, name="agreement-plan"),
]
