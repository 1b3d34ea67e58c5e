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
    since: date = date.min
    """From when it stands in the plan."""


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


Rank = Callable[[Due, date], tuple[object, ...] | None]
"""What goes first on a day; None where the money does not settle the due (yet)."""


def oldest(due: Due, day: date) -> tuple[object, ...] | None:
    """What has fallen due, the oldest first."""
    return (due.late, due.instalment, due.component) if due.late <= day else None


def walk(dues: list[Due], receipts: list[Receipt], as_of: date, rank: Rank = oldest) -> Book:
    """Every day from the first event to `as_of`: dues arrive, advances meet them, receipts pay.

    `rank` says which of the dues goes first. What was written off goes before all of them; a refund
    is paid out of an advance, before anything else.
    """
    book = Book()
    received = sorted(receipts, key=lambda r: (r.value, r.number))
    events = [day for due in dues for day in (due.late, due.since) if day > date.min]
    events += [receipt.value for receipt in receipts]
    if not events:
        return book
    day = min(events)
    while day <= as_of:
        _use_advances(dues, book, day, received, rank)
        for receipt in received:
            if receipt.value == day:
                taken = _pay(dues, book, day, receipt.number, receipt.amount, rank, is_advance=False)
                book.advance[receipt.number] += receipt.amount - taken
                _use_advances(dues, book, day, received, rank)
        day += timedelta(days=1)
    return book


def _use_advances(dues: list[Due], book: Book, day: date, received: list[Receipt], rank: Rank) -> None:
    for receipt in received:
        if book.advance[receipt.number]:
            money = book.advance[receipt.number]
            book.advance[receipt.number] -= _pay(
                dues, book, day, receipt.number, money, rank, is_advance=True
            )


def _pay(
    dues: list[Due], book: Book, day: date, number: int, money: int, rank: Rank, *, is_advance: bool
) -> int:
    """Pay what may be paid on the day, in the order given; gives what was used."""
    ranked = []
    for due in dues:
        place: tuple[object, ...] | None = (1, *(rank(due, day) or ()))
        if due.component == 6:
            place = (-1, due.late) if is_advance and due.late <= day else None
        elif due.component == 7:
            place = (0, due.late) if due.late <= day else None
        elif rank(due, day) is None:
            place = None
        if place is not None:
            ranked.append((place, due))
    used = 0
    for _, due in sorted(ranked, key=lambda pair: pair[0]):
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


def since_column(loans: dict[int, list[Due]]) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    """From when each due stands in the plan, row for row with `due_columns`."""
    return np.array([due.since for dues in loans.values() for due in dues], dtype="datetime64[D]")
