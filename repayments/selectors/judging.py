"""Judgements as columns: which class people hold, which a freeze holds, what was reported, what secures.

Each function answers for loans side by side, as of a date and as known by a booking. Row-level security
applies, so a partner reads what bears on its own loans.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from calc.classification import LoanClass
from calc.money import IntColumn
from daybook.columns import read_columns
from repayments.frames import SIZE_CODES, TIERS, Scope, Table

Classes = npt.NDArray[np.int8]

_GRADES = np.dtype([("loan_id", "i8"), ("grade", "i2")])
_REPORTED = np.dtype([("loan_id", "i8"), ("grade", "i2"), ("as_of", "M8[D]"), ("booking_id", "i8")])
_SECURITIES = np.dtype([("loan_id", "i8"), ("amount", "i8"), ("is_cash_like", "?")])


def floors(scope: Scope, loan_ids: IntColumn, *, as_of: date, last_booking_id: int) -> Classes | None:
    """The worst class at which each loan is held, UNCLASSIFIED where it is not; None where none is."""
    where, params = scope.where("f")
    rows = read_columns(
        f"""
        SELECT f.loan_id, max(f.at_least)::smallint FROM repayments_classfloor f
         WHERE {where} AND f.from_date <= %s AND f.booking_id <= %s
           AND NOT EXISTS (SELECT FROM repayments_classfloorrelease r
                            WHERE r.floor_id = f.id AND r.from_date <= %s AND r.booking_id <= %s)
         GROUP BY f.loan_id ORDER BY f.loan_id
        """,
        [*params, as_of, last_booking_id, as_of, last_booking_id],
        _GRADES,
    )
    if not len(rows):
        return None
    return _beside(loan_ids, rows["loan_id"], rows["grade"], LoanClass.UNCLASSIFIED).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Freeze:
    """One freeze in force: its id, source and scope in calc's codes; 0 or empty means all."""

    id: int
    reference: str
    from_date: date
    to_date: date
    tier: int
    kind: int
    institution_id: int
    programme_id: int
    district: int
    sizes: tuple[int, ...]

    @property
    def evening_before(self) -> date:
        """The day whose close says which class it holds."""
        return self.from_date - timedelta(days=1)

    def covers(self, loans: Table, profiles: Table, kinds: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
        """Which of the loans lie in its scope; ``profiles`` and ``kinds`` (of institution) beside them."""
        inside = np.ones(len(loans), dtype=bool)
        for wanted, column in (
            (self.tier, loans["tier"]),
            (self.kind, kinds),
            (self.institution_id, loans["institution_id"]),
            (self.programme_id, loans["programme_id"]),
            (self.district, profiles["district"]),
        ):
            if wanted:
                inside &= column == wanted
        if self.sizes:
            inside &= np.isin(profiles["size_tier"], self.sizes)
        return inside


def freezes_on(day: date, *, last_booking_id: int) -> list[Freeze]:
    """Freezes in force on a day as known then, none that was replaced or withdrawn by then."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT f.id, f.reference, f.from_date, f.to_date, f.tier, f.applies_to,
                   coalesce(f.institution_id, 0), coalesce(f.programme_id, 0),
                   coalesce(f.district_id::integer, 0), f.sizes
              FROM repayments_classfreeze f
             WHERE f.from_date <= %(day)s AND f.to_date >= %(day)s AND f.booking_id <= %(known)s
               AND NOT f.is_withdrawn
               AND NOT EXISTS (SELECT FROM repayments_classfreeze r
                                WHERE r.replaces_id = f.id AND r.booking_id <= %(known)s)
             ORDER BY f.id
            """,
            {"day": day, "known": last_booking_id},
        )
        return [_freeze(row) for row in cursor.fetchall()]


def _freeze(row: tuple[Any, ...]) -> Freeze:
    tier, applies_to, sizes = row[4], row[5], row[9]
    return Freeze(
        id=row[0],
        reference=row[1],
        from_date=row[2],
        to_date=row[3],
        tier=int(TIERS[tier]) if tier else 0,
        kind={"bank": 1, "finance_company": 2}.get(applies_to, 0),
        institution_id=row[6],
        programme_id=row[7],
        district=row[8],
        sizes=tuple(int(SIZE_CODES[size]) for size in sizes),
    )


