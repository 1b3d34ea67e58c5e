from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.interest import Segment, float_free, interest_on, level_instalments, period_ratios, sum_ratios
from calc.money import HALF_UP, Rounding, RoundingMode, round_ratio, to_rate_units

rates = st.integers(0, 40_000_000)


def _column(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@given(st.integers(1, 10**13), rates, st.integers(0, 366), st.sampled_from([360, 365, 365 * 366]))
def test_interest_is_balance_times_rate_times_part_of_a_year(
    balance: int, rate: int, days: int, basis: int
) -> None:
    above, below = period_ratios(_column(rate), _column(days), _column(basis))
    exact = Fraction(balance * rate * days, 100_000_000 * basis)
    expected = round_ratio(exact.numerator, exact.denominator, HALF_UP)
    assert interest_on(_column(balance), above, below, HALF_UP).tolist() == [expected]


@given(st.integers(1, 10**12), rates.filter(bool), st.integers(1, 60))
def test_the_level_instalment_is_the_textbook_formula_when_periods_are_alike(
    balance: int, rate: int, count: int
) -> None:
    i = Fraction(rate, 12 * 100_000_000)
    exact = balance * i * (1 + i) ** count / ((1 + i) ** count - 1)
    expected = round_ratio(exact.numerator, exact.denominator, HALF_UP)
    above = np.full((1, count), i.numerator, dtype=np.int64)
    below = np.full((1, count), i.denominator, dtype=np.int64)
    assert level_instalments(_column(balance), above, below, HALF_UP).tolist() == [expected]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from([360, 365])), min_size=1, max_size=24),
    st.integers(10**6, 10**10),
)
def test_the_level_instalment_of_uneven_periods_brings_the_balance_to_nothing(
    periods: list[tuple[int, int]], balance: int
) -> None:
    above, below = np.array([[days for days, _ in periods]]), np.array([[8 * basis for _, basis in periods]])
    level = level_instalments(_column(balance), above, below, Rounding(RoundingMode.DOWN))
    enough = level_instalments(_column(balance), above, below, Rounding(RoundingMode.UP))
    for payment, sign in ((level, 1), (enough, -1)):
        left = Fraction(balance)
        for numerator, denominator in zip(above[0].tolist(), below[0].tolist(), strict=True):
            left = left * (1 + Fraction(numerator, denominator)) - int(payment[0])
        assert left * sign >= 0


def test_without_interest_the_level_instalment_is_an_equal_part() -> None:
    zero, one = np.zeros((1, 3), dtype=np.int64), np.ones((1, 3), dtype=np.int64)
    assert level_instalments(_column(1000), zero, one, HALF_UP).tolist() == [333]


@given(
    st.lists(st.tuples(st.integers(0, 500), st.sampled_from([12, 360, 372, 348])), min_size=1, max_size=12)
)
def test_fractions_add_up_exactly(parts: list[tuple[int, int]]) -> None:
    above, below = sum_ratios(
        np.array([[numerator for numerator, _ in parts]]), np.array([[bottom for _, bottom in parts]])
    )
    assert Fraction(int(above[0]), int(below[0])) == sum(Fraction(n, d) for n, d in parts)


def test_fractions_without_a_small_common_denominator_are_summed_exactly() -> None:
    primes = np.array([[1_000_003, 1_000_033, 1_000_037]])
    above, below = sum_ratios(np.ones_like(primes), primes)
    assert Fraction(above[0], below[0]) == sum(Fraction(1, prime) for prime in primes[0].tolist())


def test_a_segment_says_how_its_interest_comes_about() -> None:
    segment = Segment(
        from_on=date(2025, 1, 1),
        to_on=date(2025, 4, 1),
        days=90,
        balance_minor=1_00_00_000_00,
        rate_units=to_rate_units(Decimal(2)),
        numerator=90,
        denominator=360,
    )
    assert segment.exact_minor == 50_000_00
    assert str(segment) == "2025-01-01 to 2025-04-01, 90 days: 1000000000 x 2 % x 90/360 = 5000000.0000"


@pytest.mark.parametrize(
    ("value", "text"), [(Fraction(1, 3), "0.3333"), (Fraction(-7, 2), "-3.5000"), (Fraction(2), "2.0000")]
)
def test_a_fraction_is_written_without_a_float(value: Fraction, text: str) -> None:
    assert float_free(value) == text
