"""Is a closed day still what it was said to be? Recompute it from the facts and compare."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.db import connection

from repayments.frames import Scope, Table
from repayments.models import DayRun
from repayments.selectors.measuring import FAILED, STANDING, measure_loans
from repayments.selectors.standings import FINISHED, read_snapshot

LOANS_AT_ONCE = 20_000


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
    """What a verification found; ``checksum`` is of the recomputed figures, loan by loan."""

    loan_count: int = 0
    carried_count: int = 0
    checksum: str = ""
    differences: list[Difference] = field(default_factory=list)


def verify_close(business_date: date) -> Verified:
    """Recompute a closed date as of it and known by it, and compare every figure of every loan.

    Raises ``CannotVerify``. Works through the book some thousand loans at a time.
    """
    run = DayRun.objects.filter(business_date=business_date, state__in=FINISHED).first()
    if run is None:
        raise CannotVerify(f"{business_date:%d %b %Y} has no finished close to verify.")
    outcome, digest = Verified(), hashlib.sha256()
    for first, last in _ranges(run):
        scope = Scope.of_range(first, last)
        measured = measure_loans(scope, as_of=business_date, last_booking_id=run.last_booking_id).rows
        outcome.loan_count += len(measured)
        outcome.carried_count += int((measured["state"] == FAILED).sum())
        outcome.differences += _compare(read_snapshot(business_date, scope), measured)
        digest.update(_bytes(measured))
    outcome.checksum = digest.hexdigest()
    return outcome


def _ranges(run: DayRun) -> list[tuple[int, int]]:
    """Ranges of ids with equally many loans: those the run knew, and any other that has a snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(id), max(id) FROM (
                SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS part FROM (
                    SELECT id FROM lending_loan WHERE booking_id <= %s AND disbursed_date <= %s
                    UNION SELECT loan_id FROM repayments_arrearssnapshot WHERE business_date = %s) AS either
            ) AS numbered GROUP BY part ORDER BY part
            """,
            [LOANS_AT_ONCE, run.last_booking_id, run.business_date, run.business_date],
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


def _bytes(rows: Table) -> bytes:
    """The figures as fixed-width big-endian columns, the same on every machine."""
    parts = []
    for name in STANDING.names or ():
        column = rows[name].astype(np.int64) if rows[name].dtype.kind == "M" else rows[name]
        parts.append(column.astype(">i8").tobytes())
    return b"".join(parts)
