"""What a return says: its lines added up by class, and by institution and class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from repayments.models import ClassificationReturn

_SUMS = (
    "outstanding_minor",
    "interest_due_minor",
    "overdue_minor",
    "suspense_minor",
    "security_minor",
    "base_minor",
    "provision_minor",
)


@dataclass(frozen=True, slots=True)
class ClassTotal:
    """One class (and institution, 0: all) of a return in one currency. Money in minor units."""

    currency: str
    institution_id: int
    institution: str
    loan_class: int
    loan_count: int
    outstanding_minor: int
    interest_due_minor: int
    overdue_minor: int
    suspense_minor: int
    security_minor: int
    base_minor: int
    provision_minor: int


def class_totals(made: ClassificationReturn, *, by_institution: bool = False) -> list[ClassTotal]:
    """Totals of a return by class, best first; the currencies are never added."""
    who = "l.institution_id, i.name" if by_institution else "0, ''"
    sums = ", ".join(f"sum(l.{name})::bigint" for name in _SUMS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.currency, {who}, l.loan_class, count(*), {sums}
              FROM repayments_returnline l JOIN partners_institution i ON i.id = l.institution_id
             WHERE l.classification_return_id = %s
             GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4
            """,
            [made.pk],
        )
        return [ClassTotal(*row) for row in cursor.fetchall()]


def sum_totals(totals: list[ClassTotal]) -> dict[str, Any]:
    """The foot of a table of totals of one currency."""
    names = ("loan_count", *_SUMS)
    return {name: sum(getattr(total, name) for total in totals) for name in names}
