"""The audit trail of one loan: what was done to it, and to the bookings that wrote its facts."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from daybook.models import AuditEntry
from lending.models import Due, Loan
from repayments.models import Receipt


def trail_of_loan(loan: Loan) -> QuerySet[AuditEntry]:
    """Newest first. A booking of many loans counts for each of them.

    The nightly raising of dues is left out: its nights stand in a table of their own on the loan's page.
    """
    bookings = {loan.booking_id}
    bookings |= set(Due.objects.filter(loan=loan).values_list("booking_id", flat=True))
    bookings |= set(Receipt.objects.filter(loan=loan).values_list("booking_id", flat=True))
    on_booking = Q(booking_id__in=bookings) | Q(
        subject_type="daybook.booking", subject_id__in=[str(pk) for pk in bookings]
    )
    on_loan = Q(subject_type="lending.loan", subject_id=str(loan.pk))
    return AuditEntry.objects.filter(on_loan | on_booking).exclude(action="day.raise").order_by("-id")
