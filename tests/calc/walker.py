"""The plainest possible answer to "what is settled as of D": one loan, one day after the other.

Nothing here is shared with the engine. Dues and receipts are tuples in minor units.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from calc.allocation import Dues, Receipts
from calc.calendar import dates


@dataclass(frozen=True)
class Due:
    instalment: int
    component: int
    late: date
    amount: int


@dataclass(frozen=True)
class Receipt:
    number: int
    value: date
    amount: int


@dataclass
class Book:
    """What a clerk would have on the desk at the end of a day."""

    paid: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    from_receipt: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    advance: dict[int, int] = field(default_factory=lambda: defaultdict(int))


Key = Callable[[Due], tuple[object, ...]]


def _oldest(due: Due) -> tuple[object, ...]:
    return (due.late, due.instalment, due.component)


def walk(dues: list[Due], receipts: list[Receipt], as_of: date, first: Key = _oldest) -> Book:
    """Every day from the first event to `as_of`: dues arrive, advances meet them, receipts pay.

    `first` says which of the dues that have fallen due goes first.
    """
    dues = sorted(dues, key=first)
    book = Book()
    events = [due.late for due in dues] + [receipt.value for receipt in receipts]
    if not events:
        return book
    day = min(events)
    while day <= as_of:
        for receipt in sorted(receipts, key=lambda r: (r.value, r.number)):
            if book.advance[receipt.number]:
                taken = _pay(dues, book, day, receipt.number, book.advance[receipt.number])
                book.advance[receipt.number] -= taken
        for receipt in sorted(receipts, key=lambda r: (r.value, r.number)):
            if receipt.value == day:
                taken = _pay(dues, book, day, receipt.number, receipt.amount)
                book.advance[receipt.number] += receipt.amount - taken
        day += timedelta(days=1)
    return book


def _pay(dues: list[Due], book: Book, day: date, number: int, money: int) -> int:
    """Pay what has fallen due by the day, in the order given; gives what was used."""
    used = 0
    for due in dues:
        if due.late > day or used == money:
            continue
        open_amount = due.amount - book.paid[due.instalment, due.component]
        piece = min(open_amount, money - used)
        book.paid[due.instalment, due.component] += piece
        book.from_receipt[number] += piece
        used += piece
    return used


def due_columns(loans: dict[int, list[Due]]) -> Dues:
    """The engine's columns for loans given as lists."""
    rows = [(loan, due) for loan, dues in loans.items() for due in dues]
    return Dues(
        loan=np.array([loan for loan, _ in rows], dtype=np.int64),
        instalment=np.array([due.instalment for _, due in rows], dtype=np.int32),
        component=np.array([due.component for _, due in rows], dtype=np.int8),
        late_date=dates(due.late for _, due in rows),
        amount=np.array([due.amount for _, due in rows], dtype=np.int64),
    )


def receipt_columns(loans: dict[int, list[Receipt]]) -> Receipts:
    """The engine's columns for receipts given as lists."""
    rows = [(loan, receipt) for loan, receipts in loans.items() for receipt in receipts]
    return Receipts(
        loan=np.array([loan for loan, _ in rows], dtype=np.int64),
        receipt=np.array([receipt.number for _, receipt in rows], dtype=np.int64),
        value_date=dates(receipt.value for _, receipt in rows),
        amount=np.array([receipt.amount for _, receipt in rows], dtype=np.int64),
    )
