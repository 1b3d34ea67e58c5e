"""Exact money: minor units, named roundings, and sums that prove themselves.

An amount is a whole number of minor units (poisha for taka). A rate is a Decimal
percent a year at the edge and a whole number of *rate units* inside: one percent
is RATE_UNITS of them, so 6.125 % is 6_125_000.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

IntColumn = npt.NDArray[np.int64]
ObjectColumn = npt.NDArray[np.object_]

RATE_UNITS = 1_000_000
"""Rate units in one percent."""
RATE_DENOMINATOR = 100 * RATE_UNITS
"""Rate units in the number one, so balance x rate / RATE_DENOMINATOR is a year's interest."""

_SAFE = 2**62


class Component(IntEnum):
    """What an amount is; 1 to 4 are owed, in the order in which one instalment is settled.

    REFUND is money paid back out of an advance: a due that only an advance meets. RECOVERY is what
    was written off and may still come in: a due off the books, never arrears. Neither belongs to an
    instalment (number 0).
    """

    CHARGE = 1
    PENAL = 2
    INTEREST = 3
    PRINCIPAL = 4
    REFUND = 6
    RECOVERY = 7
    ADVANCE = 8
    SUSPENSE = 9


OWED = (Component.CHARGE, Component.PENAL, Component.INTEREST, Component.PRINCIPAL)


class RoundingMode(StrEnum):
    """How a fraction of the quantum is decided; UP is away from zero, DOWN towards it."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Rounding:
    """A rounding with its name: the mode, and the quantum in minor units (100 = a whole taka)."""

    mode: RoundingMode = RoundingMode.HALF_UP
    quantum_minor: int = 1

    def __post_init__(self) -> None:
        if self.quantum_minor < 1:
            raise ValueError(f"rounding quantum {self.quantum_minor} is not a positive number of minor units")


HALF_UP = Rounding()
HALF_EVEN = Rounding(RoundingMode.HALF_EVEN)
UP = Rounding(RoundingMode.UP)
DOWN = Rounding(RoundingMode.DOWN)


def to_minor(amount: Decimal, decimals: int = 2) -> int:
    """Minor units of a Decimal amount; ValueError if it is finer than the currency allows."""
    scaled = amount.scaleb(decimals)
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"amount {amount} is finer than {decimals} decimals")
    return int(scaled)


def from_minor(minor: int, decimals: int = 2) -> Decimal:
    """The Decimal amount of a whole number of minor units, with all its decimals."""
    return Decimal(int(minor)).scaleb(-decimals)


def to_rate_units(percent: Decimal) -> int:
    """Rate units of a Decimal percent a year; ValueError if finer than a millionth of a percent."""
    scaled = percent * RATE_UNITS
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"rate {percent} % is finer than a millionth of a percent")
    return int(scaled)


def from_rate_units(units: int) -> Decimal:
    """The Decimal percent a year of a whole number of rate units."""
    return (Decimal(int(units)) / RATE_UNITS).normalize() + Decimal(0)


def round_ratio(numerator: int, denominator: int, rounding: Rounding) -> int:
    """numerator / denominator minor units, rounded to the rounding's quantum; exact at any size.

    100 / 3 to the poisha is 33; 5 / 2 is 3 half up and 2 half even.
    """
    if denominator <= 0:
        raise ValueError(f"denominator {denominator} is not positive")
    step = denominator * rounding.quantum_minor
    whole, rest = divmod(abs(numerator), step)
    match rounding.mode:
        case RoundingMode.HALF_UP:
            carry = 2 * rest >= step
        case RoundingMode.HALF_EVEN:
            carry = 2 * rest > step or (2 * rest == step and whole % 2 == 1)
        case RoundingMode.UP:
            carry = rest > 0
        case RoundingMode.DOWN:
            carry = False
    rounded = (whole + carry) * rounding.quantum_minor
    return -rounded if numerator < 0 else rounded


def round_ratios(
    amounts: npt.ArrayLike, numerators: npt.ArrayLike, denominators: npt.ArrayLike, rounding: Rounding
) -> IntColumn:
    """amounts x numerators / denominators in columns, each rounded as `round_ratio` rounds.

    The ratio is reduced first; where a product could still pass 62 bits the whole column is
    computed in Python integers instead, so nothing ever wraps round.
    """
    amount, numerator, denominator = (
        np.asarray(column, dtype=np.int64) for column in (amounts, numerators, denominators)
    )
    if denominator.size and int(denominator.min()) <= 0:
        raise ValueError("a denominator is not positive")
    divisor = np.gcd(numerator, denominator)
    numerator, denominator = numerator // divisor, denominator // divisor
    if _largest(amount) * _largest(numerator) < _SAFE and (
        2 * _largest(denominator) * rounding.quantum_minor < _SAFE
    ):
        product = amount * numerator
        step = denominator * rounding.quantum_minor
    else:
        product = amount.astype(object) * numerator.astype(object)
        step = denominator.astype(object) * rounding.quantum_minor
    return round_quotients(product, step, rounding)


def round_quotients(
    product: IntColumn | ObjectColumn, step: IntColumn | ObjectColumn, rounding: Rounding
) -> IntColumn:
    """product / step in columns, rounded to whole steps and given in minor units.

    `step` is already denominator x quantum. Either column may hold Python integers.
    """
    size = np.abs(product)
    whole = size // step
    rest = size - whole * step
    match rounding.mode:
        case RoundingMode.HALF_UP:
            carry = 2 * rest >= step
        case RoundingMode.HALF_EVEN:
            carry = (2 * rest > step) | ((2 * rest == step) & (whole % 2 == 1))
        case RoundingMode.UP:
            carry = rest > 0
        case RoundingMode.DOWN:
            carry = np.zeros(np.shape(rest), dtype=bool)
    rounded = (whole + carry) * rounding.quantum_minor
    signed = np.where(product < 0, -rounded, rounded)
    if signed.dtype == object and signed.size and max(map(abs, signed.flat)) >= _SAFE:
        raise OverflowError("an amount does not fit in 62 bits of minor units")
    return np.asarray(signed, dtype=np.int64)


def split_by_ratio(amount_minor: int, ratios: Sequence[int], *, quantum_minor: int = 1) -> tuple[int, ...]:
    """Split an amount so that the parts add up to it exactly.

    Each part is rounded down to the quantum and the odd quanta go to the largest remainders,
    earlier parts first; 100.00 by 1:1:1 gives 33.34, 33.33, 33.33. ValueError if the amount is
    negative or finer than the quantum, or the ratios cannot carry it.
    """
    if amount_minor < 0 or amount_minor % quantum_minor:
        raise ValueError(f"amount {amount_minor} is negative or finer than {quantum_minor} minor units")
    total = sum(ratios)
    if not ratios or min(ratios) < 0 or total == 0:
        raise ValueError(f"ratios {list(ratios)} cannot carry an amount")
    quanta = amount_minor // quantum_minor
    parts = [quanta * ratio // total for ratio in ratios]
    remainders = [quanta * ratio % total for ratio in ratios]
    odd = quanta - sum(parts)
    for position in sorted(range(len(parts)), key=lambda i: (-remainders[i], i))[:odd]:
        parts[position] += 1
    if sum(parts) != quanta:
        raise ArithmeticError(f"parts {parts} do not add up to {quanta}")
    return tuple(part * quantum_minor for part in parts)


def _largest(column: IntColumn) -> int:
    """Largest size in a column as a Python integer, so that a bound on a product cannot wrap."""
    return max(abs(int(column.max())), abs(int(column.min()))) if column.size else 0
