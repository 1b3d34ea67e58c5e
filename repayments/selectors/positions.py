"""What institutions state for their sub-loans, beside our own figures of the same day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection

from calc.classification import LoanClass
from daybook.formats import name_column
from daybook.selectors import latest_booking_id
from repayments.frames import Scope
from repayments.models import ReportedPosition
from repayments.selectors.measuring import measure_loans


@dataclass(frozen=True, slots=True)
class Stated:
    """One sub-loan: the institution's figures and ours as of the same date, as known now. Minor units."""

    loan_id: int
    number: str
    institution: str
    as_of: date
    stated_outstanding_minor: int
    our_outstanding_minor: int
    outstanding_difference_minor: int
    stated_overdue_minor: int
    our_overdue_minor: int
    overdue_difference_minor: int
    stated_class: int | None
    our_class: int
    upload_id: int

    @property
    def differs(self) -> bool:
        """Whether anything they state is not what our books say."""
        return bool(
            self.outstanding_difference_minor
            or self.overdue_difference_minor
            or (self.stated_class is not None and self.stated_class != self.our_class)
        )


def stated_dates() -> list[date]:
    """Dates for which positions are stated, newest first."""
    return list(ReportedPosition.objects.order_by("-as_of").values_list("as_of", flat=True).distinct())


def differing_count(*, at_most: int) -> tuple[int, bool]:
    """How many positions of the newest date differ, and whether they were compared.

    More than ``at_most`` positions are counted, not measured: the list compares them when it is opened.
    """
    newest = stated_dates()[:1]
    if not newest:
        return 0, True
    stated = ReportedPosition.objects.filter(as_of=newest[0]).values("loan_id").distinct().count()
    if stated > at_most:
        return stated, False
    return sum(row.differs for row in stated_positions(newest[0])), True


def stated_positions(as_of: date, *, institution_id: int | None = None) -> list[Stated]:
    """Positions stated for a date beside ours; of two for one loan the later booking counts.

    Two queries and one measurement, whatever their number.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT ON (p.loan_id) p.loan_id, l.number, {name_column("i")}, p.outstanding_minor,
                   coalesce(p.overdue_minor, 0), p.declared_class, r.upload_id
              FROM repayments_reportedposition p JOIN lending_loan l ON l.id = p.loan_id
              JOIN partners_institution i ON i.id = p.institution_id
              JOIN repayments_uploadrow r ON r.id = p.upload_row_id
             WHERE p.as_of = %(day)s AND (%(who)s::bigint IS NULL OR p.institution_id = %(who)s::bigint)
             ORDER BY p.loan_id, p.booking_id DESC, p.id DESC
            """,
            {"day": as_of, "who": institution_id},
        )
        rows = cursor.fetchall()
    measured = measure_loans(
        Scope.of_loans([row[0] for row in rows]), as_of=as_of, last_booking_id=latest_booking_id()
    ).rows
    ours = {int(row["loan_id"]): row for row in measured}
    found = []
    for loan_id, number, institution, outstanding, overdue, grade, upload_id in rows:
        own = ours.get(loan_id)
        our_outstanding = int(own["outstanding_minor"]) if own is not None else 0
        our_overdue = (
            int(own["overdue_principal_minor"]) + int(own["overdue_interest_minor"]) if own is not None else 0
        )
        found.append(
            Stated(
                loan_id=loan_id,
                number=number,
                institution=institution,
                as_of=as_of,
                stated_outstanding_minor=outstanding,
                our_outstanding_minor=our_outstanding,
                outstanding_difference_minor=outstanding - our_outstanding,
                stated_overdue_minor=overdue,
                our_overdue_minor=our_overdue,
                overdue_difference_minor=overdue - our_overdue,
                stated_class=grade,
                our_class=int(own["loan_class"]) if own is not None else int(LoanClass.UNCLASSIFIED),
                upload_id=upload_id,
            )
        )
    return found
