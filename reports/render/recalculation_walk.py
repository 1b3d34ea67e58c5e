"""What the auditor's formulas come to, walked once in exact numbers.

A spreadsheet program that does not recalculate on opening shows these results until it is told to; they
come from the same plain arithmetic as the formulas, not from the engine that is being checked.
"""

from __future__ import annotations

from collections import defaultdict
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
    """A stretch of days of the plan: its dates are inputs, its amounts what the books hold. Minor units.

    A period's last stretch carries its amounts. One before it has a balance of its own (`balance_minor`,
    what an earlier plan owed) or is a period whose interest was put off; both add to what follows.
    `part` is the part of a year where the days alone do not say it (the rest of a broken period).
    """

    instalment: int
    from_on: date
    to_on: date
    principal_minor: int
    interest_minor: int
    capitalised_minor: int
    rate: Decimal | None = None
    balance_minor: int | None = None
    is_put_off: bool = False
    part: Fraction | None = None

    @property
    def adds_on(self) -> bool:
        """Whether its interest falls due with a later row."""
        return self.balance_minor is not None or self.is_put_off


@dataclass(frozen=True, slots=True)
class DueRow:
    """A due of the plan. `waived_minor` was settled without money: waived, written off or moved."""

    instalment: int
    component: int
    label: str
    late_date: date
    minor: int
    waived_minor: int = 0


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """What settled what, as booked; `source` in words, `reference` of its receipt or ''. Minor units."""

    on: date
    reference: str
    source: str
    instalment: int
    component: int
    label: str
    minor: int
    booking: int


@dataclass(frozen=True, slots=True)
class Recalculation:
    """What the workbook is made of.

    `dues` stand in the order of settlement; rows of receipts: (id, value date, minor units, reference,
    booking). `apart_minor` of the money met recoveries and refunds. Where the order is not the oldest
    first, what each due is settled with is summed from the allocations instead of worked out anew.
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
    dues: Sequence[DueRow]
    receipts: Sequence[tuple[int, date, int, str, int]]
    allocations: Sequence[AllocationRow]
    apart_minor: int
    is_oldest_first: bool
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
    """Receipts of value by the date, reversals and what met recoveries and refunds taken off."""
    return (
        sum(minor for _pk, on, minor, _ref, _booking in sheet.receipts if on <= sheet.as_of)
        - sheet.apart_minor
    )


def walk_dues(sheet: Recalculation) -> list[DueResult]:
    """What each due is settled with, waivers first.

    Oldest first: each takes what is left of all that was received, once it has fallen due. In another
    order: what the allocations of its instalment and component come to, the older due of the two first.
    """
    received, results = received_minor(sheet), []
    net, earlier = 0, defaultdict[tuple[int, int], int](int)
    booked = defaultdict[tuple[int, int], int](int)
    for row in sheet.allocations:
        booked[row.instalment, row.component] += row.minor if row.on <= sheet.as_of else 0
    for due in sheet.dues:
        key = (due.instalment, due.component)
        if sheet.is_oldest_first:
            before = net
            money = max(0, min(due.minor - due.waived_minor, received - before))
            settled = due.waived_minor + (money if due.late_date <= sheet.as_of else 0)
        else:
            before = earlier[key]
            settled = max(0, min(due.minor, booked[key] - before))
        left = due.minor - settled
        results.append(DueResult(before, settled, left, left if due.late_date < sheet.as_of else 0))
        net += due.minor - due.waived_minor
        earlier[key] += due.minor
    return results


def walk_periods(sheet: Recalculation) -> list[PeriodResult]:
    """Balance × rate × part of a year, row after row."""
    if sheet.annual_rate is None:
        return []
    parts = [p.part or year_fraction(p.from_on, p.to_on, DayCount(sheet.day_count)) for p in sheet.periods]
    paying = [at for at, period in enumerate(sheet.periods) if period.principal_minor]
    balance, added, results = sheet.principal_minor, Fraction(0), list[PeriodResult]()
    for at, period in enumerate(sheet.periods):
        rate = Fraction(sheet.annual_rate if period.rate is None else period.rate) / 100
        own = balance if period.balance_minor is None else period.balance_minor
        exact = own * rate * parts[at]
        if sheet.is_flat and at in paying:
            start = results[paying[0]].balance if at > paying[0] else balance
            whole = half_up(start * rate * sum((parts[number] for number in paying), Fraction(0)))
            exact = Fraction(whole, len(paying))
            if at == paying[-1] and len(paying) > 1:
                exact = Fraction(whole - sum(results[number].interest for number in paying[:-1]))
        due = half_up(exact + added)
        results.append(PeriodResult(parts[at], own, exact, due))
        added = added + exact if period.adds_on else Fraction(0)
        if period.balance_minor is None:
            balance += period.capitalised_minor - period.principal_minor
    return results


def half_up(value: Fraction) -> int:
    """Nearest whole number, a half upwards, as ROUND does for amounts above zero."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
