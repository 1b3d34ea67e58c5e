"""What should stand raised as of a day, and how raising and settling come to rest.

What is raised changes what receipts settle (penal interest takes its turn among the dues), and what is
settled changes what is raised. Time orders the two: what is raised for a day depends only on what was
settled before it, so going back and forth ends, after at most as many rounds as a loan has receipts.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from calc.allocation import Allocations
from calc.calendar import DateColumn
from calc.daycount import DayCount
from calc.interest import Movements, Rates, Spans, daily_product
from calc.money import HALF_UP, Component, IntColumn, Rounding, group_starts, sort_order, sum_by
from calc.raising.penal import Items, penal_by_day
from calc.raising.rows import DatedDues, Fixed, empty_dues, unmatched

Settle = Callable[[DatedDues], Allocations]
"""What settles all dues of the loans, planned and raised; what was settled without money is among it."""


@dataclass(frozen=True)
class Accruals:
    """Interest periods of daily-product loans: loan int64; instalment int32; the rest datetime64[D].

    The interest of from_on to to_on falls due with the instalment, whose late date it takes.
    """

    loan: IntColumn
    instalment: npt.NDArray[np.int32]
    from_on: DateColumn
    to_on: DateColumn
    late_date: DateColumn

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """The chosen rows, by position or by mask."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Facts:
    """All that raising depends on, but for what is settled; for loans of one day count.

    loans int64 ascending. since datetime64[D], by loan: what counts from a day up to it is raised and
    stays, and stands in `kept`; NaT: everything anew. planned: dues and their mirrors, without what was
    raised. rates: the contract's, of daily-product loans; penal_rates: what late money bears, capped, by
    loan and date. rounding: that of interest; penal interest is rounded half up to the minor unit.
    """

    loans: IntColumn
    since: DateColumn
    planned: DatedDues
    kept: DatedDues
    accruals: Accruals
    rates: Rates
    penal_rates: Rates
    fixed: Fixed
    day_count: DayCount
    rounding: Rounding = HALF_UP

    def of(self, loans: IntColumn) -> "Facts":
        """The same facts of fewer loans (ascending)."""
        mine = np.isin(self.loans, loans)
        return replace(
            self,
            loans=self.loans[mine],
            since=self.since[mine],
            planned=self.planned.take(np.isin(self.planned.loan, loans)),
            kept=self.kept.take(np.isin(self.kept.loan, loans)),
            accruals=self.accruals.take(np.isin(self.accruals.loan, loans)),
            fixed=self.fixed.take(np.isin(self.fixed.loan, loans)),
        )


def reckon(facts: Facts, settled: Allocations, until: np.datetime64) -> DatedDues:
    """The rows that should stand raised for the days after `since` up to `until`, by loan and day."""
    interest = _interest(facts, settled, until)
    items, overdue = overdue_items(facts, interest, settled, until)
    penal = _penal(facts, items, overdue)
    rows = interest.and_(_not_below_fixed(facts, penal))
    return rows.take(
        sort_order(rows.loan, rows.effective_on, rows.late_date, rows.instalment, rows.component)
    )


def settle_to_rest(
    facts: Facts, standing: DatedDues, settled: Allocations, settle: Settle, until: np.datetime64
) -> DatedDues:
    """What should stand raised once receipts have met it: reckon and settle until nothing changes.

    `settled` is what `settle(standing)` gives. ArithmeticError if the two never agree.
    """
    found = reckon(facts, settled, until)
    if not _differ(found, standing):
        return found
    rounds = 3 + int(np.unique(settled.loan, return_counts=True)[1].max(initial=0)) + 2 * len(facts.planned)
    for _ in range(rounds):
        again = reckon(facts, settle(found), until)
        if not _differ(again, found):
            return again
        found = again
    raise ArithmeticError("what is raised and what is settled do not come to rest")


