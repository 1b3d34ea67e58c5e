"""The plan of a tranche while it is asked for, approved and sent: the panel beside the steps."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET
from djmoney.money import Money

from daybook.forms import DayField, TakaField
from daybook.selectors import business_calendar, open_business_date
from lending.builders.plans import show_plan
from lending.forms.applications import AmountsField
from lending.models import Agreement, Facility, Tranche
from lending.services.tranche_plans import CannotPlanTranche, sketch_tranche
from partners.access import EVERYONE, requires


class _Typed(forms.Form):
    """What was typed so far; what cannot be read yet counts as not typed."""

    amount = TakaField(required=False)
    value_date = DayField(required=False)
    first_due_date = DayField(required=False)
    instalment_amounts = AmountsField(required=False)


@require_GET
@requires(*EVERYONE)
def tranche_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan of a tranche as it stands, or as the step being filled in would make it."""
    tranche: Tranche = get_object_or_404(Tranche.objects.select_related("agreement"), pk=pk)
    held = {
        "amount": tranche.approved_amount or tranche.requested_amount,
        "first_due_date": tranche.first_due_date,
        "instalment_amounts": tranche.instalment_amounts,
    }
    return _panel(request, tranche.agreement, held)


@require_GET
@requires(*EVERYONE)
def facility_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan of the amount being asked for under a facility."""
    facility: Facility = get_object_or_404(Facility.objects.select_related("allotment__agreement"), pk=pk)
    return _panel(request, facility.allotment.agreement, {"amount": facility.amount})


def _panel(request: HttpRequest, agreement: Agreement, held: dict[str, Any]) -> HttpResponse:
    told = held | _told(request, str(agreement.limit.currency))
    value_date = told.get("value_date") or open_business_date()
    try:
        plan = sketch_tranche(
            agreement,
            amount=told["amount"],
            value_date=value_date,
            first_due_date=told.get("first_due_date"),
            amounts=told.get("instalment_amounts") or (),
            calendar=business_calendar(),
        )
    except CannotPlanTranche as refusal:
        return render(request, "lending/_plan.html", {"refusal": str(refusal)})
    shown = show_plan(plan, contract_mode=agreement.contract_mode, disbursed_on=value_date)
    return render(request, "lending/_plan.html", {"shown": shown, "agreement": agreement})


def _told(request: HttpRequest, currency: str) -> dict[str, Any]:
    """The fields of whichever step is open: their names carry the step's name before them."""
    typed = {name.rpartition("-")[2]: value for name, value in request.GET.items() if str(value).strip()}
    form = _Typed(typed)
    form.is_valid()
    told = {name: value for name, value in form.cleaned_data.items() if value}
    if "amount" in told:
        told["amount"] = Money(told["amount"], currency)
    return told
