"""Read institutions as they were on a date, and whom to write to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from partners.models import InstitutionStatus, Membership, User


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


def people_to_write_to(roles: Iterable[str], *, on: date) -> QuerySet[User]:
    """Active people who hold one of the roles on a date and have an e-mail address."""
    held = Membership.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=on), role__in=list(roles), from_date__lte=on
    )
    return User.objects.filter(is_active=True, pk__in=held.values("user_id")).exclude(email="").order_by("pk")
