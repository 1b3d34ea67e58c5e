"""What raising needs of the wholesale tier: which loans, and their facts as columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from calc.allocation import Allocations, Source
from calc.daycount import DayCount
from calc.interest import Rates
from calc.money import Component, IntColumn, Rounding, RoundingMode
from calc.raising import Accruals, DatedDues, Facts, Fixed
from daybook.columns import read_columns
from lending.models import Agreement
from lending.selectors.plans import DUE_COLUMNS
from repayments.frames import Scope, Table, read_allocations
from repayments.selectors.penal import BEFORE_ALL, penal_rates

RAISES = "close.raise"
"""Purpose of the bookings under which a close raises; a due they carry is raised, any other planned."""
WITHOUT_MONEY = (Source.WAIVER, Source.WRITE_OFF, Source.TRANSFER)
_ALL = 2**62
"""No booking has so high an id: everything that is booked."""

DUES = np.dtype(
    [
        *DUE_COLUMNS,
        ("mirror_of_id", "i8"),
        ("booking_id", "i8"),
        ("is_raised", "?"),
        ("stands", "?"),
    ]
)
LOANS = np.dtype(
    [
        ("loan_id", "i8"),
        ("institution_id", "i8"),
        ("agreement_id", "i8"),
        ("schedule_id", "i8"),
        ("is_daily", "?"),
        ("is_touched", "?"),
    ]
)


@dataclass(frozen=True)
class Books:
    """Loans that may need raising, their dues (mirrors included) and live rows of settlement."""

    loans: Table
    dues: Table
    settled: Allocations

    def of(self, loan_ids: IntColumn) -> Books:
        """The same of fewer loans."""
        return Books(
            self.loans[np.isin(self.loans["loan_id"], loan_ids)],
            self.dues[np.isin(self.dues["loan_id"], loan_ids)],
            self.settled.take(np.isin(self.settled.loan, loan_ids)),
        )

    @property
    def standing(self) -> Table:
        """Raised dues that nothing takes back."""
        return self.dues[self.dues["is_raised"] & self.dues["stands"]]


def loans_to_raise(day: date, *, day_before: date | None, known_before: int) -> Table:
    """Wholesale loans (``LOANS``) that the close of a day must look at, by id.

    Overdue, of a daily-product agreement with an interest period ended since the close before, holding
    an advance, or touched: a due, a settlement, a version, a rate or a limit of theirs was booked since.
    """
    return read_columns(
        _CANDIDATES,
        {
            "day": day,
            "before": day_before or BEFORE_ALL,
            "known": known_before,
        },
        LOANS,
    )


def loans_named(loan_ids: IntColumn) -> Table:
    """The same columns of the loans named, each as if touched."""
    return read_columns(
        f"SELECT l.id, l.institution_id, l.agreement_id, {_CURRENT_VERSION},"
        " a.interest_basis = 'daily_product', true"
        "  FROM lending_loan l JOIN lending_agreement a ON a.id = l.agreement_id"
        " WHERE l.id = ANY (%(loans)s::bigint[]) ORDER BY l.id",
        {"loans": loan_ids.tolist(), "day": date.max},
        LOANS,
    )


def read_books(loans: Table, day: date, *, last_booking_id: int | None = None) -> Books:
    """The dues in force on a day and what settles them, as known by a booking (or all that is booked)."""
    ids = loans["loan_id"]
    known = last_booking_id if last_booking_id is not None else _ALL
    dues = read_columns(_DUES, {"loans": ids.tolist(), "day": day, "known": known}, DUES)
    rows = read_allocations(Scope.of_loans(ids), last_booking_id=last_booking_id)
    settled = Allocations(
        receipt=rows["receipt_id"],
        loan=rows["loan_id"],
        instalment=rows["instalment"],
        component=rows["component"].astype(np.int8),
        value_date=rows["value_date"],
        amount=rows["amount_minor"],
        source=rows["source"].astype(np.int8),
    )
    return Books(loans, dues, settled)


def dated(rows: Table) -> DatedDues:
    """Dues as calc.raising takes them."""
    return DatedDues(
        rows["loan_id"],
        rows["instalment"],
        rows["component"].astype(np.int8),
        rows["late_date"],
        rows["effective_date"],
        rows["amount_minor"],
    )


def facts_of(
    books: Books, day: date, *, since: date | None, last_booking_id: int | None = None
) -> list[Facts]:
    """The facts of these loans, one set for each day count and rounding among them.

    For a loan that is not touched everything up to ``since`` stays as it was raised.
    """
    ids = books.loans["loan_id"]
    penal = penal_rates(ids, books.loans["agreement_id"], day, last_booking_id=last_booking_id)
    daily = ids[books.loans["is_daily"]]
    known = last_booking_id if last_booking_id is not None else _ALL
    rates, accruals = _contract_rates(daily, day, known), _accruals(daily, day, known)
    found = []
    for (day_count, rounding), agreements in _conventions(books.loans["agreement_id"]).items():
        part = books.of(ids[np.isin(books.loans["agreement_id"], agreements)])
        mine = part.loans["loan_id"]
        touched = part.loans["is_touched"] | (since is None)
        kept = part.standing[~np.isin(part.standing["loan_id"], mine[touched])]
        fixed = part.settled.take(np.isin(part.settled.source, WITHOUT_MONEY))
        found.append(
            Facts(
                loans=mine,
                since=np.where(touched, np.datetime64("NaT", "D"), np.datetime64(since or day, "D")),
                planned=dated(part.dues[~part.dues["is_raised"]]),
                kept=dated(kept),
                accruals=accruals.take(np.isin(accruals.loan, mine)),
                rates=rates,
                penal_rates=penal,
                fixed=Fixed(fixed.loan, fixed.instalment, fixed.component, fixed.value_date, fixed.amount),
                day_count=day_count,
                rounding=rounding,
            )
        )
    return found


def _conventions(agreement_ids: IntColumn) -> dict[tuple[DayCount, Rounding], list[int]]:
    """Agreements by how they count days and round interest."""
    found: dict[tuple[DayCount, Rounding], list[int]] = {}
    terms = Agreement.objects.filter(pk__in=np.unique(agreement_ids).tolist()).order_by("pk")
    for agreement in terms.only("day_count", "interest_rounding", "interest_quantum_minor"):
        rounding = Rounding(RoundingMode(agreement.interest_rounding), agreement.interest_quantum_minor)
        found.setdefault((DayCount(agreement.day_count), rounding), []).append(agreement.pk)
    return found


def _contract_rates(loan_ids: IntColumn, day: date, known: int) -> Rates:
    """The contract's rate of each loan by date: of its versions, of two from one date the later."""
    rows = read_columns(
        _CONTRACT_RATES,
        [loan_ids.tolist(), day, known],
        np.dtype([("loan", "i8"), ("on", "M8[D]"), ("rate", "i8")]),
    )
    return Rates(rows["loan"], rows["on"], rows["rate"])


