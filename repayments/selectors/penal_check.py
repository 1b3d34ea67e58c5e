"""Sub-loans: what their bank may charge for lateness at most, beside what it reported. None of it is ours.

What a bank charges is booked only as the bank reports it. Our figure is a check: simple interest on overdue
principal and interest at the limit in force, actual days over 360 (the longest reading of the formula in
domain.md 5.3), from what fell due and what was settled. Where the bank took more, it should be asked why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from calc.allocation import Allocations
from calc.calendar import to_date
from calc.daycount import DayCount
from calc.interest import Rates, Segments
from calc.money import Component, IntColumn, sum_by
from calc.raising import (
    Accruals,
    DatedDues,
    Facts,
    Fixed,
    empty_dues,
    overdue_items,
    penal_total,
    penal_working,
    rates_by_item,
)
from daybook.columns import read_columns
from lending.models import Loan
from repayments.frames import Scope, read_allocations
from repayments.selectors.penal import cap_terms

BASIS = DayCount.ACT_360
_DUES = np.dtype(
    [
        ("loan", "i8"),
        ("instalment", "i4"),
        ("component", "i2"),
        ("late", "M8[D]"),
        ("effective", "M8[D]"),
        ("amount", "i8"),
    ]
)


@dataclass(frozen=True)
class Check:
    """Loans side by side (ascending): our figure, what the bank reported, late instalments; minor units."""

    loan: IntColumn
    ours: IntColumn
    reported: IntColumn
    late_instalments: IntColumn


def check_penal(scope: Scope, *, institution_id: int, as_of: date, last_booking_id: int) -> Check:
    """Our figure and the bank's for sub-loans of one institution, those alone where either has one."""
    items, total, _ = _reckoned(scope, institution_id, as_of, last_booking_id)
    where, params = scope.where("r")
    stated = read_columns(
        f"""
        SELECT x.loan_id, sum(x.amount) FROM (
            SELECT r.loan_id, r.reported_charge_minor AS amount FROM repayments_receipt r
             WHERE {where} AND r.tier = 'subloan' AND r.value_date <= %s AND r.booking_id <= %s
               AND r.mirror_of_id IS NULL AND r.reported_charge_minor > 0
               AND NOT EXISTS (SELECT FROM repayments_receipt m
                                WHERE m.mirror_of_id = r.id AND m.booking_id <= %s)) x
         GROUP BY x.loan_id
        """,
        [*params, as_of, last_booking_id, last_booking_id],
        np.dtype([("loan", "i8"), ("amount", "i8")]),
    )
    some = total > 0
    loans = np.unique(np.concatenate([items.loan[some], stated["loan"]]))
    place = np.searchsorted(loans, items.loan[some])
    reported = np.zeros(loans.size, dtype=np.int64)
    reported[np.searchsorted(loans, stated["loan"])] = stated["amount"]
    return Check(
        loan=loans,
        ours=sum_by(place, total[some], loans.size),
        reported=reported,
        late_instalments=np.bincount(place, minlength=loans.size).astype(np.int64),
    )


def check_rows(institution_id: int, *, as_of: date, last_booking_id: int) -> list[dict[str, Any]]:
    """The list of an institution's sub-loans with a figure on either side, the greatest excess first."""
    scope = Scope(institution_id=institution_id, tier="subloan")
    found = check_penal(scope, institution_id=institution_id, as_of=as_of, last_booking_id=last_booking_id)
    names = dict(Loan.objects.filter(pk__in=found.loan.tolist()).values_list("pk", "number"))
    rows = [
        {
            "loan_id": loan,
            "number": names[loan],
            "late_instalments": late,
            "ours_minor": ours,
            "reported_minor": reported,
            "difference_minor": reported - ours,
        }
        for loan, ours, reported, late in zip(
            found.loan.tolist(),
            found.ours.tolist(),
            found.reported.tolist(),
            found.late_instalments.tolist(),
            strict=True,
        )
    ]
    return sorted(rows, key=lambda row: (-int(row["difference_minor"]), str(row["number"])))


