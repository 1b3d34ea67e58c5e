"""Interest as balance x rate x part of a year, in columns.

A segment is a stretch of days with one balance and one rate. The same segments compute the
interest and explain it: days, basis, balance, rate, product.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from calc.calendar import DateColumn
from calc.money import RATE_DENOMINATOR, IntColumn, Rounding, from_rate_units, round_ratios


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


def sum_ratios(numerators: IntColumn, denominators: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Row sums of fractions, reduced: simple interest over several periods on one balance."""
    above: IntColumn = np.zeros(numerators.shape[0], dtype=np.int64)
    below: IntColumn = np.ones(numerators.shape[0], dtype=np.int64)
    for column in range(numerators.shape[1]):
        common: IntColumn = np.lcm(below, denominators[:, column])
        if common.size and int(common.max()) > 2**40:
            raise OverflowError("these periods have no common denominator within 40 bits")
        above = above * (common // below) + numerators[:, column] * (common // denominators[:, column])
        divisor = np.gcd(above, common)
        above, below = above // divisor, common // divisor
    return above, below


def interest_on(
    balance: IntColumn, numerator: IntColumn, denominator: IntColumn, rounding: Rounding
) -> IntColumn:
    """Interest of one period in minor units, rounded as named."""
    return round_ratios(balance, numerator, denominator, rounding)
