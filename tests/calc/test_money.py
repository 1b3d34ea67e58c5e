from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.money import (
    Component,
    Rounding,
    RoundingMode,
    distinct,
    from_minor,
    from_rate_units,
    group_starts,
    is_strictly_sorted,
    round_ratio,
    round_ratios,
    running_sum_by,
    sort_order,
    split_by_ratio,
    sum_by,
    to_minor,
    to_rate_units,
)

DECIMAL_MODE = {
    RoundingMode.HALF_UP: ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: ROUND_HALF_EVEN,
    RoundingMode.UP: ROUND_UP,
    RoundingMode.DOWN: ROUND_DOWN,
}
modes = st.sampled_from(list(RoundingMode))
quanta = st.sampled_from([1, 5, 100, 500, 1000])


def test_components_settle_in_the_order_charge_penal_interest_principal() -> None:
    assert sorted(Component)[:4] == [
        Component.CHARGE,
        Component.PENAL,
        Component.INTEREST,
        Component.PRINCIPAL,
    ]


@pytest.mark.parametrize(
    ("amount", "minor"), [("0", 0), ("1", 100), ("-12.34", -1234), ("1E+3", 100_000), ("0.10", 10)]
)
def test_an_amount_becomes_its_minor_units(amount: str, minor: int) -> None:
    assert to_minor(Decimal(amount)) == minor
    assert from_minor(minor) == Decimal(amount)


@pytest.mark.parametrize("amount", ["0.001", "1.005", "NaN", "Infinity"])
def test_an_amount_finer_than_the_currency_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="finer than 2 decimals"):
        to_minor(Decimal(amount))


def test_a_currency_without_decimals_keeps_whole_units() -> None:
    assert to_minor(Decimal(1500), decimals=0) == 1500
    with pytest.raises(ValueError, match="finer than 0 decimals"):
        to_minor(Decimal("0.5"), decimals=0)


def test_a_rate_is_held_to_the_millionth_of_a_percent() -> None:
    assert to_rate_units(Decimal("6.125")) == 6_125_000
    assert from_rate_units(6_125_000) == Decimal("6.125")
    with pytest.raises(ValueError, match="millionth"):
        to_rate_units(Decimal("0.0000001"))


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**9), modes, quanta)
def test_a_rounded_ratio_is_what_decimal_arithmetic_says(
    numerator: int, denominator: int, mode: RoundingMode, quantum: int
) -> None:
    from fractions import Fraction

    exact = Fraction(numerator, denominator * quantum)
    whole = Decimal(exact.numerator // exact.denominator)
    part = exact - int(whole)
    # a stand-in with the same side of one half, so that Decimal decides the rounding alone
    tail = Decimal(0) if part == 0 else Decimal("0.5") if part * 2 == 1 else Decimal("0.3")
    tail = Decimal("0.7") if part * 2 > 1 else tail
    expected = int((whole + tail).quantize(Decimal(1), DECIMAL_MODE[mode])) * quantum
    assert round_ratio(numerator, denominator, Rounding(mode, quantum)) == expected


@pytest.mark.parametrize(
    ("numerator", "mode", "expected"),
    [
        (5, RoundingMode.HALF_UP, 3), (-5, RoundingMode.HALF_UP, -3), (7, RoundingMode.HALF_UP, 4),
        (5, RoundingMode.HALF_EVEN, 2), (7, RoundingMode.HALF_EVEN, 4), (-7, RoundingMode.HALF_EVEN, -4),
        (5, RoundingMode.UP, 3), (-5, RoundingMode.UP, -3), (4, RoundingMode.UP, 2),
        (5, RoundingMode.DOWN, 2), (-5, RoundingMode.DOWN, -2),
    ],
)  # fmt: skip
def test_a_tie_goes_where_the_mode_says(numerator: int, mode: RoundingMode, expected: int) -> None:
    assert round_ratio(numerator, 2, Rounding(mode)) == expected
    assert round_ratio(numerator, 2, Rounding(mode, 100)) == (
        0 if mode is not RoundingMode.UP else 100 if numerator > 0 else -100
    )
    assert round_ratios([numerator], [1], [2], Rounding(mode)).tolist() == [expected]
    assert round_ratios([numerator * 10**15], [10**3], [2 * 10**18], Rounding(mode)).tolist() == [expected]


@given(
    st.lists(
        st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 10**7), st.integers(1, 10**7)),
        min_size=1,
        max_size=8,
    ),
    modes,
    quanta,
)
def test_a_column_rounds_as_its_entries_do_even_where_products_pass_64_bits(
    rows: list[tuple[int, int, int]], mode: RoundingMode, quantum: int
) -> None:
    rounding = Rounding(mode, quantum)
    amounts, above, below = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    expected = [round_ratio(a * n, d, rounding) for a, n, d in rows]
    if max(map(abs, expected)) < 2**62:
        assert round_ratios(amounts, above, below, rounding).tolist() == expected
    else:
        with pytest.raises(OverflowError):
            round_ratios(amounts, above, below, rounding)


