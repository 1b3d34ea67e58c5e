from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import (
    EVERY_DAY,
    NO_DATE,
    BusinessCalendar,
    Frequency,
    RollRule,
    Weekday,
    add_months,
    add_months_columns,
    dates,
    due_dates,
    months_between,
    to_date,
)

days = st.dates(date(2000, 1, 1), date(2040, 12, 31))
BANGLADESH = BusinessCalendar(holidays=frozenset({date(2026, 3, 26), date(2026, 4, 14)}))


def test_months_end_where_the_month_ends_and_come_back_to_the_seed_day() -> None:
    assert add_months(date(2025, 1, 31), 1) == date(2025, 2, 28)
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2025, 2, 28), 1, seed_day=31) == date(2025, 3, 31)
    assert add_months(date(2025, 3, 31), -1) == date(2025, 2, 28)
    assert add_months(date(2025, 1, 31), 12) == date(2026, 1, 31)


@given(days, st.integers(-60, 60))
def test_adding_months_keeps_the_day_or_the_month_end(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and (moved + timedelta(days=1)).month != moved.month)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2025-03-31", "2025-06-29", 2),
        ("2025-03-31", "2025-06-30", 3),
        ("2025-01-31", "2025-02-27", 0),
        ("2025-01-31", "2025-02-28", 1),
        ("2025-11-30", "2026-02-28", 3),
        ("2025-08-31", "2025-08-31", 0),
        ("2025-08-31", "2025-08-30", 0),
    ],
)
def test_months_between_is_the_greatest_number_that_fits(start: str, end: str, months: int) -> None:
    assert months_between(dates([start]), np.datetime64(end, "D")).tolist() == [months]


@given(days, st.integers(0, 900))
def test_months_between_agrees_with_trying_one_month_after_another(day: date, length: int) -> None:
    end = day + timedelta(days=length)
    months = 0
    while add_months(day, months + 1) <= end:
        months += 1
    assert months_between(dates([day]), end).tolist() == [months]


def test_a_missing_date_stays_missing_and_counts_no_months() -> None:
    column = np.array([NO_DATE, np.datetime64("2025-01-31")])
    assert np.isnat(add_months_columns(column, 1)).tolist() == [True, False]
    assert months_between(column, date(2025, 3, 31)).tolist() == [0, 2]
    assert np.isnat(BANGLADESH.roll(column, RollRule.FOLLOWING)).tolist() == [True, False]
    with pytest.raises(ValueError, match="no date"):
        to_date(NO_DATE)


@pytest.mark.parametrize(
    ("day", "rule", "rolled"),
    [
        # 26 March 2026 is a Thursday and a holiday; Friday and Saturday follow
        ("2026-03-26", RollRule.NONE, "2026-03-26"),
        ("2026-03-26", RollRule.FOLLOWING, "2026-03-29"),
        ("2026-03-26", RollRule.PRECEDING, "2026-03-25"),
        ("2026-03-26", RollRule.MODIFIED_FOLLOWING, "2026-03-29"),
        # 31 July 2026 is a Friday: the next business day lies in August
        ("2026-07-31", RollRule.FOLLOWING, "2026-08-02"),
        ("2026-07-31", RollRule.MODIFIED_FOLLOWING, "2026-07-30"),
        ("2026-07-30", RollRule.MODIFIED_FOLLOWING, "2026-07-30"),
    ],
)
def test_a_due_date_on_a_holiday_rolls_as_the_rule_says(day: str, rule: RollRule, rolled: str) -> None:
    assert BANGLADESH.roll(dates([day]), rule).astype(str).tolist() == [rolled]


@given(days, st.sampled_from(list(RollRule)))
def test_a_rolled_date_is_a_business_day_unless_nothing_rolls(day: date, rule: RollRule) -> None:
    rolled = BANGLADESH.roll(dates([day]), rule)
    if rule is not RollRule.NONE:
        assert BANGLADESH.is_business_day(rolled).all()
    if BANGLADESH.is_business_day(dates([day]))[0]:
        assert to_date(rolled[0]) == day


def test_the_next_business_day_skips_weekend_and_holiday() -> None:
    assert BANGLADESH.next_business_day(date(2026, 3, 25)) == date(2026, 3, 29)
    assert EVERY_DAY.next_business_day(date(2026, 3, 25)) == date(2026, 3, 26)


def test_a_week_without_a_working_day_is_refused() -> None:
    with pytest.raises(ValueError, match="working day"):
        BusinessCalendar(weekend=frozenset(Weekday))


@pytest.mark.parametrize(
    ("frequency", "every_days", "expected"),
    [
        (Frequency.WEEKLY, 0, ["2025-02-07", "2025-02-14"]),
        (Frequency.FORTNIGHTLY, 0, ["2025-02-14", "2025-02-28"]),
        (Frequency.EVERY_N_DAYS, 15, ["2025-02-15", "2025-03-02"]),
        (Frequency.MONTHLY, 0, ["2025-02-28", "2025-03-31"]),
        (Frequency.QUARTERLY, 0, ["2025-04-30", "2025-07-31"]),
        (Frequency.HALF_YEARLY, 0, ["2025-07-31", "2026-01-31"]),
        (Frequency.YEARLY, 0, ["2026-01-31", "2027-01-31"]),
    ],
)
def test_due_dates_are_counted_from_the_seed(
    frequency: Frequency, every_days: int, expected: list[str]
) -> None:
    due = due_dates(dates(["2025-01-31"]), np.array([1, 2]), frequency, every_days=every_days)
    assert due.nominal[0].astype(str).tolist() == expected
    assert due.adjusted.tolist() == due.nominal.tolist()


def test_both_the_nominal_and_the_adjusted_date_are_kept() -> None:
    due = due_dates(
        dates(["2026-02-26"]),
        np.array([1, 2]),
        Frequency.MONTHLY,
        calendar=BANGLADESH,
        roll=RollRule.FOLLOWING,
    )
    assert due.nominal[0].astype(str).tolist() == ["2026-03-26", "2026-04-26"]
    assert due.adjusted[0].astype(str).tolist() == ["2026-03-29", "2026-04-26"]


def test_every_n_days_needs_its_number() -> None:
    with pytest.raises(ValueError, match="number of days"):
        due_dates(dates(["2025-01-31"]), np.array([1]), Frequency.EVERY_N_DAYS)