def _accruals(loan_ids: IntColumn, day: date, known: int) -> Accruals:
    """Interest periods of daily-product loans, as their versions in force leave them.

    Every instalment of principal ends one; a version may keep others, where only interest falls due.
    """
    rows = read_columns(
        _ACCRUALS,
        {"loans": loan_ids.tolist(), "day": day, "known": known},
        np.dtype(
            [
                ("loan", "i8"),
                ("instalment", "i4"),
                ("from_on", "M8[D]"),
                ("to_on", "M8[D]"),
                ("late", "M8[D]"),
            ]
        ),
    )
    return Accruals(rows["loan"], rows["instalment"], rows["from_on"], rows["to_on"], rows["late"])


_CURRENT_VERSION = """(SELECT s.id FROM lending_schedule s
         WHERE s.loan_id = l.id AND s.effective_date <= %(day)s ORDER BY s.version DESC LIMIT 1)"""
_CONTRACT_RATES = """
SELECT DISTINCT ON (s.loan_id, s.effective_date) s.loan_id, s.effective_date,
       (coalesce((s.terms ->> 'annual_rate')::numeric, l.annual_rate, 0) * 1000000)::bigint
  FROM lending_schedule s JOIN lending_loan l ON l.id = s.loan_id
 WHERE s.loan_id = ANY (%s::bigint[]) AND s.effective_date <= %s AND s.booking_id <= %s
   AND (s.version = 1 OR s.terms ->> 'annual_rate' IS NOT NULL)
 ORDER BY s.loan_id, s.effective_date, s.version DESC
"""
_IN_FORCE = """
   AND NOT EXISTS (SELECT FROM lending_schedule w
                    WHERE w.loan_id = s.loan_id AND w.version > s.version AND w.booking_id <= %(known)s
                      AND w.effective_date <= %(day)s AND w.effective_date <= a.until)
"""
_PERIODS = "jsonb_to_recordset(s.terms -> 'accruals') AS a (instalment integer, until date, late date)"
_ACCRUALS = f"""
WITH periods AS (
    SELECT s.loan_id, a.instalment, a.until, a.late
      FROM lending_schedule s CROSS JOIN LATERAL {_PERIODS}
     WHERE s.loan_id = ANY (%(loans)s::bigint[]) AND s.effective_date <= %(day)s
       AND s.booking_id <= %(known)s {_IN_FORCE}
    UNION
    SELECT d.loan_id, d.instalment,
           CASE g.interest_to WHEN 'adjusted' THEN d.late_date ELSE d.nominal_date END, d.late_date
      FROM lending_due d JOIN lending_loan l ON l.id = d.loan_id
      JOIN lending_agreement g ON g.id = l.agreement_id
     WHERE d.loan_id = ANY (%(loans)s::bigint[]) AND d.component = {Component.PRINCIPAL:d}
       AND d.mirror_of_id IS NULL AND d.effective_date <= %(day)s AND d.booking_id <= %(known)s
       AND NOT EXISTS (SELECT FROM lending_due m WHERE m.mirror_of_id = d.id
                        AND m.effective_date <= %(day)s AND m.booking_id <= %(known)s)
)
SELECT p.loan_id, p.instalment,
       lag(p.until, 1, l.disbursed_date) OVER (PARTITION BY p.loan_id ORDER BY p.until, p.instalment),
       p.until, p.late
  FROM periods p JOIN lending_loan l ON l.id = p.loan_id
 ORDER BY p.loan_id, p.until, p.instalment
"""
_DUES = f"""
SELECT d.id, d.loan_id, d.institution_id, d.schedule_id, d.instalment, d.component, d.nominal_date,
       d.late_date, d.effective_date, d.amount_minor, coalesce(d.mirror_of_id, 0), d.booking_id,
       b.purpose = '{RAISES}',
       d.mirror_of_id IS NULL AND NOT EXISTS (SELECT FROM lending_due m WHERE m.mirror_of_id = d.id
           AND m.effective_date <= %(day)s AND m.booking_id <= %(known)s)
  FROM lending_due d
  JOIN daybook_booking b ON b.id = coalesce(   -- not a join: it would read the dues of all loans
       (SELECT o.booking_id FROM lending_due o WHERE o.id = d.mirror_of_id), d.booking_id)
 WHERE d.loan_id = ANY (%(loans)s::bigint[]) AND d.effective_date <= %(day)s AND d.booking_id <= %(known)s
 ORDER BY d.id
"""
_CANDIDATES = f"""
WITH eligible AS MATERIALIZED (
    SELECT l.id, l.institution_id, l.agreement_id, a.interest_basis = 'daily_product' AS is_daily
      FROM lending_loan l JOIN lending_agreement a ON a.id = l.agreement_id
     WHERE l.tier = 'wholesale' AND l.disbursed_date <= %(day)s
       AND (a.penal_rate > 0 OR a.interest_basis = 'daily_product'
            OR EXISTS (SELECT FROM lending_penalrate p
                        WHERE p.agreement_id = a.id AND p.state = 'approved' AND p.annual_rate > 0))
), touched AS MATERIALIZED (
    SELECT e.id FROM eligible e
     WHERE EXISTS (SELECT FROM lending_due d WHERE d.loan_id = e.id AND d.booking_id > %(known)s)
        OR EXISTS (SELECT FROM repayments_allocation x WHERE x.loan_id = e.id
                      AND (x.booking_id > %(known)s
                           OR x.component = {Component.ADVANCE:d} AND x.value_date > %(before)s))
        OR EXISTS (SELECT FROM lending_schedule s WHERE s.loan_id = e.id AND s.booking_id > %(known)s)
        OR EXISTS (SELECT FROM lending_penalrate p
                    WHERE p.agreement_id = e.agreement_id AND p.booking_id > %(known)s)
        OR EXISTS (SELECT FROM repayments_chargepolicy c
                    WHERE c.kind = 'penal_cap' AND c.tier = 'wholesale' AND c.booking_id > %(known)s)
    UNION
    SELECT x.loan_id FROM repayments_allocation x JOIN eligible e ON e.id = x.loan_id
     WHERE x.component = {Component.ADVANCE:d} GROUP BY x.loan_id HAVING sum(x.amount_minor) > 0
), overdue AS (
    SELECT DISTINCT d.loan_id AS id
      FROM (SELECT d.loan_id, d.instalment, sum(d.amount_minor) AS amount
              FROM lending_due d JOIN eligible e ON e.id = d.loan_id
             WHERE d.component IN ({Component.INTEREST:d}, {Component.PRINCIPAL:d})
               AND d.late_date < %(day)s AND d.effective_date <= %(day)s
             GROUP BY d.loan_id, d.instalment) d
      LEFT JOIN (SELECT x.loan_id, x.instalment, sum(x.amount_minor) AS amount
                   FROM repayments_allocation x JOIN eligible e ON e.id = x.loan_id
                  WHERE x.component IN ({Component.INTEREST:d}, {Component.PRINCIPAL:d})
                    AND x.value_date < %(day)s
                  GROUP BY x.loan_id, x.instalment) p USING (loan_id, instalment)
     WHERE d.amount > coalesce(p.amount, 0)
), fallen AS (
    SELECT s.loan_id AS id FROM lending_schedule s JOIN eligible e ON e.id = s.loan_id AND e.is_daily
      CROSS JOIN LATERAL {_PERIODS}
     WHERE s.effective_date <= %(day)s AND a.until > %(before)s AND a.until <= %(day)s
    UNION
    SELECT d.loan_id FROM lending_due d JOIN eligible e ON e.id = d.loan_id AND e.is_daily
     WHERE d.component = {Component.PRINCIPAL:d} AND d.nominal_date <= %(day)s AND d.late_date > %(before)s
)
SELECT l.id, l.institution_id, l.agreement_id, {_CURRENT_VERSION}, l.is_daily,
       EXISTS (SELECT FROM touched t WHERE t.id = l.id)
  FROM eligible l
 WHERE l.id IN (SELECT id FROM touched UNION SELECT id FROM overdue UNION SELECT id FROM fallen)
 ORDER BY l.id
"""
