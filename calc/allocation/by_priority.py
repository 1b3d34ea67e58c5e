"""Orders other than the oldest first: event by event, all loans abreast.

Where a younger due may go before an older one, the two rulers of `oldest_first` no longer do. Here
each loan's events (a due date, a receipt) are numbered in time, and the loop takes the first event
of every loan at once, then the second, and so on. What advances pay is noted without naming the
receipt and laid against the advances at the end: advances are used in the order they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calc.allocation.oldest_first import match_lengths
from calc.allocation.orders import NEVER, Grid, Order, Timing, rank_table
from calc.allocation.rows import (
    Allocations,
    Receipts,
    advance_rows,
    joined,
    settling_rows,
    used_up_rows,
)
from calc.calendar import DateColumn
from calc.money import Component, IntColumn, distinct, group_starts, running_sum_by, sort_order, sum_by
from calc.schedule import Dues


@dataclass(frozen=True)
class _Owed:
    """Dues as they are walked: net, in order of date, each with the position and the rule of its loan.

    `in_force` is the date from which a due stands in the plan; money that comes ahead of a due meets
    it from then on.
    """

    due: Dues
    loan: npt.NDArray[np.intp]
    rule: IntColumn
    in_force: DateColumn
    ranks: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Events:
    """Due dates and receipts in time: loan position, step within the loan, date, receipt or -1."""

    loan: npt.NDArray[np.intp]
    step: IntColumn
    on: DateColumn
    receipt: IntColumn


def by_priority(
    due: Dues, got: Receipts, rules: Sequence[Order | Grid], rule: IntColumn, in_force: DateColumn
) -> Allocations:
    """Settle what has fallen due in order of rank; same promises as `oldest_first`.

    `due` is net, `got` in order; `rule` is the position in `rules` of the loan of each due.
    """
    loans = distinct(due.loan, got.loan)
    owed = _Owed(due, np.searchsorted(loans, due.loan), rule, in_force, rank_table(rules))
    events = _events(loans, owed, got)
    has_refunds = bool((due.component == Component.REFUND).any())
    left = due.amount.copy()
    held = np.zeros(loans.size, dtype=np.int64)
    kept = np.zeros(len(got), dtype=np.int64)
    by, to, piece = _Pieces(), _Pieces(), _Pieces()
    late_to, late_piece, late_on = _Pieces(), _Pieces(), _Pieces()

    def pay_from_advances(where: npt.NDArray[np.intp], on: DateColumn) -> None:
        row, paid = _pay(owed, left, where, on, held[where], is_advance=True)
        left[row] -= paid
        held[:] -= sum_by(owed.loan[row], paid, loans.size)
        day = np.zeros(loans.size, dtype=np.int64)
        day[where] = on.astype(np.int64)
        late_to.add(row)
        late_piece.add(paid)
        late_on.add(day[owed.loan[row]])

    for step in range(int(events.step.max(initial=-1)) + 1):
        now = np.flatnonzero(events.step == step)
        arrives = events.receipt[now] >= 0
        waits, comes = now[~arrives], now[arrives]
        pay_from_advances(events.loan[waits], events.on[waits])
        loan, receipt = events.loan[comes], events.receipt[comes]
        row, paid = _pay(owed, left, loan, events.on[comes], got.amount[receipt], is_advance=False)
        left[row] -= paid
        spent = sum_by(owed.loan[row], paid, loans.size)
        from_receipt = np.full(loans.size, -1, dtype=np.int64)
        from_receipt[loan] = receipt
        by.add(from_receipt[owed.loan[row]])
        to.add(row)
        piece.add(paid)
        kept[receipt] = got.amount[receipt] - spent[loan]
        held[loan] += kept[receipt]
        if has_refunds:  # one that came up short takes what the next receipt leaves over
            pay_from_advances(loan, events.on[comes])
    direct = settling_rows(due, got, by.all(), to.all(), piece.all(), from_advance=False)
    late = _from_advances(owed, got, kept, late_to.all(), late_piece.all(), late_on.all())
    if int(held.sum()) != int(kept.sum() - late.amount.sum()):
        raise ArithmeticError("advances held and used do not add up")
    return joined(direct, advance_rows(got, kept), used_up_rows(late), late)


class _Pieces:
    """A column that grows step by step."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]

    def add(self, part: npt.NDArray[np.int64]) -> None:
        self._parts.append(part)

    def all(self) -> IntColumn:
        return np.concatenate(self._parts)