@dataclass(frozen=True, slots=True)
class Reported:
    """The class in the latest return locked as of a date and known then; beside the loans.

    ``grade`` is UNCLASSIFIED where a loan is in none. ``has_return`` says whether a return covers the loan's
    tier and institution at all: before the first, the indicative class drives suspense.
    """

    grade: Classes
    has_return: npt.NDArray[np.bool_]


def reported(scope: Scope, loans: Table, *, as_of: date, last_booking_id: int) -> Reported:
    """Reported classes of loans (``repayments.frames.LOANS``)."""
    count = len(loans)
    grade = np.full(count, LoanClass.UNCLASSIFIED, dtype=np.int8)
    covered = np.zeros(count, dtype=bool)
    returns = governing_returns(as_of=as_of, last_booking_id=last_booking_id)
    for one in returns:  # from the oldest on, a handful: one for a tier and each institution apart
        mine = loans["tier"] == one.tier
        if one.institution_id:
            mine &= loans["institution_id"] == one.institution_id
        if not mine.any():
            continue
        where, params = scope.where("l")
        rows = read_columns(
            "SELECT l.loan_id, l.loan_class FROM repayments_returnline l"
            f" WHERE l.classification_return_id = %s AND {where} ORDER BY l.loan_id",
            [one.id, *params],
            _GRADES,
        )
        found = _beside(loans["loan_id"], rows["loan_id"], rows["grade"], LoanClass.UNCLASSIFIED)
        grade[mine], covered[mine] = found[mine], True
    return Reported(grade, covered)


@dataclass(frozen=True, slots=True)
class LockedReturn:
    """A locked return that governs: the latest of its tier and institution (0: of all)."""

    id: int
    tier: int
    institution_id: int
    as_of: date


def governing_returns(*, as_of: date, last_booking_id: int) -> list[LockedReturn]:
    """The latest locked return of each tier and institution as of a date and known then, oldest first.

    Of two that cover a loan the one of the later date counts, then the one locked later.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, tier, institution_id, as_of FROM (
                SELECT DISTINCT ON (r.tier, r.institution_id)
                       r.id, r.tier, coalesce(r.institution_id, 0) AS institution_id, r.as_of, r.booking_id
                  FROM repayments_classificationreturn r
                 WHERE r.state = 'locked' AND r.as_of <= %s AND r.booking_id <= %s
                 ORDER BY r.tier, r.institution_id, r.as_of DESC, r.booking_id DESC) AS latest
             ORDER BY as_of, booking_id
            """,
            [as_of, last_booking_id],
        )
        return [LockedReturn(row[0], int(TIERS[row[1]]), row[2], row[3]) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Secured:
    """Eligible security of loans in minor units, and where cash-like security waives the base's floor."""

    amount: IntColumn
    waives_floor: npt.NDArray[np.bool_]


def secured(scope: Scope, loan_ids: IntColumn, *, as_of: date, last_booking_id: int) -> Secured:
    """What secures each loan; an eligible part finer than a poisha is cut off, the careful side."""
    where, params = scope.where("s")
    rows = read_columns(
        f"""
        SELECT s.loan_id, sum(floor(s.value * 100 * s.eligible_percent / 100))::bigint,
               bool_or(s.eligible_percent > 0
                       AND s.category IN ('deposit', 'government_paper', 'guarantee'))
          FROM lending_security s
         WHERE {where} AND s.from_date <= %s AND (s.to_date IS NULL OR s.to_date >= %s)
           AND s.booking_id <= %s AND NOT s.is_withdrawn
           AND NOT EXISTS (SELECT FROM lending_security r
                            WHERE r.replaces_id = s.id AND r.booking_id <= %s)
         GROUP BY s.loan_id ORDER BY s.loan_id
        """,
        [*params, as_of, as_of, last_booking_id, last_booking_id],
        _SECURITIES,
    )
    return Secured(
        amount=_beside(loan_ids, rows["loan_id"], rows["amount"], 0),
        waives_floor=_beside(loan_ids, rows["loan_id"], rows["is_cash_like"].astype(np.int64), 0) > 0,
    )


def _beside(loan_ids: IntColumn, keys: IntColumn, values: npt.NDArray[Any], otherwise: int) -> IntColumn:
    """Values put beside the loans they belong to (both ascending), ``otherwise`` where there is none."""
    beside = np.full(len(loan_ids), otherwise, dtype=np.int64)
    if len(keys):
        place = np.minimum(np.searchsorted(keys, loan_ids), len(keys) - 1)
        found = keys[place] == loan_ids
        beside[found] = values[place[found]]
    return beside
