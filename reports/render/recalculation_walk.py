"""What the auditor's formulas come to, walked once in exact numbers.

A spreadsheet program that does not recalculate on opening shows these results until it is told to; they
come from the same plain arithmetic as the formulas, not from the engine that is being checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from calc.daycount import DayCount, year_fraction
from lending.contract_words import ContractWords

PRINCIPAL = 4


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A period of the plan: its dates are inputs, its amounts what the books hold. Minor units."""

    instalment: int
    from_on: date
    to_on: date
    principal_minor: int
    interest_minor: int
    capitalised_minor: int


@dataclass(frozen=True, slots=True)
class Recalculation:
    """What the workbook is made of.

    Rows of dues: (instalment, component, label, late date, minor units), in the order of settlement;
    of receipts: (id, value date, minor units, reference, booking).
    """

    number: str
    said: ContractWords
    as_of: date
    parameters: Sequence[tuple[str, str]]
    principal_minor: int
    annual_rate: Decimal | None
    day_count: str
    is_flat: bool
    periods: Sequence[PeriodRow]
    dues: Sequence[tuple[int, int, str, date, int]]
    receipts: Sequence[tuple[int, date, int, str, int]]
    waived_minor: int
    reported: Mapping[str, int]
    checksum: str


@dataclass(frozen=True, slots=True)
class DueResult:
    """A due as the sheet settles it. Minor units."""

    before: int
    settled: int
    left: int
    overdue: int


@dataclass(frozen=True, slots=True)
class PeriodResult:
    """A period's interest as the sheet computes it. Minor units; `exact` unrounded."""

    year_part: Fraction
    balance: int
    exact: Fraction
    interest: int


def received_minor(sheet: Recalculation) -> int:
    """Receipts of value by the date, reversals taken off, and what was settled without money."""
    return (
        sum(minor for _pk, on, minor, _ref, _booking in sheet.receipts if on <= sheet.as_of)
        + sheet.waived_minor
    )


def walk_dues(sheet: Recalculation) -> list[DueResult]:
    """Oldest first: each due takes what is left of all that was received, once it has fallen due."""
    received, before, results = received_minor(sheet), 0, []
    for _instalment, _component, _label, late, minor in sheet.dues:
        settled = max(0, min(minor, received - before)) if late <= sheet.as_of else 0
        left = minor - settled
        results.append(DueResult(before, settled, left, left if late < sheet.as_of else 0))
        before += minor
    return results


def walk_periods(sheet: Recalculation) -> list[PeriodResult]:
    """Balance × rate × part of a year, period after period."""
    if sheet.annual_rate is None:
        return []
    rate = Fraction(sheet.annual_rate) / 100
    parts = [year_fraction(p.from_on, p.to_on, DayCount(sheet.day_count)) for p in sheet.periods]
    paying = [at for at, period in enumerate(sheet.periods) if period.principal_minor]
    balance, results = sheet.principal_minor, list[PeriodResult]()
    for at, period in enumerate(sheet.periods):
        exact = balance * rate * parts[at]
        if sheet.is_flat and at in paying:
            start = results[paying[0]].balance if at > paying[0] else balance
            whole = half_up(start * rate * sum((parts[number] for number in paying), Fraction(0)))
            exact = Fraction(whole, len(paying))
            if at == paying[-1] and len(paying) > 1:
                exact = Fraction(whole - sum(results[number].interest for number in paying[:-1]))
        results.append(PeriodResult(parts[at], balance, exact, half_up(exact)))
        balance += period.capitalised_minor - period.principal_minor
    return results


def half_up(value: Fraction) -> int:
    """Nearest whole number, a half upwards, as ROUND does for amounts above zero."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
