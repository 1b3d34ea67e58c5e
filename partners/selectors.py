"""Read institutions as they were on a date."""

from __future__ import annotations

from datetime import date

from partners.models import InstitutionStatus


def status_on(institution_id: int, on: date) -> InstitutionStatus | None:
    """Kind, ownership and status in force on a date, as now known; None before the first."""
    return (
        InstitutionStatus.objects.filter(institution_id=institution_id, effective_date__lte=on)
        .order_by("-effective_date", "-booking_id", "-id")
        .first()
    )


def statuses_on(on: date) -> dict[int, InstitutionStatus]:
    """The status in force of every institution the reader may see."""
    rows = (
        InstitutionStatus.objects.filter(effective_date__lte=on)
        .order_by("institution_id", "-effective_date", "-booking_id", "-id")
        .distinct("institution_id")
    )
    return {row.institution_id: row for row in rows}