def test_a_rounding_needs_a_positive_quantum_and_a_ratio_a_positive_denominator() -> None:
    with pytest.raises(ValueError, match="quantum 0"):
        Rounding(RoundingMode.UP, 0)
    with pytest.raises(ValueError, match="denominator"):
        round_ratio(1, 0, Rounding())
    with pytest.raises(ValueError, match="denominator"):
        round_ratios([1], [1], [0], Rounding())


def test_a_hundred_taka_by_thirds_gives_the_odd_poisha_to_the_first() -> None:
    assert split_by_ratio(10_000, [1, 1, 1]) == (3334, 3333, 3333)


@given(
    st.integers(0, 10**12),
    st.lists(st.integers(0, 1000), min_size=1, max_size=9).filter(lambda ratios: sum(ratios) > 0),
    st.sampled_from([1, 100]),
)
def test_parts_add_up_and_stray_less_than_a_quantum(amount: int, ratios: list[int], quantum: int) -> None:
    amount -= amount % quantum
    parts = split_by_ratio(amount, ratios, quantum_minor=quantum)
    assert sum(parts) == amount
    for part, ratio in zip(parts, ratios, strict=True):
        assert abs(part * sum(ratios) - amount * ratio) < quantum * sum(ratios)


@pytest.mark.parametrize(("amount", "ratios"), [(-1, [1]), (5, []), (5, [0, 0]), (5, [1, -1])])
def test_an_amount_no_ratio_can_carry_is_refused(amount: int, ratios: list[int]) -> None:
    with pytest.raises(ValueError, match=r"amount|ratios"):
        split_by_ratio(amount, ratios)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-(2**62), 2**62), st.integers(0, 3)), max_size=12))
def test_rows_are_sorted_by_key_after_key_whether_or_not_the_keys_pack(
    rows: list[tuple[int, int, int]],
) -> None:
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    order = sort_order(*table.T)
    assert order.tolist() == sorted(range(len(rows)), key=lambda i: (rows[i], i))
    rises = all(earlier < later for earlier, later in pairwise(rows))
    assert is_strictly_sorted(*table.T) <= rises, "it may not know, but it never says so falsely"


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), max_size=12))
def test_short_keys_are_known_to_be_in_order_when_they_are(rows: list[tuple[int, int]]) -> None:
    for some in (rows, sorted(rows), sorted(set(rows))):
        table = np.array(some, dtype=np.int64).reshape(-1, 2)
        assert is_strictly_sorted(*table.T) == all(one < two for one, two in pairwise(some))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=20))
def test_sums_and_running_sums_by_group_are_the_plain_ones(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    group = np.array([row[0] for row in rows], dtype=np.int64)
    amount = np.array([row[1] for row in rows], dtype=np.int64)
    assert sum_by(group, amount, 4).tolist() == [sum(a for g, a in rows if g == n) for n in range(4)]
    running = [sum(a for g, a in rows[: i + 1] if g == rows[i][0]) for i in range(len(rows))]
    assert running_sum_by(group_starts(group), amount).tolist() == running


@given(st.lists(st.lists(st.integers(-9, 9), max_size=8), min_size=1, max_size=3))
def test_distinct_numbers_come_ascending_and_once(columns: list[list[int]]) -> None:
    result = distinct(*(np.array(column, dtype=np.int64) for column in columns))
    assert result.tolist() == sorted({number for column in columns for number in column})
