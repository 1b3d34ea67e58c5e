"""Is a closed day still what it was said to be? Recompute it from the facts and compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.db import connection

from repayments.frames import Scope, Table
from repayments.models import DayRun
from repayments.selectors.fingerprints import VERSION, combined, fingerprint
from repayments.selectors.measuring import FAILED, STANDING, measure_loans
from repayments.selectors.standings import FINISHED, LOANS_AT_ONCE, read_snapshot


class CannotVerify(Exception):
    """The date has no finished close to compare with."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of a loan that the facts give differently from its snapshot (None: there is no such row)."""

    loan_id: int
    column: str
    snapshot: int | str | None
    recomputed: int | str | None

    def __str__(self) -> str:
        return f"Loan {self.loan_id}, {self.column}: snapshot {self.snapshot}, recomputed {self.recomputed}"


@dataclass(slots=True)
class Verified:
    """What a verification found. ``checksum`` is of the recomputed figures, ``stated`` what the close said.

    ``has_snapshots`` is False for a day whose snapshots were dropped: its checksum alone is compared.
    """

    business_date: date
    stated: str
    has_snapshots: bool
    loan_count: int = 0
    carried_count: int = 0
    checksum: str = ""
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_comparable(self) -> bool:
        """Did the close state a checksum, and over the columns of today?"""
        return self.stated.startswith(f"{VERSION}:")

    @property
    def holds(self) -> bool:
        """Is the day what it was said to be?"""
        return not self.differences and (not self.is_comparable or self.stated == self.checksum)


def verify_closes(*, first: date | None = None, last: date | None = None) -> Iterator[Verified]:
    """Verify every finished close from a date to a date, oldest first."""
    runs = DayRun.objects.filter(state__in=FINISHED)
    if first:
        runs = runs.filter(business_date__gte=first)
    if last:
        runs = runs.filter(business_date__lte=last)
    for business_date in runs.order_by("business_date").values_list("business_date", flat=True):
        yield verify_close(business_date)


def verify_close(business_date: date) -> Verified:
    """Recompute a closed date as of it and known by it, and compare every figure of every loan.

    Raises ``CannotVerify``. Works through the book some thousand loans at a time.
    """
    run = DayRun.objects.filter(business_date=business_date, state__in=FINISHED).first()
    if run is None:
        raise CannotVerify(f"{business_date:%d %b %Y} has no finished close to verify.")
    outcome = Verified(business_date, run.checksum, has_snapshots=run.kept != DayRun.Kept.DROPPED)
    parts = []
    for first, last in _ranges(run):
        scope = Scope.of_range(first, last)
        measured = measure_loans(scope, as_of=business_date, last_booking_id=run.last_booking_id).rows
        outcome.loan_count += len(measured)
        outcome.carried_count += int((measured["state"] == FAILED).sum())
        if outcome.has_snapshots:
            outcome.differences += _compare(read_snapshot(business_date, scope), measured)
        parts.append(fingerprint(measured))
    outcome.checksum = combined(parts, loans=outcome.loan_count)
    return outcome


def _ranges(run: DayRun) -> list[tuple[int, int]]:
    """Ranges of ids with equally many loans: those the run knew, and any other that has a snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(id), max(id) FROM (
                SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS part FROM (
                    SELECT id FROM lending_loan WHERE booking_id <= %s AND disbursed_date <= %s
                    UNION SELECT loan_id FROM repayments_arrearssnapshot WHERE business_date = %s
                    UNION SELECT loan_id FROM repayments_monthendsnapshot WHERE business_date = %s) AS either
            ) AS numbered GROUP BY part ORDER BY part
            """,
            [LOANS_AT_ONCE, run.last_booking_id, *[run.business_date] * 3],
        )
        return cursor.fetchall()


def _compare(snapshot: Table, measured: Table) -> list[Difference]:
    differences = [
        *(
            Difference(int(loan), "row", "there", None)
            for loan in np.setdiff1d(snapshot["loan_id"], measured["loan_id"])
        ),
        *(
            Difference(int(loan), "row", None, "there")
            for loan in np.setdiff1d(measured["loan_id"], snapshot["loan_id"])
        ),
    ]
    _both, left, right = np.intersect1d(
        snapshot["loan_id"], measured["loan_id"], assume_unique=True, return_indices=True
    )
    written, computed = snapshot[left], measured[right]
    for name in STANDING.names or ():
        # Not-a-date differs from itself; as whole numbers it does not.
        ours, theirs = written[name], computed[name]
        if ours.dtype.kind == "M":
            ours, theirs = ours.astype(np.int64), theirs.astype(np.int64)
        differences += [
            Difference(
                int(written["loan_id"][row]), name, _shown(written[name][row]), _shown(computed[name][row])
            )
            for row in np.flatnonzero(ours != theirs)
        ]
    return differences


def _shown(value: np.generic) -> int | str:
    return str(value) if value.dtype.kind == "M" else int(value)
