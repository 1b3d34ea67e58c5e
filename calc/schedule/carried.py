"""What a plan takes over from the one it replaces: interest owed, and the rest of a broken period."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calc.interest import Segments
from calc.interest.level import Carried
from calc.money import IntColumn


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a year as it is counted: days, and a fraction kept unreduced (92/360)."""

    days: int
    numerator: int
    denominator: int


@dataclass(frozen=True)
class TakenOver:
    """What plans begin with besides their principal, by position of the loan.

    segments: interest accrued before the plan begins, `row` the position; amount int64 minor units
    owed besides (below zero: so much of the segments fell due already). rest_days, rest_above and
    rest_below int64: the part of a year left of the period the plan begins in, so that both parts add
    up to the whole (rest_below 0: counted by dates). flat_on int64: what flat interest is counted on
    (0: the principal). numbered_after int64: the last instalment number before the plan. prepaid int64:
    how much principal of the next instalments is paid already.
    """

    segments: Segments
    amount: IntColumn
    rest_days: IntColumn
    rest_above: IntColumn
    rest_below: IntColumn
    flat_on: IntColumn
    numbered_after: IntColumn
    prepaid: IntColumn

    def take(self, members: npt.NDArray[np.intp]) -> "TakenOver":
        """Some of the loans, numbered anew in the order given; positions must ascend."""
        place = np.full(self.amount.size, -1, dtype=np.int64)
        place[members] = np.arange(members.size)
        mine = self.segments.take(place[self.segments.row] >= 0)
        return TakenOver(
            replace(mine, row=place[mine.row]),
            self.amount[members],
            self.rest_days[members],
            self.rest_above[members],
            self.rest_below[members],
            self.flat_on[members],
            self.numbered_after[members],
            self.prepaid[members],
        )

    def owed(self) -> Carried | None:
        """Interest carried into each plan, exact, as fractions; None where no plan carries any."""
        if not self.segments.row.size and not self.amount.any():
            return None
        above, below = self.segments.exact(self.amount.size)
        return above + self.amount.astype(object) * below, below

    @classmethod
    def nothing(cls, loans: int) -> "TakenOver":
        """Plans that begin at the beginning."""
        zeros = np.zeros(loans, dtype=np.int64)
        return cls(Segments.none(), zeros, zeros, zeros, zeros, zeros, zeros, zeros)
