"""The annual percentage rate of a loan, in the two published ways, in decimals and never a float.

Effective (EU Directive 2008/48, annex I): the rate X with sum of advances / (1+X)^t = sum of
repayments / (1+X)^t, t in years: days over 365, or whole months as twelfths. Unit period (US
Regulation Z, appendix J): the rate per unit period, odd fractions at simple interest, times unit
periods a year.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

from calc.calendar import add_months

_PRECISION = 40
_STEPS = 110
_HIGHEST = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Payment:
    """One amount, so many whole unit periods and a fraction after the first advance."""

    periods: int
    amount_minor: int
    fraction: Fraction = Fraction(0)


def effective_apr(
    advances: Sequence[tuple[date, int]],
    repayments: Sequence[tuple[date, int]],
    *,
    year_days: int | Decimal = 365,
    equal_months: bool = False,
) -> Decimal:
    """Effective percent a year, to ten decimals; dates with minor units.

    Time is counted in days over `year_days`, or with `equal_months` in whole months as twelfths and
    days left over (`years_of_equal_months`). 1,000 on 1 January 1994 repaid by 1,200 on 1 July 1995
    is 12.96 % by days and 12.92 % by months. ValueError if nothing is advanced or the repayments do
    not cover the advances.
    """
    _check([amount for _, amount in advances], [amount for _, amount in repayments])
    start = min(day for day, _ in advances)

    def after(flows: Sequence[tuple[date, int]]) -> list[tuple[Fraction, int]]:
        if equal_months:
            return [(years_of_equal_months(start, day), amount) for day, amount in flows]
        return [(Fraction((day - start).days) / Fraction(year_days), amount) for day, amount in flows]

    return effective_apr_after(after(advances), after(repayments))


def effective_apr_after(
    advances: Sequence[tuple[Fraction, int]], repayments: Sequence[tuple[Fraction, int]]
) -> Decimal:
    """`effective_apr` from years after the first advance instead of dates.

    1,000 repaid by 272 after a quarter, 272 after half a year and 544 after a year is 13.19 %.
    """
    _check([amount for _, amount in advances], [amount for _, amount in repayments])

    def shortfall(rate: Decimal) -> Decimal:
        def worth(flows: Sequence[tuple[Fraction, int]]) -> Decimal:
            powers = ((1 + rate) ** (Decimal(year.numerator) / year.denominator) for year, _ in flows)
            return sum((amount / power for power, (_, amount) in zip(powers, flows, strict=True)), Decimal(0))

        return worth(repayments) - worth(advances)

    return _solve(shortfall) * 100


def years_of_equal_months(start: date, end: date) -> Fraction:
    """Years between two dates in whole months, counted back from the end, and the days left before them.

    The days count over 365, or 366 where a 29 February lies in the year that ends with the last of them
    (Directive 2014/17, annex I, remark c). 12 January to 15 March 2026 is 2 months and 3 days: 2/12 + 3/365.
    ValueError if the end lies before the start.
    """
    if end < start:
        raise ValueError(f"{end} lies before the first advance of {start}")
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(end, -months) < start:
        months -= 1
    until = add_months(end, -months)
    year = (until - add_months(until, -12)).days
    return Fraction(months, 12) + Fraction((until - start).days, year)


def unit_period_apr(
    advances: int | Sequence[Payment], payments: Sequence[Payment], *, periods_per_year: int
) -> Decimal:
    """Nominal percent a year, to ten decimals: the rate per unit period x unit periods a year.

    `advances` is the one advance in minor units, or several with their times. 6,000 repaid by 36
    monthly payments of 200, the first after one month and 19/30, is 11.82 %.
    """
    lent = [Payment(0, advances)] if isinstance(advances, int) else advances
    _check([advance.amount_minor for advance in lent], [payment.amount_minor for payment in payments])

    def shortfall(rate: Decimal) -> Decimal:
        def worth(flows: Sequence[Payment]) -> Decimal:
            total = Decimal(0)
            for flow in flows:
                odd = Decimal(flow.fraction.numerator) / flow.fraction.denominator
                total += flow.amount_minor / ((1 + odd * rate) * (1 + rate) ** flow.periods)
            return total

        return worth(payments) - worth(lent)

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
