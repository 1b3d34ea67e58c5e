"""Dues with the date from which each counts, and what two sets of them differ in."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from calc.calendar import DateColumn
from calc.money import IntColumn, unpaired
from calc.schedule import Dues


@dataclass(frozen=True)
class DatedDues:
    """Dues that know from when they count: loan int64; instalment int32; component int8; late_date and
    effective_on datetime64[D]; amount int64 minor units, negative in mirrors.
    """

    loan: IntColumn
    instalment: npt.NDArray[np.int32]
    component: npt.NDArray[np.int8]
    late_date: DateColumn
    effective_on: DateColumn
    amount: IntColumn

    def __len__(self) -> int:
        return int(self.loan.size)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """The chosen rows, by position or by mask."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def and_(self, *others: "DatedDues") -> "DatedDues":
        """These rows and the others under each other."""
        parts = (self, *others)
        return DatedDues(
            *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(self))
        )

    @property
    def dues(self) -> Dues:
        """The same rows as `calc.allocation` takes them."""
        return Dues(self.loan, self.instalment, self.component, self.late_date, self.amount)


@dataclass(frozen=True)
class Fixed:
    """What was settled without money (waived, written off, transferred), by the day it counts from.

    loan int64; instalment int32; component int8; value_date datetime64[D]; amount int64.
    """

    loan: IntColumn
    instalment: npt.NDArray[np.int32]
    component: npt.NDArray[np.int8]
    value_date: DateColumn
    amount: IntColumn

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """The chosen rows, by position or by mask."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Unmatched:
    """Positions in the old rows that no new row equals, and in the new rows that no old row equals."""

    old: npt.NDArray[np.intp]
    new: npt.NDArray[np.intp]


def empty_dues() -> DatedDues:
    """No rows."""
    days = np.zeros(0, dtype="datetime64[D]")
    number = np.zeros(0, dtype=np.int64)
    return DatedDues(number, number.astype(np.int32), number.astype(np.int8), days, days, number)


def unmatched(old: DatedDues, new: DatedDues) -> Unmatched:
    """Pair off rows equal in every column, one to one; the rest must be taken back or appended."""
    names = [field.name for field in fields(DatedDues)]
    return Unmatched(
        *unpaired([getattr(old, name) for name in names], [getattr(new, name) for name in names])
    )
