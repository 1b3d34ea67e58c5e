"""What falls due, as columns: loans side by side, one row an amount of one component."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from calc.calendar import DateColumn
from calc.money import IntColumn, group_starts, sort_order


@dataclass(frozen=True)
class Dues:
    """Amounts falling due. A mirror is a row with a negative amount; rows of one key add up.

    loan int64; instalment int32 (1 and up); component int8 (calc.money.Component 1 to 4);
    late_date datetime64[D], the holiday-adjusted due date; amount int64 minor units.
    """

    loan: IntColumn
    instalment: npt.NDArray[np.int32]
    component: npt.NDArray[np.int8]
    late_date: DateColumn
    amount: IntColumn

    def __len__(self) -> int:
        return int(self.loan.size)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Dues":
        """The chosen rows, by position or by mask."""
        return Dues(
            self.loan[rows],
            self.instalment[rows],
            self.component[rows],
            self.late_date[rows],
            self.amount[rows],
        )

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, date, int]]) -> "Dues":
        """Columns from rows of loan, instalment, component, late date, amount in minor units."""
        listed = list(rows)
        loan, instalment, component, late_date, amount = zip(*listed, strict=True) if listed else ((),) * 5
        return cls(
            loan=np.array(loan, dtype=np.int64),
            instalment=np.array(instalment, dtype=np.int32),
            component=np.array(component, dtype=np.int8),
            late_date=np.array(late_date, dtype="datetime64[D]"),
            amount=np.array(amount, dtype=np.int64),
        )

    def netted(self) -> "Dues":
        """Each key once, mirrors added up and what they cancel left out.

        Rows come in settlement order: loan, late date, instalment, component. ValueError if more
        was taken back than ever fell due.
        """
        if not len(self):
            return self
        rows = self.take(sort_order(self.loan, self.late_date, self.instalment, self.component))
        starts = group_starts(rows.loan, rows.late_date, rows.instalment, rows.component)
        if bool(starts.all()):
            net = rows
        else:
            first = np.flatnonzero(starts)
            sums = np.add.reduceat(rows.amount, first)
            net = rows.take(first)
            net = Dues(net.loan, net.instalment, net.component, net.late_date, sums)
        if bool((net.amount < 0).any()):
            bad = int(np.flatnonzero(net.amount < 0)[0])
            raise ValueError(
                f"loan {net.loan[bad]}, instalment {net.instalment[bad]}: more was taken back than fell due "
                f"({net.amount[bad]} minor units on {net.late_date[bad]})"
            )
        return net if bool((net.amount > 0).all()) else net.take(net.amount > 0)
