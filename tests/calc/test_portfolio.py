from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calc.arrears import Bucket, buckets
from calc.portfolio import (
    PAR_DAYS,
    ControlTotals,
    bucket_table,
    everything,
    group_by,
    portfolio_at_risk,
    totals,
)

rows = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(0, 400),
        st.integers(0, 10**12),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


def _columns(table: list[tuple[int, int, int, int, bool, bool]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*table, strict=True)]


@given(rows, st.booleans(), st.booleans())
def test_par_is_the_plain_sum_by_group(
    table: list[tuple[int, int, int, int, bool, bool]], drop_written_off: bool, with_rescheduled: bool
) -> None:
    bank, cluster, days, balance, gone, again = _columns(table)
    groups = group_by(bank, cluster)
    risk = portfolio_at_risk(
        balance,
        days,
        groups,
        written_off=gone if drop_written_off else None,
        rescheduled=again if with_rescheduled else None,
    )
    assert sorted({(row[0], row[1]) for row in table}) == list(
        zip(groups.keys[0].tolist(), groups.keys[1].tolist(), strict=True)
    )
    for number, key in enumerate(zip(groups.keys[0].tolist(), groups.keys[1].tolist(), strict=True)):
        mine = [row for row in table if row[:2] == key and not (drop_written_off and row[4])]
        assert risk.gross[number] == sum(row[3] for row in mine)
        assert risk.loans[number] == sum(row[3] > 0 for row in mine)
        for column, bound in enumerate(PAR_DAYS):
            at_risk = sum(
                row[3]
                for row in mine
                if (row[2] >= 1 if bound == 1 else row[2] > bound) or (with_rescheduled and row[5])
            )
            assert risk.at_risk[number, column] == at_risk
            gross = int(risk.gross[number])
            assert risk.ratio(number, bound) == (Fraction(at_risk, gross) if gross else None)


def test_thirty_days_late_is_par1_and_not_yet_par30() -> None:
    balance = np.array([100, 100, 100, 100])
    risk = portfolio_at_risk(balance, np.array([0, 1, 30, 31]), everything(4))
    assert risk.at_risk.tolist() == [[300, 100, 0, 0]]
    assert risk.ratio(0, 30) == Fraction(1, 4)


def test_an_empty_book_has_no_ratio() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert portfolio_at_risk(nothing, nothing, everything(0)).ratio(0, 30) is None


@given(rows)
def test_the_bucket_table_holds_every_loan_and_all_the_money(
    table: list[tuple[int, int, int, int, bool, bool]],
) -> None:
    bank, _, days, balance, _, _ = _columns(table)
    groups = group_by(bank)
    loans, money = bucket_table(buckets(days), balance, groups)
    assert loans.shape == (len(groups), len(Bucket))
    assert int(loans.sum()) == len(table)
    sums = totals(groups, balance=balance)
    assert money.sum(axis=1).tolist() == sums["balance"].tolist()


def test_control_totals_close_or_say_by_how_much_they_do_not() -> None:
    one = np.array([1, 1], dtype=np.int64)
    sound = ControlTotals(
        opening=100 * one, disbursed=50 * one, raised=7 * one, capitalised=3 * one,
        settled=40 * one, reduced=5 * one, written_off=10 * one, closing=105 * one,
    )  # fmt: skip
    assert sound.balanced
    whole = sound.sum_up(everything(2))
    assert whole.closing.tolist() == [210]
    assert whole.balanced
    broken = ControlTotals(
        opening=one, disbursed=one, raised=one, capitalised=one,
        settled=one, reduced=one, written_off=one, closing=np.array([1, 2], dtype=np.int64),
    )  # fmt: skip
    assert broken.difference.tolist() == [0, -1]
    assert not broken.balanced
