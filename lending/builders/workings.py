"""How the interest of one period came about: days, basis, balance, rate, product, rounding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.utils.functional import Promise

from calc.interest import Segment
from calc.money import Rounding, from_rate_units, round_ratio
from calc.schedule import Method, Period, Terms
from daybook.formats import digits
from lending import words

_PLACES = 8


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days with one balance and one rate. Money in minor units; `exact_minor` is the product, unrounded."""

    from_on: date
    to_on: date
    days: int
    balance_minor: int
    rate_percent: Decimal
    numerator: int
    denominator: int
    exact_minor: Fraction

    @classmethod
    def of(cls, part: Segment) -> Stretch:
        """A stretch as calc explains it."""
        return cls(
            from_on=part.from_on,
            to_on=part.to_on,
            days=part.days,
            balance_minor=part.balance_minor,
            rate_percent=from_rate_units(part.rate_units),
            numerator=part.numerator,
            denominator=part.denominator,
            exact_minor=part.exact_minor,
        )

    @property
    def factor_text(self) -> str:
        """The part of a year as a fraction, in the digits of the page."""
        return digits(f"{self.numerator}/{self.denominator}")

    @property
    def exact_taka(self) -> Decimal:
        """The product before rounding, to six places of the currency's unit, cut."""
        return cut(self.exact_minor)


@dataclass(frozen=True, slots=True)
class Working:
    """The interest of one period: its stretches, what it takes over or shares, and the rounding.

    `other_minor` is the part that the stretches do not make up: interest put off by a grace (it falls due
    now), or what equal parts of a flat interest add or leave. Interest that joins the principal is
    compounded without rounding in between, which may move it by a minor unit.
    """

    stretches: tuple[Stretch, ...]
    interest_minor: int
    rounding: Rounding
    is_flat: bool = False
    joins_principal: bool = False

    @property
    def exact_minor(self) -> Fraction:
        """All products together."""
        return sum((part.exact_minor for part in self.stretches), Fraction(0))

    @property
    def exact_taka(self) -> Decimal:
        """All products together, cut to six places."""
        return cut(self.exact_minor)

    @property
    def rounded_minor(self) -> int:
        """All products together, rounded as the contract says."""
        exact = self.exact_minor
        return round_ratio(exact.numerator, exact.denominator, self.rounding)

    @property
    def other_minor(self) -> int:
        """What falls due beyond (or short of) the rounded products."""
        return self.interest_minor - self.rounded_minor

    @property
    def quantum_taka(self) -> Decimal:
        """To what the interest is rounded."""
        return Decimal(self.rounding.quantum_minor).scaleb(-2)

    @property
    def rounding_label(self) -> Promise | str:
        """How a half, or any fraction, is decided."""
        return words.ROUNDINGS[self.rounding.mode]


def cut(minor: Fraction) -> Decimal:
    """Minor units as the currency's unit, to eight places, cut."""
    scaled = minor * 10 ** (_PLACES - 2)
    return Decimal(scaled.numerator // scaled.denominator).scaleb(-_PLACES).quantize(Decimal("0.000001"))


def working_of(period: Period, terms: Terms) -> Working | None:
    """The working of one period; None where no interest is counted."""
    if not period.segments or not (period.interest_minor or period.capitalised_minor):
        return None
    return Working(
        stretches=tuple(Stretch.of(part) for part in period.segments),
        interest_minor=period.interest_minor or period.capitalised_minor,
        rounding=terms.interest_rounding,
        is_flat=terms.method is Method.FLAT and bool(period.interest_minor),
        joins_principal=not period.interest_minor,
    )
