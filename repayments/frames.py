"""Facts as columns: what a scope of loans owed, paid and was, as of a date and as known by a booking.

As of D: rows effective (or of value) on or before D. Known by K: rows whose booking is at most K.
``None`` for either means no limit. Money is in minor units of the loan's currency.

Nothing here computes; one query reads a table into NumPy (``daybook.columns``), whoever asks.
Row-level security applies, so a partner reads only its own institution's facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from calc.allocation import Settled
from calc.classification import SizeTier, Tier
from calc.schedule import Dues
from daybook.columns import read_arrays, read_columns

Table = npt.NDArray[np.void]

TIERS = {"wholesale": Tier.WHOLESALE, "subloan": Tier.SUBLOAN}
SIZE_CODES = {
    "": SizeTier.UNKNOWN,
    "informal": SizeTier.INFORMAL,
    "cottage": SizeTier.COTTAGE,
    "micro": SizeTier.MICRO,
    "small": SizeTier.SMALL,
    "medium": SizeTier.MEDIUM,
}
GENDER_CODES = {"": 0, "female": 1, "male": 2, "third": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which loans: named ones, a range of ids, an institution's, a tier's, a currency's; all that are given.

    Nothing given means every loan the reader may see.
    """

    loan_ids: Sequence[int] | npt.NDArray[np.int64] | None = None
    first_id: int | None = None
    last_id: int | None = None
    institution_id: int | None = None
    tier: str = ""
    currency: str = ""

    @classmethod
    def of_loans(cls, loan_ids: Sequence[int] | npt.NDArray[np.int64]) -> Self:
        """The loans named."""
        return cls(loan_ids=loan_ids)

    @classmethod
    def of_range(cls, first_id: int, last_id: int) -> Self:
        """Every loan from the first id to the last, both included: a slice of the close."""
        return cls(first_id=first_id, last_id=last_id)

    @property
    def is_range(self) -> bool:
        """Is it bounded on both sides, as a slice is?"""
        return self.first_id is not None and self.last_id is not None

    def where(self, alias: str, *, key: str = "loan_id") -> tuple[str, list[Any]]:
        """The condition on a table with ``institution_id`` and a loan id in ``key``, and its parameters."""
        parts: list[str] = []
        params: list[Any] = []
        if self.loan_ids is not None:
            parts.append(f"{alias}.{key} = ANY (%s::bigint[])")
            params.append([int(loan_id) for loan_id in self.loan_ids])
        if self.first_id is not None:
            parts.append(f"{alias}.{key} >= %s")
            params.append(self.first_id)
        if self.last_id is not None:
            parts.append(f"{alias}.{key} <= %s")
            params.append(self.last_id)
        if self.institution_id is not None:
            parts.append(f"{alias}.institution_id = %s")
            params.append(self.institution_id)
        of_loan: list[str] = []
        for column, value in (("tier", self.tier), ("currency", self.currency)):
            if value:
                of_loan.append(f"{column} = %s")
                params.append(value)
        if of_loan:
            parts.append(f"{alias}.{key} IN (SELECT id FROM lending_loan WHERE {' AND '.join(of_loan)})")
        return " AND ".join(parts) or "true", params


def pack_currency(code: str) -> int:
    """A three-letter currency as one number, which fits a fixed-width column: BDT is 0x424454."""
    return int.from_bytes(code.encode("ascii"), "big")


def unpack_currency(number: int) -> str:
    """The currency back from its number."""
    return int(number).to_bytes(3, "big").decode("ascii")


PACKED_CURRENCY = (
    "(ascii({0}.currency) << 16) | (ascii(substr({0}.currency, 2)) << 8) | ascii(substr({0}.currency, 3))"
)
CODED_TIER = "CASE {0}.tier WHEN 'wholesale' THEN 1 ELSE 2 END"

LOANS = np.dtype(
    [
        ("loan_id", "i8"),
        ("institution_id", "i8"),
        ("agreement_id", "i8"),
        ("programme_id", "i8"),
        ("cluster_id", "i8"),
        ("tier", "i2"),
        ("currency", "i4"),
        ("principal_minor", "i8"),
        ("disbursed_date", "M8[D]"),
        ("booking_id", "i8"),
    ]
)


