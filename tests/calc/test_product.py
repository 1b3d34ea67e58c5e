"""Daily product against adding up day by day."""

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import dates
from calc.daycount import DayCount, year_fraction
from calc.interest import Movements, Rates, Spans, daily_product, penal_interest
from calc.money import HALF_EVEN, HALF_UP, RATE_DENOMINATOR, round_ratio

START = date(2024, 1, 20)
days = st.integers(0, 90).map(lambda n: START + timedelta(days=n))
moves = st.lists(st.tuples(st.integers(1, 3), days, st.integers(-500_000, 1_000_000)), max_size=10)
changes = st.lists(st.tuples(st.integers(1, 3), days, st.integers(0, 20_000_000)), max_size=4)
stretches = st.lists(st.tuples(st.integers(1, 3), days, st.integers(0, 60)), min_size=1, max_size=5)

Moves = list[tuple[int, date, int]]


def _columns(rows: Moves) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        dates(row[1] for row in rows),
        np.array([row[2] for row in rows], dtype=np.int64),
    )


def _spans(rows: Moves) -> Spans:
    loan, start, length = _columns(rows)
    return Spans(loan, start, start + length.astype("timedelta64[D]"))


def _first_on_each_day(rows: Moves) -> Moves:
    """One rate a loan and day, so that there is no question which is in force."""
    return [(loan, on, rate) for (loan, on), rate in {(r[0], r[1]): r[2] for r in rows}.items()]


def _day_by_day(moved: Moves, rated: Moves, loan: int, start: date, length: int, basis: int) -> Fraction:
    total = Fraction(0)
    for n in range(length):
        day = start + timedelta(days=n)
        balance = sum(amount for who, on, amount in moved if who == loan and on <= day)
        known = [(on, rate) for who, on, rate in rated if who == loan and on <= day]
        rate = max(known)[1] if known else 0
        total += Fraction(max(balance, 0) * rate, RATE_DENOMINATOR * basis)
    return total


@pytest.mark.parametrize(("day_count", "basis"), [(DayCount.ACT_360, 360), (DayCount.ACT_365F, 365)])
@given(moved=moves, rated=changes, asked=stretches)
def test_interest_is_the_sum_of_every_day_s_balance_rounded_once(
    day_count: DayCount, basis: int, moved: Moves, rated: Moves, asked: Moves
) -> None:
    rated = _first_on_each_day(rated)
    interest, _ = daily_product(
        Movements(*_columns(moved)), Rates(*_columns(rated)), _spans(asked), day_count, HALF_UP
    )
    for ours, (loan, start, length) in zip(interest.tolist(), asked, strict=True):
        exact = _day_by_day(moved, rated, loan, start, length, basis)
        assert ours == round_ratio(exact.numerator, exact.denominator, HALF_UP)


@given(moves, changes, stretches, st.sampled_from(list(DayCount)))
def test_the_segments_of_a_span_cover_it_and_add_up_to_its_part_of_a_year(
    moved: Moves, rated: Moves, asked: Moves, day_count: DayCount
) -> None:
    spans = _spans(asked)
    _, segments = daily_product(
        Movements(*_columns(moved)), Rates(*_columns(_first_on_each_day(rated))), spans, day_count, HALF_UP
    )
    for row, (_, start, length) in enumerate(asked):
        mine = np.flatnonzero(segments.row == row)
        end = start + timedelta(days=length)
        assert segments.from_on[mine[0]].item() == start
        assert segments.to_on[mine[-1]].item() == end
        assert (segments.from_on[mine[1:]] == segments.to_on[mine[:-1]]).all()
        parts = (Fraction(int(segments.numerator[at]), int(segments.denominator[at])) for at in mine)
        assert sum(parts) == year_fraction(start, end, day_count)


def test_an_over_payment_bears_nothing_and_a_change_on_the_first_day_cuts_nothing() -> None:
    moved = [
        (1, date(2025, 1, 1), 1_000_00),
        (1, date(2025, 1, 11), -1_500_00),
        (1, date(2025, 1, 21), 800_00),
    ]
    rated = [(1, date(2025, 1, 1), 36_000_000)]
    interest, segments = daily_product(
        Movements(*_columns(moved)),
        Rates(*_columns(rated)),
        _spans([(1, date(2025, 1, 1), 30)]),
        DayCount.ACT_360,
        HALF_UP,
    )
    assert segments.days.tolist() == [10, 10, 10]
    assert segments.balance.tolist() == [1_000_00, 0, 300_00]
    assert interest.tolist() == [10_00 + 3_00]


def test_rounding_each_segment_is_what_some_books_do() -> None:
    moved = [(1, date(2022, 11, 1), 5_000_00), (1, date(2022, 12, 5), -1_450_68)]
    rated = [(1, date(2022, 11, 1), 12_000_000)]
    asked = [(1, date(2022, 12, 1), 31)]
    arguments = Movements(*_columns(moved)), Rates(*_columns(rated)), _spans(asked), DayCount.ACT_365F
    once, _ = daily_product(*arguments, HALF_EVEN)
    each, _ = daily_product(*arguments, HALF_EVEN, round_each=True)
    assert (once.tolist(), each.tolist()) == ([38_08], [38_09])


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    none = _columns([])
    span = Spans(np.array([1]), dates(["2025-02-01"]), dates(["2025-01-01"]))
    with pytest.raises(ValueError, match="ends before it starts"):
        daily_product(Movements(*none), Rates(*none), span, DayCount.ACT_360, HALF_UP)


def test_penal_interest_is_simple_on_the_overdue_instalment() -> None:
    penal = penal_interest(
        np.array([26_456_22, 26_456_22]),
        np.array([1_500_000, 1_500_000]),
        dates(["2025-03-31", "2025-03-31"]),
        dates(["2025-04-30", "2025-03-31"]),
        DayCount.ACT_360,
        HALF_UP,
    )
    assert penal.tolist() == [33_07, 0]
