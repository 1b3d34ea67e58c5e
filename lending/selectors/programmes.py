"""What programmes demanded on a date."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from lending.models import Programme, ProgrammeTerms


def terms_on(programme: Programme, on: date) -> ProgrammeTerms | None:
    """The terms in force on a date, as now known; None before the first."""
    return (
        ProgrammeTerms.objects.filter(programme=programme, effective_date__lte=on)
        .order_by("-effective_date", "-booking_id")
        .first()
    )


def programmes_with_terms() -> QuerySet[Programme]:
    """Programmes, newest first, with their terms."""
    return (
        Programme.objects.select_related("fund_source")
        .prefetch_related("terms")
        .order_by("-from_date", "code")
    )
