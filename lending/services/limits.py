"""What is still free: of an allotment, of a facility, of an institution's exposure limit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from djmoney.money import Money

from daybook.formats import tk
from lending.models import Agreement, Allotment, Facility, FacilityCancellation, Tranche
from lending.selectors.exposure import exposure_limit_on
from lending.services.standing import lock_standing
from partners.services.refusals import Refused


def allotment_room(allotment: Allotment) -> Money:
    """What of an allotment no facility has taken, or has given back."""
    taken = allotment.facilities.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    given_back = _cancelled(FacilityCancellation.objects.filter(facility__allotment=allotment))
    return Money(allotment.amount.amount - taken + given_back, allotment.amount.currency)


def facility_room(facility: Facility) -> Money:
    """What of a facility no live tranche has taken yet, and nobody has given up."""
    taken = facility.tranches.filter(~Q(state=Tranche.State.CANCELLED)).aggregate(
        total=Sum(Coalesce("approved_amount", "requested_amount"))
    )["total"] or Decimal(0)
    given_up = _cancelled(FacilityCancellation.objects.filter(facility=facility))
    return Money(facility.amount.amount - taken - given_up, facility.amount.currency)


def _cancelled(cancellations: QuerySet[FacilityCancellation]) -> Decimal:
    """What was given up, as a second person approved it."""
    total: Decimal | None = cancellations.filter(state=FacilityCancellation.State.APPROVED).aggregate(
        total=Sum("amount")
    )["total"]
    return total or Decimal(0)


def refuse_over_exposure(refusal: type[Refused], agreement: Agreement, amount: Money, on: date) -> None:
    """Hold the institution's standing and refuse what would take its exposure over its limit."""
    currency = str(amount.currency)
    standing = lock_standing(
        institution_id=agreement.institution_id, agreement_id=agreement.pk, as_of=on, currency=currency
    )
    limit = exposure_limit_on(agreement.institution_id, on)
    if limit is None or str(limit.currency) != currency:
        return
    outstanding = Money(Decimal(standing.institution.exposure_minor) / 100, currency)
    if outstanding + amount > limit:
        raise refusal(
            _("The institution owes %(outstanding)s; %(amount)s more would pass its limit of %(limit)s.")
            % {"outstanding": tk(outstanding), "amount": tk(amount), "limit": tk(limit)}
        )