def overdue_items(
    facts: Facts, interest: DatedDues, settled: Allocations, until: np.datetime64
) -> tuple[Items, Movements]:
    """Instalments that fell due before `until`, and what of their principal and interest was unpaid when.

    A due counts from its late date, or from the day it counts at all if that is later.
    """
    dues = facts.planned.and_(facts.kept, interest)
    owed = np.isin(dues.component, (Component.INTEREST, Component.PRINCIPAL))
    dues = dues.take(owed & (dues.late_date < until))
    order = sort_order(dues.loan, dues.instalment, dues.late_date)
    dues = dues.take(order)
    by_date = group_starts(dues.loan, dues.instalment, dues.late_date)
    date_of = np.cumsum(by_date) - 1
    stands = sum_by(date_of, dues.amount, int(by_date.sum())) > 0
    starts = group_starts(dues.loan, dues.instalment)
    item_of = np.cumsum(starts) - 1
    count = int(starts.sum())
    days = dues.late_date[starts].astype(np.int64)
    live = stands[date_of]
    np.maximum.at(days, item_of[live], dues.late_date[live].astype(np.int64))
    late = days.astype("datetime64[D]")

    paid = settled.take(np.isin(settled.component, (Component.INTEREST, Component.PRINCIPAL)))
    loan, instalment = dues.loan[starts], dues.instalment[starts].astype(np.int64)
    place, known = _places(loan, instalment, paid.loan, paid.instalment.astype(np.int64))
    since = facts.since[np.searchsorted(facts.loans, loan)] if count else late
    items = Items(
        loan=loan,
        instalment=instalment,
        late_date=late,
        since=np.where(np.isnat(since), late, np.maximum(since, late)),
        until=np.full(count, until, dtype="datetime64[D]"),
    )
    moved = Movements(
        loan=np.concatenate([item_of, place[known]]).astype(np.int64),
        on=np.concatenate([np.maximum(dues.late_date, dues.effective_on), paid.value_date[known]]),
        amount=np.concatenate([dues.amount, -paid.amount[known]]),
    )
    return items, moved


def rates_by_item(rates: Rates, items: Items) -> Rates:
    """The rates of each item's loan (given by loan, then date), as rates of the item."""
    first = np.searchsorted(rates.loan, items.loan, side="left")
    length = np.searchsorted(rates.loan, items.loan, side="right") - first
    item = np.repeat(np.arange(items.loan.size), length)
    at = np.arange(item.size) + np.repeat(first - np.cumsum(length) + length, length)
    return Rates(item, rates.on[at], rates.rate[at])


def _interest(facts: Facts, settled: Allocations, until: np.datetime64) -> DatedDues:
    """Interest of every period that has ended, on the principal outstanding on each of its days."""
    if not facts.accruals.loan.size:
        return empty_dues()
    since = facts.since[np.searchsorted(facts.loans, facts.accruals.loan)]
    spans = facts.accruals.take((facts.accruals.to_on <= until) & ~(facts.accruals.to_on <= since))
    dues = facts.planned.take(facts.planned.component == Component.PRINCIPAL)
    paid = settled.take(settled.component == Component.PRINCIPAL)
    amount, _ = daily_product(
        Movements(
            np.concatenate([dues.loan, paid.loan]),
            np.concatenate([dues.effective_on, paid.value_date]),
            np.concatenate([dues.amount, -paid.amount]),
        ),
        facts.rates,
        Spans(spans.loan, spans.from_on, spans.to_on),
        facts.day_count,
        facts.rounding,
    )
    kind = facts.fixed.component == Component.INTEREST
    place, known = _places(
        spans.loan,
        spans.instalment.astype(np.int64),
        facts.fixed.loan[kind],
        facts.fixed.instalment[kind].astype(np.int64),
    )
    amount = np.maximum(amount, sum_by(place[known], facts.fixed.amount[kind][known], amount.size))
    some = amount > 0
    return DatedDues(
        loan=spans.loan[some],
        instalment=spans.instalment[some],
        component=np.full(int(some.sum()), Component.INTEREST, dtype=np.int8),
        late_date=spans.late_date[some],
        effective_on=spans.to_on[some],
        amount=amount[some],
    )