def _events(loans: IntColumn, owed: _Owed, got: Receipts) -> _Events:
    """Every loan's due dates and receipts in time, due dates first on a day.

    Where coming instalments are settled at once, the date on which one enters the plan counts too.
    """
    due = owed.due
    is_early = np.any(owed.ranks[:, :, Timing.IN_ADVANCE] < NEVER, axis=(1, 2))
    early = np.flatnonzero(np.asarray(is_early)[owed.rule])
    loan = np.concatenate([owed.loan, owed.loan[early], np.searchsorted(loans, got.loan)])
    on = np.concatenate([due.late_date, owed.in_force[early], got.value_date])
    receipt = np.concatenate(
        [np.full(len(due) + early.size, -1, dtype=np.int64), np.arange(len(got), dtype=np.int64)]
    )
    order = sort_order(loan, on, receipt)
    loan, on, receipt = loan[order], on[order], receipt[order]
    once = group_starts(loan, on, receipt)
    loan, on, receipt = loan[once], on[once], receipt[once]
    step = running_sum_by(group_starts(loan), np.ones(loan.size, dtype=np.int64)) - 1
    return _Events(loan, step, on, receipt)


def _pay(
    owed: _Owed,
    left: IntColumn,
    loan: npt.NDArray[np.intp],
    on: DateColumn,
    money: IntColumn,
    *,
    is_advance: bool,
) -> tuple[npt.NDArray[np.intp], IntColumn]:
    """Rows that the money of these loans settles on its date, and how much of each, in order of rank."""
    if not int(money.sum()):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.int64)
    size = max(int(owed.loan.max(initial=0)), int(loan.max(initial=0))) + 1
    purse = np.zeros(size, dtype=np.int64)
    purse[loan] = money
    day = np.full(size, np.datetime64("NaT", "D"))
    day[loan] = on
    row = np.flatnonzero((left > 0) & (purse[owed.loan] > 0))
    late, today = owed.due.late_date[row], day[owed.loan[row]]
    timing = np.where(
        late < today, Timing.PAST_DUE, np.where(late == today, Timing.DUE, Timing.IN_ADVANCE)
    ).astype(np.int64)
    rank = owed.ranks[owed.rule[row], int(is_advance), timing, owed.due.component[row]]
    payable = (rank != NEVER) & ((timing != Timing.IN_ADVANCE) | (owed.in_force[row] <= today))
    row, rank = row[payable], rank[payable]
    row = row[sort_order(owed.loan[row], rank)]
    mine = owed.loan[row]
    amount = left[row]
    before = running_sum_by(group_starts(mine), amount) - amount
    paid = np.minimum(np.maximum(purse[mine] - before, 0), amount)
    some = paid > 0
    return row[some], paid[some]


def _from_advances(
    owed: _Owed, got: Receipts, kept: IntColumn, to: IntColumn, piece: IntColumn, on: IntColumn
) -> Allocations:
    """What advances paid, each piece cut by the receipts the advance came from, oldest first."""
    order = np.argsort(owed.loan[to], kind="stable")
    to, piece = to[order], piece[order]
    day: DateColumn = on[order].astype("datetime64[D]")
    source = np.flatnonzero(kept > 0)
    cut, to_at, by_at = match_lengths(owed.due.loan[to], piece, got.loan[source], kept[source])
    rows = settling_rows(owed.due, got, source[by_at], to[to_at], cut, from_advance=True)
    return Allocations(
        rows.receipt, rows.loan, rows.instalment, rows.component, day[to_at], rows.amount, rows.source
    )
