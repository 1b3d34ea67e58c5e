"""The annual percentage rate of a loan, in the two published ways, in decimals and never a float.

Effective (EU Directive 2008/48, annex I): the rate X with sum of advances / (1+X)^t = sum of
repayments / (1+X)^t, t in days over 365. Unit period (US Regulation Z, appendix J): the rate per
unit period, odd fractions at simple interest, times unit periods a year.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

_PRECISION = 40
_STEPS = 110
_HIGHEST = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Payment:
    """Repayments of one amount: so many whole unit periods and a fraction after the advance."""

    periods: int
    amount_minor: int
    fraction: Fraction = Fraction(0)


def effective_apr(
    advances: Sequence[tuple[date, int]], repayments: Sequence[tuple[date, int]], *, year_days: int = 365
) -> Decimal:
    """Effective percent a year, to ten decimals; dates with minor units.

    1,000 on 1 January 1994 repaid by 1,200 on 1 July 1995 is 12.96 %. ValueError if nothing is
    advanced or the repayments do not cover the advances.
    """
    _check([amount for _, amount in advances], [amount for _, amount in repayments])
    start = min(day for day, _ in advances)

    def shortfall(rate: Decimal) -> Decimal:
        def worth(flows: Sequence[tuple[date, int]]) -> Decimal:
            years = ((Decimal((day - start).days) / year_days, amount) for day, amount in flows)
            return sum((amount / (1 + rate) ** year for year, amount in years), Decimal(0))

        return worth(repayments) - worth(advances)

    return _solve(shortfall) * 100


def unit_period_apr(advance_minor: int, payments: Sequence[Payment], *, periods_per_year: int) -> Decimal:
    """Nominal percent a year, to ten decimals: the rate per unit period x unit periods a year.

    6,000 repaid by 36 monthly payments of 200, the first after one month and 19/30, is 11.82 %.
    """
    _check([advance_minor], [payment.amount_minor for payment in payments])

    def shortfall(rate: Decimal) -> Decimal:
        worth = Decimal(0)
        for payment in payments:
            odd = Decimal(payment.fraction.numerator) / payment.fraction.denominator
            worth += payment.amount_minor / ((1 + odd * rate) * (1 + rate) ** payment.periods)
        return worth - advance_minor

    return _solve(shortfall) * periods_per_year * 100


def nominal_rate(annual_rate: Decimal, *, compounded: int, paid: int) -> Decimal:
    """The nominal percent a year, paid so often, that a rate compounded so often comes to.

    Rounded half even to the millionth of a percent, the finest a rate can be held: 3.8 % compounded
    twice a year and paid quarterly is 3.782119 %.
    """
    with localcontext() as context:
        context.prec = _PRECISION
        growth = (1 + annual_rate / 100 / compounded) ** (Decimal(compounded) / paid)
        return ((growth - 1) * paid * 100).quantize(Decimal("0.000001"))


def _check(advances: Sequence[int], repayments: Sequence[int]) -> None:
    if sum(advances) <= 0 or sum(repayments) < sum(advances):
        raise ValueError("a rate needs an advance and repayments that cover it")


def _solve(shortfall: Callable[[Decimal], Decimal]) -> Decimal:
    """The rate at which repayments are worth the advance, by halving: worth falls as the rate rises."""
    with localcontext() as context:
        context.prec = _PRECISION
        low, high = Decimal(0), _HIGHEST
        if shortfall(high) > 0:
            raise ValueError(f"the rate lies beyond {_HIGHEST * 100} % a period")
        for _ in range(_STEPS):
            middle = (low + high) / 2
            if shortfall(middle) > 0:
                low = middle
            else:
                high = middle
        return high.quantize(Decimal("0.000000000001"))
