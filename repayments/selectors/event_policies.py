"""Which limits hold for an event on a loan: rescheduling, writing off. None: the books know no limit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeVar

from django.db.models import Q, QuerySet

from lending.models import Loan, LoanProfile
from repayments.models import ReschedulePolicy, WriteOffPolicy
from repayments.models.policies import DatedPolicy

Policy = TypeVar("Policy", ReschedulePolicy, WriteOffPolicy)


def reschedule_policy(
    loan: Loan, *, event: str, on: date, outstanding: Decimal, kind: str, last_booking_id: int
) -> ReschedulePolicy | None:
    """The limit for rescheduling or restructuring a loan with so much outstanding (taka) on a date."""
    band = Q(least__lte=outstanding) & (Q(below__isnull=True) | Q(below__gt=outstanding))
    found = ReschedulePolicy.objects.filter(band, event=event)
    return _chosen(found, loan, on=on, kind=kind, last_booking_id=last_booking_id)


def write_off_policy(loan: Loan, *, on: date, kind: str, last_booking_id: int) -> WriteOffPolicy | None:
    """What must be so before a loan is written off on a date."""
    return _chosen(WriteOffPolicy.objects.all(), loan, on=on, kind=kind, last_booking_id=last_booking_id)


def _chosen(
    policies: QuerySet[Policy], loan: Loan, *, on: date, kind: str, last_booking_id: int
) -> Policy | None:
    """The most specific scope, then the latest date."""
    profile = (
        LoanProfile.objects.filter(loan=loan, effective_date__lte=on)
        .order_by("-effective_date", "-booking_id")
        .first()
    )
    size = profile.size_tier if profile else ""
    rows = [
        policy
        for policy in policies.filter(
            Q(to_date__isnull=True) | Q(to_date__gte=on),
            tier=loan.tier,
            from_date__lte=on,
            applies_to__in=[kind, DatedPolicy.AppliesTo.ANY],
            booking_id__lte=last_booking_id,
        )
        if not policy.scope or size in policy.scope
    ]
    rows.sort(key=lambda policy: (bool(policy.scope), policy.applies_to != "any", policy.from_date))
    return rows[-1] if rows else None
