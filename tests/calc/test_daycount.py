from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import add_months
from calc.daycount import DayCount, counted_days, year_fraction, year_fractions

days = st.dates(date(1899, 1, 1), date(2101, 12, 31))


@pytest.mark.parametrize(
    ("start", "end", "day_count", "expected"),
    [
        # published examples of the 30/360 family: the end of February is where they differ
        (date(2007, 1, 15), date(2007, 1, 30), DayCount.THIRTY_360, Fraction(15, 360)),
        (date(2007, 1, 15), date(2007, 2, 15), DayCount.THIRTY_360, Fraction(30, 360)),
        (date(2006, 8, 31), date(2007, 2, 28), DayCount.THIRTY_360, Fraction(178, 360)),
        (date(2007, 2, 28), date(2007, 3, 31), DayCount.THIRTY_360, Fraction(33, 360)),
        (date(2007, 2, 28), date(2007, 3, 31), DayCount.THIRTY_E_360, Fraction(32, 360)),
        (date(2007, 10, 31), date(2008, 11, 28), DayCount.THIRTY_E_360, Fraction(388, 360)),
        (date(2025, 1, 1), date(2025, 4, 1), DayCount.ACT_360, Fraction(90, 360)),
        (date(2025, 1, 1), date(2025, 4, 1), DayCount.ACT_365F, Fraction(90, 365)),
        # ISDA's own example: 1 November 2003 to 1 May 2004
        (date(2003, 11, 1), date(2004, 5, 1), DayCount.ACT_ACT, Fraction(61, 365) + Fraction(121, 366)),
        (date(2025, 1, 31), date(2025, 2, 28), DayCount.MONTHLY_12, Fraction(1, 12)),
        (date(2025, 2, 28), date(2025, 3, 31), DayCount.MONTHLY_12, Fraction(1, 12)),
        (date(2025, 1, 15), date(2025, 2, 20), DayCount.MONTHLY_12, Fraction(33, 28 * 12)),
        (date(2024, 1, 1), date(2024, 1, 16), DayCount.MONTHLY_12, Fraction(15, 31 * 12)),
    ],
)
def test_the_part_of_a_year_is_the_published_one(
    start: date, end: date, day_count: DayCount, expected: Fraction
) -> None:
    assert year_fraction(start, end, day_count) == expected


@pytest.mark.parametrize(
    ("number", "basis", "interest"),
    [(90, 360, "50000.00"), (90, 365, "49315.07"), (92, 360, "51111.11"), (92, 365, "50410.96")],
)
def test_a_crore_at_two_percent_differs_by_basis_as_domain_5_3_says(
    number: int, basis: int, interest: str
) -> None:
    from decimal import Decimal

    from calc.money import HALF_UP, from_minor, round_ratio

    day_count = DayCount.ACT_360 if basis == 360 else DayCount.ACT_365F
    part = year_fraction(date(2025, 3, 1), date(2025, 3, 1) + timedelta(days=number), day_count)
    amount = round_ratio(1_00_00_000_00 * 2 * part.numerator, 100 * part.denominator, HALF_UP)
    assert from_minor(amount) == Decimal(interest)


def _plain_act_act(start: date, end: date) -> Fraction:
    total = Fraction(0)
    day = start
    while day < end:
        leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        total += Fraction(1, 366 if leap else 365)
        day += timedelta(days=1)
    return total


@given(days, st.integers(0, 1000))
def test_actual_actual_counts_each_day_by_its_own_year(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    assert year_fraction(start, end, DayCount.ACT_ACT) == _plain_act_act(start, end)


@given(days, st.integers(0, 60))
def test_whole_months_are_twelfths_whatever_their_length(start: date, months: int) -> None:
    assert year_fraction(start, add_months(start, months), DayCount.MONTHLY_12) == Fraction(months, 12)


@given(days, st.integers(0, 800), st.sampled_from(list(DayCount)))
def test_a_later_end_never_counts_less(start: date, length: int, day_count: DayCount) -> None:
    end = start + timedelta(days=length)
    part = year_fraction(start, end, day_count)
    assert 0 <= part <= year_fraction(start, end + timedelta(days=1), day_count)


@given(days, days)
def test_european_days_follow_the_written_formula(start: date, end: date) -> None:
    start, end = min(start, end), max(start, end)
    expected = (
        360 * (end.year - start.year) + 30 * (end.month - start.month) + min(end.day, 30) - min(start.day, 30)
    )
    column = counted_days(
        np.array([start], dtype="datetime64[D]"),
        np.array([end], dtype="datetime64[D]"),
        DayCount.THIRTY_E_360,
    )
    assert column.tolist() == [expected]


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    start = np.array(["2025-02-01", "2025-03-01"], dtype="datetime64[D]")
    with pytest.raises(ValueError, match="ends before it starts"):
        year_fractions(start, start[::-1], DayCount.ACT_360)