def read_loans(scope: Scope, *, as_of: date | None = None, last_booking_id: int | None = None) -> Table:
    """Loans disbursed by then, one row each (``LOANS``), by id.

    ``tier`` is calc's code, ``currency`` packed, ``cluster_id`` the cluster of a wholesale loan's
    application (0: none; a sub-loan's is in its profile).
    """
    where, params = scope.where("l", key="id")
    limits, more = _limits("l", "disbursed_date", as_of, last_booking_id)
    rows = read_columns(
        f"""
        SELECT l.id, l.institution_id, l.agreement_id, l.programme_id, coalesce(app.cluster_id, 0),
               {CODED_TIER.format("l")}, {PACKED_CURRENCY.format("l")},
               l.principal_minor, l.disbursed_date, l.booking_id
          FROM lending_loan l
          LEFT JOIN lending_tranche t ON t.id = l.tranche_id
          LEFT JOIN lending_facility f ON f.id = t.facility_id
          LEFT JOIN lending_application app ON app.id = f.application_id
         WHERE {where} AND {limits} ORDER BY l.id
        """,
        params + more,
        LOANS,
    )
    return rows


DUES = np.dtype(
    [("loan", "i8"), ("instalment", "i4"), ("component", "i2"), ("late_date", "M8[D]"), ("amount", "i8")]
)


def read_dues(scope: Scope, *, as_of: date | None = None, last_booking_id: int | None = None) -> Dues:
    """The plan: every due effective by then, mirrors included (they add up)."""
    where, params = scope.where("d")
    limits, more = _limits("d", "effective_date", as_of, last_booking_id)
    rows = _read_long(
        scope,
        f"SELECT d.loan_id, d.instalment, d.component, d.late_date, d.amount_minor"
        f"  FROM lending_due d WHERE {where} AND {limits}",
        params + more,
        DUES,
        order="d.loan_id, d.late_date",
    )
    return Dues(
        loan=rows["loan"],
        instalment=rows["instalment"],
        component=rows["component"].astype(np.int8),
        late_date=rows["late_date"],
        amount=rows["amount"],
    )


SETTLED = np.dtype([("loan", "i8"), ("instalment", "i4"), ("component", "i2"), ("amount", "i8")])


def read_settled(scope: Scope, *, as_of: date | None = None, last_booking_id: int | None = None) -> Settled:
    """What was settled by then, and what stood as an advance; mirrors included."""
    where, params = scope.where("a")
    limits, more = _limits("a", "value_date", as_of, last_booking_id)
    rows = _read_long(
        scope,
        f"SELECT a.loan_id, a.instalment, a.component, a.amount_minor"
        f"  FROM repayments_allocation a WHERE {where} AND {limits}",
        params + more,
        SETTLED,
        order="a.loan_id, a.value_date",
    )
    return Settled(
        loan=rows["loan"],
        instalment=rows["instalment"],
        component=rows["component"].astype(np.int8),
        amount=rows["amount"],
    )


def _read_long(
    scope: Scope, query: str, params: list[Any], dtype: np.dtype[Any], *, order: str
) -> Mapping[str, Any]:
    """Columns of a long table: gathered by the server where the scope is a range of loans, and so bounded.

    ``order`` is the order of the index that serves it: no sort for the server, and nearly none for calc.
    It also keeps a slice to its one core, where the server would share it out among all.
    """
    if scope.is_range:
        return read_arrays(f"{query} ORDER BY {order}", params, dtype)
    rows = read_columns(query, params, dtype)
    return {name: rows[name] for name in dtype.names or ()}


ALLOCATIONS = np.dtype(
    [
        ("id", "i8"),
        ("loan_id", "i8"),
        ("receipt_id", "i8"),
        ("source", "i2"),
        ("instalment", "i4"),
        ("component", "i2"),
        ("value_date", "M8[D]"),
        ("amount_minor", "i8"),
        ("booking_id", "i8"),
    ]
)


def read_allocations(
    scope: Scope, *, as_of: date | None = None, last_booking_id: int | None = None, live: bool = True
) -> Table:
    """Rows of settlement (``ALLOCATIONS``; receipt 0: none) by loan, value date and id.

    ``live`` leaves out mirrors and what a mirror known by then took back.
    """
    return _rows_with_mirrors(
        "repayments_allocation",
        "r.id, r.loan_id, coalesce(r.receipt_id, 0), r.source, r.instalment, r.component, r.value_date,"
        " r.amount_minor, r.booking_id",
        ALLOCATIONS,
        scope,
        as_of,
        last_booking_id,
        live=live,
    )


RECEIPTS = np.dtype(
    [
        ("id", "i8"),
        ("loan_id", "i8"),
        ("institution_id", "i8"),
        ("value_date", "M8[D]"),
        ("amount_minor", "i8"),
        ("booking_id", "i8"),
    ]
)


def read_receipts(
    scope: Scope, *, as_of: date | None = None, last_booking_id: int | None = None, live: bool = True
) -> Table:
    """Receipts (``RECEIPTS``) by loan, value date and id; ``live`` leaves out mirrors and the mirrored."""
    return _rows_with_mirrors(
        "repayments_receipt",
        "r.id, r.loan_id, r.institution_id, r.value_date, r.amount_minor, r.booking_id",
        RECEIPTS,
        scope,
        as_of,
        last_booking_id,
        live=live,
    )


