"""Receipts and what they settle, as columns; and what a replay must write of them."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from enum import IntEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from calc.calendar import DateColumn
from calc.money import Component, IntColumn, sort_order, unpaired
from calc.schedule import Dues


class Source(IntEnum):
    """What settled a due. Only receipts and advances come from `allocate`; the rest are events."""

    RECEIPT = 1
    ADVANCE = 2
    WAIVER = 3
    WRITE_OFF = 4
    TRANSFER = 5


@dataclass(frozen=True)
class Receipts:
    """Money received: loan int64, receipt int64 (its number), value_date datetime64[D], amount int64 > 0."""

    loan: IntColumn
    receipt: IntColumn
    value_date: DateColumn
    amount: IntColumn

    def __len__(self) -> int:
        return int(self.loan.size)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """The chosen receipts, by position or by mask."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, date, int]]) -> Self:
        """Columns from rows of loan, receipt number, value date, amount in minor units."""
        listed = list(rows)
        loan, receipt, value_date, amount = zip(*listed, strict=True) if listed else ((),) * 4
        return cls(
            np.array(loan, dtype=np.int64),
            np.array(receipt, dtype=np.int64),
            np.array(value_date, dtype="datetime64[D]"),
            np.array(amount, dtype=np.int64),
        )


@dataclass(frozen=True)
class Settled:
    """Settled amounts by key, summed or not: loan int64, instalment int32, component int8, amount int64."""

    loan: IntColumn
    instalment: npt.NDArray[np.int32]
    component: npt.NDArray[np.int8]
    amount: IntColumn


@dataclass(frozen=True)
class Allocations:
    """Rows of settlement; the rows of a receipt always sum to it.

    receipt and loan int64; instalment int32 (0 for an advance); component int8; value_date
    datetime64[D]; amount int64, negative where an advance is used up; source int8 (Source).
    """

    receipt: IntColumn
    loan: IntColumn
    instalment: npt.NDArray[np.int32]
    component: npt.NDArray[np.int8]
    value_date: DateColumn
    amount: IntColumn
    source: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return int(self.loan.size)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """The chosen rows, by position or by mask."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def settled(self, as_of: np.datetime64) -> Settled:
        """What these rows settle as of a date."""
        rows = self.take(self.value_date <= as_of)
        return Settled(rows.loan, rows.instalment, rows.component, rows.amount)


@dataclass(frozen=True)
class Difference:
    """Positions of old rows to take back and of new rows to write; all others stay as they are."""

    mirror: npt.NDArray[np.intp]
    add: npt.NDArray[np.intp]


def difference(old: Allocations, new: Allocations) -> Difference:
    """What a replay must write: whole rows to mirror and whole rows to add.

    Rows equal in every column pair off one to one. Mirrors and adds are positions in `old` and
    `new`, so that the caller can name the stored row each mirror takes back.
    """
    mirror, add = unpaired(_keys(old), _keys(new))
    return Difference(mirror=mirror, add=add)


def _keys(rows: Allocations) -> list[npt.NDArray[np.generic]]:
    return [
        rows.loan,
        rows.receipt,
        rows.value_date,
        rows.instalment,
        rows.component,
        rows.source,
        rows.amount,
    ]


def in_order(receipts: Receipts) -> Receipts:
    """Receipts by loan, value date and number; refuses an amount that is not positive."""
    if bool((receipts.amount <= 0).any()):
        bad = int(np.flatnonzero(receipts.amount <= 0)[0])
        raise ValueError(f"receipt {receipts.receipt[bad]} of {receipts.amount[bad]} is not positive")
    order = sort_order(receipts.loan, receipts.value_date, receipts.receipt)
    return receipts.take(order)


def settling_rows(
    due: Dues,
    got: Receipts,
    by: npt.NDArray[np.intp],
    to: npt.NDArray[np.intp],
    piece: IntColumn,
    *,
    from_advance: bool,
) -> Allocations:
    """Rows that settle dues: dated with the receipt, or with the due where an advance waited for it."""
    return Allocations(
        receipt=got.receipt[by],
        loan=got.loan[by],
        instalment=due.instalment[to],
        component=due.component[to],
        value_date=due.late_date[to] if from_advance else got.value_date[by],
        amount=piece,
        source=np.full(by.size, Source.ADVANCE if from_advance else Source.RECEIPT, dtype=np.int8),
    )


def advance_rows(got: Receipts, held: IntColumn) -> Allocations:
    """One row for each receipt that pays more than has fallen due."""
    kept = np.flatnonzero(held > 0)
    return Allocations(
        receipt=got.receipt[kept],
        loan=got.loan[kept],
        instalment=np.zeros(kept.size, dtype=np.int32),
        component=np.full(kept.size, Component.ADVANCE, dtype=np.int8),
        value_date=got.value_date[kept],
        amount=held[kept],
        source=np.full(kept.size, Source.RECEIPT, dtype=np.int8),
    )


def used_up_rows(late: Allocations) -> Allocations:
    """The advance side of the pair for each due that an advance meets."""
    return Allocations(
        receipt=late.receipt,
        loan=late.loan,
        instalment=np.zeros(len(late), dtype=np.int32),
        component=np.full(len(late), Component.ADVANCE, dtype=np.int8),
        value_date=late.value_date,
        amount=-late.amount,
        source=late.source,
    )


def joined(*parts: Allocations) -> Allocations:
    """Rows of several allocations under each other."""
    return Allocations(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Allocations))
    )
