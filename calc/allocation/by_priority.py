"""Other orders of settlement: event by event, all loans abreast.

Where a younger due may go before an older one, the two rulers of `oldest_first` no longer do. Here
each loan's events (a due date, a receipt) are numbered in time, and the loop takes the first event
of every loan at once, then the second, and so on. What advances pay is noted without naming the
receipt and laid against the advances at the end: advances are used in the order they came.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from calc.allocation.oldest_first import match_lengths
from calc.allocation.rows import (
    Allocations,
    Receipts,
    advance_rows,
    in_order,
    joined,
    settling_rows,
    used_up_rows,
)
from calc.calendar import DateColumn
from calc.money import BoolColumn, IntColumn, distinct, group_starts, running_sum_by, sort_order, sum_by
from calc.schedule import Dues


class Priority(Enum):
    """What goes first among dues that have fallen due; the older one of equals."""

    INSTALMENT = "instalment"
    COMPONENT = "component"
    COMPONENT_REVERSED = "component_reversed"


@dataclass(frozen=True)
class _Events:
    """Due dates and receipts in time: loan position, step within the loan, date, receipt or -1."""

    loan: npt.NDArray[np.intp]
    step: IntColumn
    on: DateColumn
    receipt: IntColumn


def by_priority(dues: Dues, receipts: Receipts, priority: Priority) -> Allocations:
    """Settle what has fallen due in order of priority; same promises as `oldest_first`."""
    due = _in_priority(dues.netted(), priority)
    got = in_order(receipts)
    loans = distinct(due.loan, got.loan)
    rank = np.searchsorted(loans, due.loan)
    events = _events(loans, due, got)
    left = due.amount.copy()
    held = np.zeros(loans.size, dtype=np.int64)
    kept = np.zeros(len(got), dtype=np.int64)
    by, to, piece = _Pieces(), _Pieces(), _Pieces()
    late_to, late_piece = _Pieces(), _Pieces()
    for step in range(int(events.step.max(initial=-1)) + 1):
        now = np.flatnonzero(events.step == step)
        loan, receipt = events.loan[now], events.receipt[now]
        arrives = receipt >= 0
        money = np.zeros(loans.size, dtype=np.int64)
        money[loan[~arrives]] = held[loan[~arrives]]
        money[loan[arrives]] = got.amount[receipt[arrives]]
        until = np.full(loans.size, np.datetime64("NaT", "D"))
        until[loan[money[loan] > 0]] = events.on[now][money[loan] > 0]
        row, paid = _pay(due, rank, left, until, money)
        left[row] -= paid
        spent = sum_by(rank[row], paid, loans.size)
        from_receipt = np.full(loans.size, -1, dtype=np.int64)
        from_receipt[loan] = receipt
        direct = from_receipt[rank[row]] >= 0
        by.add(from_receipt[rank[row[direct]]])
        to.add(row[direct])
        piece.add(paid[direct])
        late_to.add(row[~direct])
        late_piece.add(paid[~direct])
        kept[receipt[arrives]] = (money - spent)[loan[arrives]]
        held[loan[arrives]] += kept[receipt[arrives]]
        held[loan[~arrives]] -= spent[loan[~arrives]]
    direct_rows = settling_rows(due, got, by.all(), to.all(), piece.all(), from_advance=False)
    late = _from_advances(due, got, rank, kept, late_to.all(), late_piece.all())
    if int(held.sum()) != int(kept.sum() - late.amount.sum()):
        raise ArithmeticError("advances held and used do not add up")
    rows = joined(direct_rows, advance_rows(got, kept), used_up_rows(late), late)
    return rows.take(sort_order(rows.loan, rows.value_date, rows.receipt, rows.instalment, rows.component))


class _Pieces:
    """A column that grows step by step."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]

    def add(self, part: npt.NDArray[np.int64]) -> None:
        self._parts.append(part)

    def all(self) -> IntColumn:
        return np.concatenate(self._parts)


def _in_priority(due: Dues, priority: Priority) -> Dues:
    """Dues of each loan in the order in which money goes to them once they have fallen due."""
    component = due.component.astype(np.int64)
    if priority is Priority.INSTALMENT:
        return due.take(sort_order(due.loan, due.late_date, due.instalment, component))
    first = component if priority is Priority.COMPONENT else -component
    return due.take(sort_order(due.loan, first, due.late_date, due.instalment))


def _events(loans: IntColumn, due: Dues, got: Receipts) -> _Events:
    """Every loan's due dates and receipts in time, due dates first on a day."""
    loan = np.concatenate([np.searchsorted(loans, due.loan), np.searchsorted(loans, got.loan)])
    on = np.concatenate([due.late_date, got.value_date])
    receipt = np.concatenate([np.full(len(due), -1, dtype=np.int64), np.arange(len(got), dtype=np.int64)])
    order = sort_order(loan, on, receipt)
    loan, on, receipt = loan[order], on[order], receipt[order]
    once = group_starts(loan, on, receipt)
    loan, on, receipt = loan[once], on[once], receipt[once]
    step = running_sum_by(group_starts(loan), np.ones(loan.size, dtype=np.int64)) - 1
    return _Events(loan, step, on, receipt)


def _pay(
    due: Dues, rank: npt.NDArray[np.intp], left: IntColumn, until: DateColumn, money: IntColumn
) -> tuple[npt.NDArray[np.intp], IntColumn]:
    """Rows that the money of each loan settles now, and how much of each, in order of priority."""
    open_rows: BoolColumn = (left > 0) & (due.late_date <= until[rank])
    row = np.flatnonzero(open_rows)
    owed = left[row]
    before = running_sum_by(group_starts(rank[row]), owed) - owed
    paid = np.minimum(np.maximum(money[rank[row]] - before, 0), owed)
    some = paid > 0
    return row[some], paid[some]


def _from_advances(
    due: Dues,
    got: Receipts,
    rank: npt.NDArray[np.intp],
    kept: IntColumn,
    to: IntColumn,
    piece: IntColumn,
) -> Allocations:
    """What advances paid, each piece cut by the receipts the advance came from, oldest first."""
    order = np.argsort(rank[to], kind="stable")
    to, piece = to[order], piece[order]
    source = np.flatnonzero(kept > 0)
    cut, to_at, by_at = match_lengths(due.loan[to], piece, got.loan[source], kept[source])
    return settling_rows(due, got, source[by_at], to[to_at], cut, from_advance=True)
