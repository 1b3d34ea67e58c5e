"""Interest as balance x rate x part of a year, in columns.

A segment is a stretch of days with one balance and one rate. The same segments compute the
interest and explain it: days, basis, balance, rate, product.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from calc.calendar import DateColumn, to_date
from calc.money import (
    RATE_DENOMINATOR,
    IntColumn,
    ObjectColumn,
    Rounding,
    from_rate_units,
    round_ratios,
    sort_order,
)


@dataclass(frozen=True)
class Segments:
    """Stretches side by side; `row` is the schedule row each belongs to.

    row int64; from_on and to_on datetime64[D]; days int64 as the day count counts them; balance
    int64 minor units; rate int64 rate units; numerator / denominator int64, the part of a year.
    """

    row: IntColumn
    from_on: DateColumn
    to_on: DateColumn
    days: IntColumn
    balance: IntColumn
    rate: IntColumn
    numerator: IntColumn
    denominator: IntColumn

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Segments":
        """The chosen stretches, by position or by mask."""
        return Segments(**{field.name: getattr(self, field.name)[rows] for field in fields(Segments)})

    def of_row(self, row: int) -> "tuple[Segment, ...]":
        """The stretches of one row, in their order."""
        return tuple(
            Segment(
                from_on=to_date(self.from_on[at]),
                to_on=to_date(self.to_on[at]),
                days=int(self.days[at]),
                balance_minor=int(self.balance[at]),
                rate_units=int(self.rate[at]),
                numerator=int(self.numerator[at]),
                denominator=int(self.denominator[at]),
            )
            for at in np.flatnonzero(self.row == row)
        )

    def exact(self, rows: int) -> tuple[ObjectColumn, ObjectColumn]:
        """Interest of each row before any rounding, as fractions of minor units (above, below)."""
        ratios = period_ratios(self.rate, self.numerator, self.denominator)
        return exact_sums(self.row, self.balance, ratios, rows)

    @classmethod
    def join(cls, parts: "Sequence[Segments]") -> "Segments":
        """Stretches one list after the other, sorted by row; within a row the lists keep their order."""
        joined = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)
        }
        return cls(**joined).take(sort_order(joined["row"]))

    @classmethod
    def none(cls) -> "Segments":
        """No stretch at all."""
        number, day = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
        return cls(number, day, day, number, number, number, number, number)

    @classmethod
    def of(cls, lists: "Sequence[Sequence[Segment]]") -> "Segments":
        """Columns from a list of stretches for each row."""
        rows = [(row, segment) for row, mine in enumerate(lists) for segment in mine]
        if not rows:
            return cls.none()
        names = ("days", "balance_minor", "rate_units", "numerator", "denominator")
        whole = (np.array([getattr(one, name) for _, one in rows], dtype=np.int64) for name in names)
        days = (
            np.array([getattr(one, name) for _, one in rows], "datetime64[D]")
            for name in ("from_on", "to_on")
        )
        return cls(np.array([row for row, _ in rows], dtype=np.int64), *days, *whole)


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch: `exact_minor` is balance x rate x factor before any rounding."""

    from_on: date
    to_on: date
    days: int
    balance_minor: int
    rate_units: int
    numerator: int
    denominator: int

    @property
    def factor(self) -> Fraction:
        """The part of a year; numerator and denominator keep it unreduced, as 92/360 is read."""
        return Fraction(self.numerator, self.denominator)

    @property
    def exact_minor(self) -> Fraction:
        """Interest of the stretch in minor units, unrounded."""
        return Fraction(self.balance_minor * self.rate_units, RATE_DENOMINATOR) * self.factor

    def __str__(self) -> str:
        part = f"{self.numerator}/{self.denominator}"
        return (
            f"{self.from_on} to {self.to_on}, {self.days} days: {self.balance_minor} x "
            f"{from_rate_units(self.rate_units)} % x {part} = {float_free(self.exact_minor)}"
        )


def float_free(value: Fraction, places: int = 4) -> str:
    """A fraction written to so many decimals, cut and not rounded, without passing through a float."""
    scaled = abs(value.numerator) * 10**places // value.denominator
    whole, rest = divmod(scaled, 10**places)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{places}d}"


def period_ratios(
    rate: IntColumn, numerator: IntColumn, denominator: IntColumn
) -> tuple[IntColumn, IntColumn]:
    """Rate x part of a year as one reduced fraction, so that interest is balance x ratio."""
    above, below = rate * numerator, RATE_DENOMINATOR * denominator
    divisor = np.gcd(above, below)
    return above // divisor, below // divisor


def sum_ratios(numerators: IntColumn, denominators: IntColumn) -> tuple[ObjectColumn, ObjectColumn]:
    """Row sums of fractions: simple interest over several periods on one balance."""
    above = np.zeros(numerators.shape[0], dtype=object)
    below = np.ones(numerators.shape[0], dtype=object)
    for column in range(numerators.shape[1]):
        other = denominators[:, column].astype(object)
        common = np.lcm(below, other)
        above = above * (common // below) + numerators[:, column].astype(object) * (common // other)
        below = common
    return above, below


def exact_sums(
    row: IntColumn, balance: IntColumn, ratios: tuple[IntColumn, IntColumn], rows: int
) -> tuple[ObjectColumn, ObjectColumn]:
    """balance x ratio summed by row (0 to rows - 1) without rounding, as fractions; rows must ascend."""
    above, below = ratios
    total_above, total_below = np.zeros(rows, dtype=object), np.ones(rows, dtype=object)
    starts = np.concatenate([np.ones(min(row.size, 1), dtype=bool), row[1:] != row[:-1]])
    first = np.flatnonzero(starts)
    depth = np.arange(row.size) - np.repeat(first, np.diff(np.append(first, row.size)))
    for level in range(int(depth.max(initial=-1)) + 1):
        mine = depth == level
        at = row[mine]
        product = balance[mine].astype(object) * above[mine].astype(object)
        bottom = below[mine].astype(object)
        common = np.lcm(total_below[at], bottom)
        total_above[at] = total_above[at] * (common // total_below[at]) + product * (common // bottom)
        total_below[at] = common
    return total_above, total_below


def interest_on(
    balance: IntColumn, numerator: IntColumn, denominator: IntColumn, rounding: Rounding
) -> IntColumn:
    """Interest of one period in minor units, rounded as named."""
    return round_ratios(balance, numerator, denominator, rounding)