PROFILES = np.dtype(
    [
        ("loan_id", "i8"),
        ("effective_date", "M8[D]"),
        ("booking_id", "i8"),
        ("id", "i8"),
        ("cluster_id", "i8"),
        ("district", "i2"),
        ("size_tier", "i2"),
        ("gender", "i2"),
        ("is_woman_owned", "?"),
    ]
)


def read_profiles(scope: Scope, *, as_of: date | None = None, last_booking_id: int | None = None) -> Table:
    """The profile that counted for each loan then (``PROFILES``), at most one a loan, by loan.

    The latest effective date, then the latest booking. Codes: ``SIZE_CODES``, ``GENDER_CODES``; the
    district as a number, 0 where there is none.
    """
    where, params = scope.where("p")
    limits, more = _limits("p", "effective_date", as_of, last_booking_id)
    rows = read_columns(
        f"""
        SELECT p.loan_id, p.effective_date, p.booking_id, p.id, coalesce(p.cluster_id, 0),
               coalesce(p.district_id::integer, 0), {_coded("p.size_tier", SIZE_CODES)},
               {_coded("p.gender", GENDER_CODES)}, p.is_woman_owned
          FROM lending_loanprofile p WHERE {where} AND {limits}
        """,
        params + more,
        PROFILES,
    )
    return _latest(rows, "effective_date", "booking_id", "id")


VERSIONS = np.dtype(
    [
        ("loan_id", "i8"),
        ("version", "i4"),
        ("effective_date", "M8[D]"),
        ("maturity_date", "M8[D]"),
        ("first_due_date", "M8[D]"),
        ("instalment_count", "i4"),
        ("added_minor", "i8"),
        ("is_rescheduling", "?"),
    ]
)


def read_versions(scope: Scope, *, as_of: date | None = None, last_booking_id: int | None = None) -> Table:
    """Every plan version (``VERSIONS``) effective by then, by loan, effective date and version.

    ``added_minor`` is money lent on top by a further tranche; a rescheduling or a restructuring is marked.
    """
    where, params = scope.where("s")
    limits, more = _limits("s", "effective_date", as_of, last_booking_id)
    return read_columns(
        f"SELECT s.loan_id, s.version, s.effective_date, s.maturity_date, s.first_due_date,"
        f" s.instalment_count, s.added_minor, s.cause IN ('reschedule', 'restructure')"
        f" FROM lending_schedule s WHERE {where} AND {limits}"
        " ORDER BY s.loan_id, s.effective_date, s.version",
        params + more,
        VERSIONS,
    )


def in_force(versions: Table) -> Table:
    """The last of each loan's versions: the one in force, at most one a loan, by loan."""
    return _latest(versions, "effective_date", "version")


def _limits(
    alias: str, date_column: str, as_of: date | None, last_booking_id: int | None
) -> tuple[str, list[Any]]:
    parts: list[str] = []
    params: list[Any] = []
    if as_of is not None:
        parts.append(f"{alias}.{date_column} <= %s")
        params.append(as_of)
    if last_booking_id is not None:
        parts.append(f"{alias}.booking_id <= %s")
        params.append(last_booking_id)
    return " AND ".join(parts) or "true", params


def _rows_with_mirrors(
    table: str,
    columns: str,
    dtype: np.dtype[Any],
    scope: Scope,
    as_of: date | None,
    last_booking_id: int | None,
    *,
    live: bool,
) -> Table:
    where, params = scope.where("r")
    limits, more = _limits("r", "value_date", as_of, last_booking_id)
    alive = "true"
    if live:
        known, known_params = _limits("m", "value_date", None, last_booking_id)
        alive = (
            f"r.mirror_of_id IS NULL AND NOT EXISTS"
            f" (SELECT FROM {table} m WHERE m.mirror_of_id = r.id AND {known})"
        )
        more += known_params
    return read_columns(
        f"SELECT {columns} FROM {table} r WHERE {where} AND {limits} AND {alive}"
        " ORDER BY r.loan_id, r.value_date, r.id",
        params + more,
        dtype,
    )


def _coded(column: str, codes: dict[str, Any]) -> str:
    """SQL that turns one of our own choice values into its number; nothing of a user's is in it."""
    cases = " ".join(f"WHEN '{value}' THEN {int(code)}" for value, code in codes.items() if value)
    return f"CASE {column} {cases} ELSE 0 END"


def _latest(rows: Table, *order: str) -> Table:
    """The last row of each loan in the given order, by loan."""
    if not len(rows):
        return rows
    rows = rows[np.lexsort([rows[name] for name in reversed(("loan_id", *order))])]
    last = np.append(rows["loan_id"][1:] != rows["loan_id"][:-1], True)
    return rows[last]
