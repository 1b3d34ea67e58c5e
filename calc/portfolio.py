"""Totals of a book: portfolio at risk, bucket tables and control totals, by any keys."""

from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from calc.arrears import Bucket
from calc.money import IntColumn, group_starts, sort_order, sum_by

PAR_DAYS = (1, 30, 60, 90)


@dataclass(frozen=True)
class Groups:
    """Distinct combinations of keys: `keys` one column a key, `number` the group of each row."""

    keys: tuple[npt.NDArray[np.generic], ...]
    number: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return int(self.keys[0].size) if self.keys else 1


def group_by(*keys: npt.NDArray[np.generic]) -> Groups:
    """Number the distinct combinations of whole-number or date keys, in ascending order of the keys."""
    order = sort_order(*keys)
    starts = group_starts(*(key[order] for key in keys))
    number = np.empty(order.size, dtype=np.intp)
    number[order] = np.cumsum(starts) - 1
    return Groups(keys=tuple(key[order[starts]] for key in keys), number=number)


def everything(rows: int) -> Groups:
    """One group of all rows."""
    return Groups(keys=(), number=np.zeros(rows, dtype=np.intp))


@dataclass(frozen=True)
class AtRisk:
    """Portfolio at risk by group; int64 minor units of outstanding principal.

    `at_risk` has one column for each of PAR_DAYS, `gross` is the denominator, `loans` counts loans
    with principal outstanding. Written-off loans are in neither.
    """

    at_risk: IntColumn
    gross: IntColumn
    loans: IntColumn

    def ratio(self, group: int, days: int) -> Fraction | None:
        """PAR of one group exactly; None where nothing is outstanding."""
        gross = int(self.gross[group])
        return Fraction(int(self.at_risk[group, PAR_DAYS.index(days)]), gross) if gross else None


def portfolio_at_risk(
    outstanding_principal: IntColumn,
    days_past_due: npt.NDArray[np.integer],
    groups: Groups,
    *,
    written_off: npt.NDArray[np.bool_] | None = None,
    rescheduled: npt.NDArray[np.bool_] | None = None,
) -> AtRisk:
    """PAR1 (one day late or more) and PAR30, 60, 90 (more than so many days late), whole balances.

    Pass `rescheduled` for PAR + R: such loans count as at risk at every bound.
    """
    balance = outstanding_principal
    if written_off is not None:
        balance = np.where(written_off, 0, balance)
    risky = np.zeros(balance.size, dtype=bool) if rescheduled is None else rescheduled
    table = np.zeros((len(groups), len(PAR_DAYS)), dtype=np.int64)
    for column, days in enumerate(PAR_DAYS):
        late = (days_past_due >= days if days == 1 else days_past_due > days) | risky
        table[:, column] = sum_by(groups.number, np.where(late, balance, 0), len(groups))
    return AtRisk(
        at_risk=table,
        gross=sum_by(groups.number, balance, len(groups)),
        loans=sum_by(groups.number, (balance > 0).astype(np.int64), len(groups)),
    )


def bucket_table(
    bucket: npt.NDArray[np.int8], amount: IntColumn, groups: Groups
) -> tuple[IntColumn, IntColumn]:
    """Loans and money in each bucket: two int64 tables of groups x buckets."""
    slot = groups.number * len(Bucket) + bucket
    size = len(groups) * len(Bucket)
    loans = sum_by(slot, np.ones(slot.size, dtype=np.int64), size)
    money = sum_by(slot, amount, size)
    return loans.reshape(-1, len(Bucket)), money.reshape(-1, len(Bucket))


def totals(groups: Groups, **amounts: IntColumn) -> dict[str, IntColumn]:
    """Sum each named column by group."""
    return {name: sum_by(groups.number, amount, len(groups)) for name, amount in amounts.items()}


@dataclass(frozen=True)
class ControlTotals:
    """The identity that closes a day, by group (tier x institution x component); int64 minor units.

    opening + disbursed + raised + capitalised - settled - reduced - written_off = closing.
    """

    opening: IntColumn
    disbursed: IntColumn
    raised: IntColumn
    capitalised: IntColumn
    settled: IntColumn
    reduced: IntColumn
    written_off: IntColumn
    closing: IntColumn

    @property
    def difference(self) -> IntColumn:
        """What the flows leave unexplained; all zero in sound books."""
        grown = self.opening + self.disbursed + self.raised + self.capitalised
        return grown - self.settled - self.reduced - self.written_off - self.closing

    @property
    def balanced(self) -> bool:
        """Whether every group's identity holds."""
        return not bool(self.difference.any())

    def sum_up(self, groups: Groups) -> "ControlTotals":
        """The same totals by coarser groups."""
        return ControlTotals(
            *(sum_by(groups.number, getattr(self, field.name), len(groups)) for field in fields(self))
        )
