"""What may be outstanding with an institution, and what is."""

from __future__ import annotations

from datetime import date

from djmoney.money import Money

from lending.models import Standing
from partners.models import ExposureLimit


def exposure_limit_on(institution_id: int, on: date) -> Money | None:
    """The institution's limit in force on a date; None where none was set."""
    row = (
        ExposureLimit.objects.filter(institution_id=institution_id, effective_date__lte=on)
        .order_by("-effective_date", "-booking_id", "-id")
        .first()
    )
    return row.amount if row is not None else None


def standing_of(institution_id: int, *, currency: str = "BDT") -> Standing | None:
    """Where the institution as a whole stands; None before anything was drawn."""
    return Standing.objects.filter(
        institution_id=institution_id, agreement__isnull=True, tranche__isnull=True, currency=currency
    ).first()