def _penal(facts: Facts, items: Items, overdue: Movements) -> DatedDues:
    """The penal interest of each day as a due of its instalment on that day."""
    days = penal_by_day(items, overdue, rates_by_item(facts.penal_rates, items), facts.day_count)
    return DatedDues(
        loan=items.loan[days.item],
        instalment=items.instalment[days.item].astype(np.int32),
        component=np.full(days.item.size, Component.PENAL, dtype=np.int8),
        late_date=days.on,
        effective_on=days.on,
        amount=days.amount,
    )


def _not_below_fixed(facts: Facts, penal: DatedDues) -> DatedDues:
    """Penal interest that was waived, written off or moved stays raised, though later facts ask for less.

    Else more would be settled than is due. What is missing is raised on the day it was waived.
    """
    anew = facts.loans[np.isnat(facts.since)]
    fixed = facts.fixed.take((facts.fixed.component == Component.PENAL) & np.isin(facts.fixed.loan, anew))
    if not fixed.loan.size:
        return penal
    mine = np.isin(penal.loan, fixed.loan)
    raised = penal.take(mine)
    loan = np.concatenate([raised.loan, fixed.loan])
    instalment = np.concatenate([raised.instalment, fixed.instalment])
    on = np.concatenate([raised.late_date, fixed.value_date])
    is_fixed = np.repeat([0, 1], [len(raised), fixed.loan.size])
    change = np.concatenate([-raised.amount, fixed.amount])
    order = sort_order(loan, instalment, on, is_fixed)
    loan, instalment, on, change = loan[order], instalment[order], on[order], change[order]
    starts = group_starts(loan, instalment)
    group = np.cumsum(starts) - 1
    total = np.cumsum(change)
    first = np.flatnonzero(starts)
    short = np.maximum(total - (total[first] - change[first])[group], 0)
    step = int(short.max(initial=0)) + 1
    worst = np.maximum.accumulate(short + group * step) - group * step
    more = np.where(starts, worst, np.diff(worst, prepend=0))
    some = more > 0
    added = DatedDues(
        loan[some],
        instalment[some],
        np.full(int(some.sum()), Component.PENAL, dtype=np.int8),
        on[some],
        on[some],
        more[some],
    )
    return _summed(penal.and_(added))


def _summed(rows: DatedDues) -> DatedDues:
    """One row a loan, instalment, component and date."""
    rows = rows.take(
        sort_order(rows.loan, rows.instalment, rows.component, rows.late_date, rows.effective_on)
    )
    starts = group_starts(rows.loan, rows.instalment, rows.component, rows.late_date, rows.effective_on)
    total = sum_by(np.cumsum(starts) - 1, rows.amount, int(starts.sum()))
    return replace(rows.take(starts), amount=total)


def _places(
    loan: IntColumn, instalment: IntColumn, wanted_loan: IntColumn, wanted_instalment: IntColumn
) -> tuple[IntColumn, npt.NDArray[np.bool_]]:
    """Where each wanted loan and instalment stands among those given, and whether it does."""
    width = 1 + max(int(instalment.max(initial=0)), int(wanted_instalment.max(initial=0)))
    keys = loan * width + instalment
    order = np.argsort(keys, kind="stable")
    wanted = wanted_loan * width + wanted_instalment
    found = np.searchsorted(keys[order], wanted)
    known = found < keys.size
    known[known] = keys[order][found[known]] == wanted[known]
    place = np.zeros(wanted.size, dtype=np.int64)
    place[known] = order[found[known]]
    return place, known


def _differ(left: DatedDues, right: DatedDues) -> bool:
    between = unmatched(left, right)
    return bool(between.old.size or between.new.size)
