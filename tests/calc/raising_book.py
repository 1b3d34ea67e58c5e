"""Loans written down row by row and made into the columns that raising takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from calc.allocation import Allocations, Order, Receipts, Settled, Source, allocate
from calc.allocation.rows import joined
from calc.calendar import dates
from calc.daycount import DayCount
from calc.interest import Rates
from calc.raising import Accruals, DatedDues, Facts, Fixed, empty_dues, settle_to_rest


@dataclass
class Book:
    """Loans written down row by row, made into columns for the engine."""

    dues: list[tuple[int, int, int, date, date, int]] = field(default_factory=list)
    """loan, instalment, component, late date, effective date, amount"""
    receipts: list[tuple[int, int, date, int]] = field(default_factory=list)
    """loan, receipt, value date, amount"""
    fixed: list[tuple[int, int, int, date, int]] = field(default_factory=list)
    """loan, instalment, component, value date, amount"""
    accruals: list[tuple[int, int, date, date, date]] = field(default_factory=list)
    """loan, instalment, from, to, late date"""
    rates: list[tuple[int, date, int]] = field(default_factory=list)
    penal: list[tuple[int, date, int]] = field(default_factory=list)
    day_count: DayCount = DayCount.ACT_360
    order: Order = Order.OLDEST_FIRST

    def facts(self, since: date | None = None, kept: DatedDues | None = None) -> Facts:
        loans = np.unique(np.array([row[0] for row in self.dues], dtype=np.int64))
        return Facts(
            loans=loans,
            since=np.full(loans.size, np.datetime64(since or "NaT", "D")),
            planned=_dated(self.dues),
            kept=kept or empty_dues(),
            accruals=Accruals(
                _ints(self.accruals, 0),
                _ints(self.accruals, 1).astype(np.int32),
                dates(row[2] for row in self.accruals),
                dates(row[3] for row in self.accruals),
                dates(row[4] for row in self.accruals),
            ),
            rates=_rates(self.rates),
            penal_rates=_rates(self.penal),
            fixed=Fixed(
                _ints(self.fixed, 0),
                _ints(self.fixed, 1).astype(np.int32),
                _ints(self.fixed, 2).astype(np.int8),
                dates(row[3] for row in self.fixed),
                _ints(self.fixed, 4),
            ),
            day_count=self.day_count,
        )

    def settle(self, raised: DatedDues, known: int | None = None) -> Allocations:
        """Dues settled by receipts (the first so many of them), and what was settled without money."""
        got = self.receipts if known is None else self.receipts[:known]
        dues = _dated(self.dues).and_(raised)
        fixed = self.facts().fixed
        rows = allocate(
            dues.dues,
            Receipts(_ints(got, 0), _ints(got, 1), dates(row[2] for row in got), _ints(got, 3)),
            self.order,
            reduced=Settled(fixed.loan, fixed.instalment, fixed.component, fixed.amount),
        )
        waived = Allocations(
            receipt=np.zeros(fixed.loan.size, dtype=np.int64),
            loan=fixed.loan,
            instalment=fixed.instalment,
            component=fixed.component,
            value_date=fixed.value_date,
            amount=fixed.amount,
            source=np.full(fixed.loan.size, Source.WAIVER, dtype=np.int8),
        )
        return joined(rows, waived)

    def raised(self, until: date, standing: DatedDues | None = None, known: int | None = None) -> DatedDues:
        """What should stand raised, starting from what stands."""
        start = standing or empty_dues()
        return settle_to_rest(
            self.facts(),
            start,
            self.settle(start, known),
            lambda rows: self.settle(rows, known),
            np.datetime64(until, "D"),
        )


def _ints(rows: list, at: int) -> np.ndarray:
    return np.array([row[at] for row in rows], dtype=np.int64)


def _rates(rows: list[tuple[int, date, int]]) -> Rates:
    rows = sorted(rows)
    return Rates(_ints(rows, 0), dates(row[1] for row in rows), _ints(rows, 2))


def _dated(rows: list[tuple[int, int, int, date, date, int]]) -> DatedDues:
    return DatedDues(
        _ints(rows, 0),
        _ints(rows, 1).astype(np.int32),
        _ints(rows, 2).astype(np.int8),
        dates(row[3] for row in rows),
        dates(row[4] for row in rows),
        _ints(rows, 5),
    )