@dataclass(frozen=True)
class LateInstalment:
    """One late instalment of a sub-loan and the working of our figure; `segments.row` is 0 throughout."""

    instalment: int
    late_date: date
    ours_minor: int
    segments: Segments


def late_instalments(
    loan_id: int, *, institution_id: int, as_of: date, last_booking_id: int
) -> list[LateInstalment]:
    """Our figure for one sub-loan, instalment by instalment, with its working."""
    items, total, parts = _reckoned(Scope.of_loans([loan_id]), institution_id, as_of, last_booking_id)
    return [
        LateInstalment(
            instalment=int(items.instalment[at]),
            late_date=to_date(items.late_date[at]),
            ours_minor=int(total[at]),
            segments=_rows_of(parts, at),
        )
        for at in np.flatnonzero(total > 0).tolist()
    ]


def _reckoned(scope: Scope, institution_id: int, as_of: date, last_booking_id: int) -> Any:
    """Items, what each comes to at the limit, and the stretches."""
    where, params = scope.where("d")
    rows = read_columns(
        f"SELECT d.loan_id, d.instalment, d.component, d.late_date, d.effective_date, d.amount_minor"
        f"  FROM lending_due d WHERE {where} AND d.institution_id = %s"
        f" AND d.component IN ({Component.INTEREST:d}, {Component.PRINCIPAL:d})"
        "   AND d.late_date < %s AND d.effective_date <= %s AND d.booking_id <= %s",
        [*params, institution_id, as_of, as_of, last_booking_id],
        _DUES,
    )
    got = read_allocations(scope, as_of=as_of, last_booking_id=last_booking_id)
    settled = Allocations(
        receipt=got["receipt_id"],
        loan=got["loan_id"],
        instalment=got["instalment"],
        component=got["component"].astype(np.int8),
        value_date=got["value_date"],
        amount=got["amount_minor"],
        source=got["source"].astype(np.int8),
    )
    planned = DatedDues(
        rows["loan"],
        rows["instalment"],
        rows["component"].astype(np.int8),
        rows["late"],
        rows["effective"],
        rows["amount"],
    )
    loans = np.unique(rows["loan"])
    terms = cap_terms(institution_id, as_of, last_booking_id=last_booking_id)
    rates = Rates(
        np.repeat(loans, len(terms)),
        np.tile(np.array([term.from_date for term in terms], dtype="datetime64[D]"), loans.size),
        np.tile(np.array([term.rate for term in terms], dtype=np.int64), loans.size),
    )
    none = np.zeros(0, dtype=np.int64)
    days = none.astype("datetime64[D]")
    facts = Facts(
        loans=loans,
        since=np.full(loans.size, np.datetime64("NaT", "D")),
        planned=planned,
        kept=empty_dues(),
        accruals=Accruals(none, none.astype(np.int32), days, days, days),
        rates=Rates(none, days, none),
        penal_rates=rates,
        fixed=Fixed(none, none.astype(np.int32), none.astype(np.int8), days, none),
        day_count=BASIS,
    )
    items, overdue = overdue_items(facts, empty_dues(), settled, np.datetime64(as_of, "D"))
    by_item = rates_by_item(rates, items)
    total = penal_total(items, overdue, by_item, BASIS)
    return items, total, penal_working(items, overdue, by_item, BASIS)


def _rows_of(parts: Segments, row: int) -> Segments:
    mine = parts.row == row
    return Segments(
        row=np.zeros(int(mine.sum()), dtype=np.int64),
        from_on=parts.from_on[mine],
        to_on=parts.to_on[mine],
        days=parts.days[mine],
        balance=parts.balance[mine],
        rate=parts.rate[mine],
        numerator=parts.numerator[mine],
        denominator=parts.denominator[mine],
    )
