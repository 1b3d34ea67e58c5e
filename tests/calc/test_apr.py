from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.interest import (
    Payment,
    effective_apr,
    effective_apr_after,
    nominal_rate,
    unit_period_apr,
    years_of_equal_months,
)
from calc.schedule import Method, Terms, build_schedule


@given(st.integers(1, 4800).map(lambda hundredths: Decimal(hundredths) / 100), st.integers(2, 60))
def test_a_monthly_plan_without_charges_costs_its_own_rate(rate: Decimal, count: int) -> None:
    plan = build_schedule(
        Terms(
            method=Method.EQUAL_INSTALMENT,
            instalments=count,
            principal_minor=10**12,
            annual_rate=rate,
            disbursed_on=date(2025, 1, 1),
        )
    )
    payments = [Payment(period.period, period.total_minor) for period in plan.periods]
    apr = unit_period_apr(10**12, payments, periods_per_year=12)
    assert abs(apr - rate) < Decimal("0.000001")


@given(st.integers(1, 2000), st.integers(30, 3650))
def test_one_payment_s_effective_rate_can_be_turned_back(interest: int, length: int) -> None:
    start = date(2024, 1, 1)
    end = start + timedelta(days=length)
    apr = effective_apr([(start, 10_000)], [(end, 10_000 + interest)])
    grown = Decimal(10_000) * (1 + apr / 100) ** (Decimal(length) / 365)
    assert abs(grown - (10_000 + interest)) < Decimal("0.0001")


def test_an_odd_first_fraction_is_discounted_at_simple_interest() -> None:
    payments = [Payment(n, 200_00, Fraction(19, 30)) for n in range(1, 37)]
    assert unit_period_apr(6000_00, payments, periods_per_year=12).quantize(Decimal("0.01")) == Decimal(
        "11.82"
    )


def test_money_given_back_in_full_without_interest_costs_nothing() -> None:
    assert effective_apr([(date(2025, 1, 1), 100)], [(date(2025, 6, 1), 100)]) < Decimal("0.0000001")


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        (date(2026, 1, 12), date(2026, 3, 15), Fraction(2, 12) + Fraction(3, 365)),
        (date(2025, 1, 31), date(2025, 2, 28), Fraction(28, 366)),
        (date(2025, 1, 28), date(2025, 2, 28), Fraction(1, 12)),
        (date(2024, 2, 27), date(2024, 5, 29), Fraction(3, 12) + Fraction(2, 366)),
        (date(2024, 2, 29), date(2025, 2, 28), Fraction(11, 12) + Fraction(28, 366)),
        (date(2025, 5, 1), date(2025, 5, 1), Fraction(0)),
    ],
)
def test_equal_months_are_counted_back_from_the_end_and_days_are_left_over(
    start: date, end: date, years: Fraction
) -> None:
    assert years_of_equal_months(start, end) == years


def test_money_that_comes_before_the_advance_has_no_interval() -> None:
    with pytest.raises(ValueError, match="before the first advance"):
        years_of_equal_months(date(2025, 5, 2), date(2025, 5, 1))


def test_months_of_any_length_cost_the_same_when_they_are_equal() -> None:
    advance = [(date(2025, 1, 1), 100_000)]
    repaid = [(date(2025, 1 + month, 1), 34_000) for month in (1, 2, 3)]
    by_years = effective_apr_after(
        [(Fraction(0), 100_000)], [(Fraction(month, 12), 34_000) for month in (1, 2, 3)]
    )
    assert effective_apr(advance, repaid, equal_months=True) == by_years
    assert effective_apr(advance, repaid) != by_years


def test_advances_in_turn_are_worth_less_than_one_at_the_start() -> None:
    repaid = [Payment(12, 110_000)]
    in_turn = [Payment(0, 50_000), Payment(6, 50_000)]
    assert unit_period_apr(100_000, repaid, periods_per_year=12) == unit_period_apr(
        [Payment(0, 100_000)], repaid, periods_per_year=12
    )
    apr = unit_period_apr(in_turn, repaid, periods_per_year=12)
    grown = 1 + apr / 1200
    assert abs(50_000 * grown**12 + 50_000 * grown**6 - 110_000) < Decimal("0.01")


def test_compounding_as_often_as_paying_leaves_the_rate_alone() -> None:
    assert nominal_rate(Decimal("6.5"), compounded=4, paid=4) == Decimal("6.500000")
    assert nominal_rate(Decimal("3.8"), compounded=2, paid=4) == Decimal("3.782119")


@pytest.mark.parametrize(
    ("advances", "repayments"),
    [([], []), ([(date(2025, 1, 1), 100)], [(date(2025, 2, 1), 99)]), ([(date(2025, 1, 1), 0)], [])],
)
def test_repayments_that_do_not_cover_the_advance_have_no_rate(
    advances: list[tuple[date, int]], repayments: list[tuple[date, int]]
) -> None:
    with pytest.raises(ValueError, match="cover it"):
        effective_apr(advances, repayments)


def test_a_rate_beyond_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        unit_period_apr(1, [Payment(1, 10_000)], periods_per_year=12)
