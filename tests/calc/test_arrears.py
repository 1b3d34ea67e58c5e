"""Arrears as of any date, against the walker and by hand."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.allocation import Dues, Settled, allocate
from calc.arrears import Arrears, Bucket, Fault, buckets, measure
from calc.calendar import add_months
from calc.money import Component, sort_order
from tests.calc.test_allocation import books, days
from tests.calc.walker import Due, Receipt, due_columns, receipt_columns, walk

INTEREST, PRINCIPAL = Component.INTEREST, Component.PRINCIPAL


def standing(plan: list[Due], received: list[Receipt], as_of: date, windows: tuple[int, ...] = ()) -> Arrears:
    """One loan, number 1, as of a date."""
    dues = due_columns({1: plan})
    settled = allocate(dues, receipt_columns({1: received})).settled(np.datetime64(as_of))
    return measure(dues, settled, as_of, loans=np.array([1]), windows=windows)


def monthly(
    count: int, principal: int = 1000, interest: int = 100, first: date = date(2025, 1, 31)
) -> list[Due]:
    """Equal monthly dues from a first date, seeded on its day."""
    return [
        due
        for n in range(count)
        for due in (
            Due(n + 1, INTEREST, add_months(first, n), interest),
            Due(n + 1, PRINCIPAL, add_months(first, n), principal),
        )
    ]


@given(books(), days, st.integers(1, 2))
def test_every_figure_is_what_a_clerk_would_write_down(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]], as_of: date, months: int
) -> None:
    plans, receipts = book
    loans = np.array(sorted(plans), dtype=np.int64)
    dues = due_columns(plans)
    rows = allocate(dues, receipt_columns(receipts))
    arrears = measure(dues, rows.settled(np.datetime64(as_of)), as_of, loans=loans, windows=(months,))
    assert not arrears.fault.any()
    for at, loan in enumerate(loans.tolist()):
        desk = walk(plans[loan], receipts[loan], as_of)
        unpaid = {due: due.amount - desk.paid[due.instalment, due.component] for due in plans[loan]}
        late = {due: left for due, left in unpaid.items() if due.late < as_of and left}
        for kind in ("charge", "penal", "interest", "principal"):
            number = Component[kind.upper()]
            mine = {due: left for due, left in unpaid.items() if due.component == number}
            assert getattr(arrears, f"outstanding_{kind}")[at] == sum(mine.values())
            fallen = sum(left for due, left in mine.items() if due.late <= as_of)
            assert getattr(arrears, f"fallen_{kind}")[at] == fallen
            overdue = sum(left for due, left in mine.items() if due in late)
            assert getattr(arrears, f"overdue_{kind}")[at] == overdue
        assert arrears.overdue_total[at] == sum(late.values())
        assert arrears.overdue_instalments[at] == len({due.instalment for due in late})
        assert arrears.advance[at] == sum(desk.advance.values())
        oldest = min((due.late for due in late), default=None)
        assert arrears.overdue_since[at].item() == oldest
        assert arrears.days_past_due[at] == ((as_of - oldest).days if oldest else 0)
        counted = [due for due in plans[loan] if due.component in (INTEREST, PRINCIPAL)]
        opens = add_months(as_of, -months)
        first = min((due.late for due in counted), default=as_of)
        if first > opens:  # paying for less than so many months: its first months count
            in_window = sum(due.amount for due in counted if due.late < add_months(first, months))
        else:
            in_window = sum(due.amount for due in counted if opens < due.late <= as_of)
        assert arrears.window(months)[at] == in_window


@given(books(), days)
def test_many_loans_at_once_are_the_loans_one_by_one(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]], as_of: date
) -> None:
    plans, receipts = book
    loans = np.array(sorted(plans), dtype=np.int64)
    dues = due_columns(plans)
    settled = allocate(dues, receipt_columns(receipts)).settled(np.datetime64(as_of))
    together = measure(dues, settled, as_of, loans=loans, windows=(1,))
    for at, loan in enumerate(loans.tolist()):
        alone = measure(dues, settled, as_of, loans=np.array([loan]), windows=(1,))
        for name in ("overdue_total", "overdue_since", "days_past_due", "outstanding_principal", "advance"):
            assert getattr(together, name)[at].tolist() == getattr(alone, name)[0].tolist()


@given(books(), days, st.randoms())
def test_the_order_of_facts_changes_nothing(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]], as_of: date, chance: Random
) -> None:
    """Rows in order take a shorter way through; shuffled, split and mirrored ones take the long one."""
    plans, receipts = book
    loans = np.array(sorted(plans), dtype=np.int64)
    dues = due_columns(plans)
    settled = allocate(dues, receipt_columns(receipts)).settled(np.datetime64(as_of))
    there_and_back = np.concatenate([np.arange(len(dues)), np.arange(len(dues)), np.arange(len(dues))])
    signs = np.repeat([1, 1, -1], len(dues))
    chance_order = list(range(len(there_and_back)))
    chance.shuffle(chance_order)
    long_way = dues.take(there_and_back[chance_order])
    long_way = replace(long_way, amount=long_way.amount * signs[chance_order])
    paid_order = list(range(settled.loan.size))
    chance.shuffle(paid_order)
    mixed = Settled(*(column[paid_order] for column in vars(settled).values()))

    short = measure(dues.take(sort_order(*_keys(dues))), settled, as_of, loans=loans, windows=(3,))
    long = measure(long_way, mixed, as_of, loans=loans, windows=(3,))
    for name, column in vars(short).items():
        assert np.array_equal(column, getattr(long, name), equal_nan=name == "overdue_since"), name


def _keys(dues: Dues) -> tuple[np.ndarray, ...]:
    return dues.loan, dues.instalment, dues.component, dues.late_date


@pytest.mark.parametrize(
    ("late", "as_of", "days_late", "months"),
    [
        (date(2025, 3, 31), date(2025, 3, 31), 0, 0),
        (date(2025, 3, 31), date(2025, 4, 1), 1, 0),
        (date(2025, 3, 31), date(2025, 4, 30), 30, 1),
        (date(2025, 3, 31), date(2025, 6, 29), 90, 2),
        (date(2025, 3, 31), date(2025, 6, 30), 91, 3),
        (date(2024, 11, 30), date(2025, 2, 28), 90, 3),
        (date(2023, 11, 30), date(2024, 2, 28), 90, 2),
        (date(2023, 11, 30), date(2024, 2, 29), 91, 3),
        (date(2025, 2, 28), date(2025, 3, 28), 28, 1),
    ],
)
def test_days_and_months_are_counted_from_the_late_date(
    late: date, as_of: date, days_late: int, months: int
) -> None:
    arrears = standing([Due(1, PRINCIPAL, late, 1000)], [], as_of)
    assert arrears.days_past_due.tolist() == [days_late]
    assert arrears.months_overdue.tolist() == [months]


def test_an_instalment_is_overdue_from_the_day_after_its_due_date() -> None:
    plan = monthly(2)
    on_the_day = standing(plan, [], date(2025, 1, 31))
    assert on_the_day.overdue_total.tolist() == [0]
    assert on_the_day.fallen_principal.tolist() == [1000]
    assert np.isnat(on_the_day.overdue_since).all()
    day_after = standing(plan, [], date(2025, 2, 1))
    assert day_after.overdue_total.tolist() == [1100]
    assert day_after.overdue_since.astype(str).tolist() == ["2025-01-31"]


def test_part_payment_leaves_the_oldest_instalment_the_oldest() -> None:
    plan = monthly(3)
    part = standing(plan, [Receipt(1, date(2025, 3, 1), 1099)], date(2025, 3, 15))
    assert part.overdue_since.astype(str).tolist() == ["2025-01-31"]
    assert part.overdue_instalments.tolist() == [2]
    whole = standing(plan, [Receipt(1, date(2025, 3, 1), 1100)], date(2025, 3, 15))
    assert whole.overdue_since.astype(str).tolist() == ["2025-02-28"]
    assert whole.overdue_instalments.tolist() == [1]
    assert (whole.overdue_interest.tolist(), whole.overdue_principal.tolist()) == ([100], [1000])


def test_an_advance_is_held_until_its_due_and_lowers_nothing_before() -> None:
    plan = monthly(2)
    received = [Receipt(1, date(2025, 1, 31), 1500)]
    before = standing(plan, received, date(2025, 2, 27))
    assert (before.advance.tolist(), before.outstanding_principal.tolist()) == ([400], [1000])
    after = standing(plan, received, date(2025, 2, 28))
    assert (after.advance.tolist(), after.outstanding_principal.tolist()) == ([0], [700])


@pytest.mark.parametrize(
    ("days_late", "bucket"),
    [
        (0, Bucket.CURRENT), (1, Bucket.DAYS_1_30), (30, Bucket.DAYS_1_30), (31, Bucket.DAYS_31_60),
        (60, Bucket.DAYS_31_60), (61, Bucket.DAYS_61_90), (90, Bucket.DAYS_61_90),
        (91, Bucket.DAYS_91_180), (180, Bucket.DAYS_91_180), (181, Bucket.DAYS_181_365),
        (365, Bucket.DAYS_181_365), (366, Bucket.OVER_365),
    ],
)  # fmt: skip
def test_buckets_begin_and_end_where_the_ladder_says(days_late: int, bucket: Bucket) -> None:
    assert buckets(np.array([days_late])).tolist() == [bucket]


def test_the_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    # a month before 31 March is 28 February: what fell due that very day is out
    arrears = standing(monthly(6), [], date(2025, 3, 31), windows=(1, 3))
    assert arrears.window(1).tolist() == [1100]
    assert arrears.window(3).tolist() == [3300]
    # a month before 30 April is 30 March: the due of 31 March is in
    assert standing(monthly(6), [], date(2025, 4, 30), windows=(1,)).window(1).tolist() == [2200]
    with pytest.raises(ValueError, match="2 months was not measured"):
        arrears.window(2)


def test_the_window_of_a_young_loan_begins_with_its_first_due() -> None:
    # one day after the first of six: three months' dues are three, though only one has fallen due
    young = standing(monthly(6), [], date(2025, 2, 1), windows=(1, 3, 12))
    assert young.window(1).tolist() == [1100]
    assert young.window(3).tolist() == [3300]
    assert young.window(12).tolist() == [6600]
    # three months on, the two ways of counting meet
    assert standing(monthly(6), [], date(2025, 4, 30), windows=(3,)).window(3).tolist() == [4400]


def test_charges_and_penal_are_overdue_but_not_in_the_window() -> None:
    plan = [
        Due(1, Component.CHARGE, date(2025, 1, 31), 7),
        Due(1, Component.PENAL, date(2025, 1, 31), 5),
        Due(1, PRINCIPAL, date(2025, 1, 31), 100),
    ]
    arrears = standing(plan, [Receipt(1, date(2025, 1, 31), 3)], date(2025, 2, 1), windows=(1,))
    assert (arrears.overdue_charge.tolist(), arrears.overdue_penal.tolist()) == ([4], [5])
    assert arrears.overdue_total.tolist() == [109]
    assert arrears.window(1).tolist() == [100]


def test_a_loan_without_dues_or_receipts_owes_nothing() -> None:
    arrears = standing([], [], date(2025, 1, 1))
    assert arrears.loan.tolist() == [1]
    assert arrears.outstanding_principal.tolist() == [0]
    assert arrears.bucket.tolist() == [Bucket.CURRENT]


def _settled(*rows: tuple[int, int, int, int]) -> Settled:
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return Settled(table[:, 0], table[:, 1].astype(np.int32), table[:, 2].astype(np.int8), table[:, 3])


def test_suspense_and_advance_are_summed_from_settled_rows_summed_or_not() -> None:
    plan = due_columns({1: monthly(1)})
    settled = _settled(
        (1, 1, PRINCIPAL, 300), (1, 1, PRINCIPAL, 200), (1, 0, Component.ADVANCE, 50),
        (1, 0, Component.SUSPENSE, 9), (2, 1, PRINCIPAL, 1),
    )  # fmt: skip
    arrears = measure(plan, settled, date(2025, 3, 1), loans=np.array([1]))
    assert arrears.outstanding_principal.tolist() == [500]
    assert (arrears.advance.tolist(), arrears.suspense.tolist()) == ([50], [9])


def test_a_due_moved_to_another_date_is_measured_where_it_stands_now() -> None:
    moved = [
        *monthly(1),
        Due(1, PRINCIPAL, date(2025, 1, 31), -1000),
        Due(1, PRINCIPAL, date(2025, 3, 31), 1000),
    ]
    arrears = measure(due_columns({1: moved}), _settled((1, 1, INTEREST, 100)), date(2025, 3, 1))
    assert arrears.overdue_total.tolist() == [0]
    assert arrears.outstanding_principal.tolist() == [1000]


def test_one_key_on_two_dates_is_settled_from_the_older() -> None:
    twice = [Due(1, PRINCIPAL, date(2025, 1, 31), 600), Due(1, PRINCIPAL, date(2025, 2, 28), 400)]
    arrears = measure(due_columns({1: twice}), _settled((1, 1, PRINCIPAL, 700)), date(2025, 3, 5))
    assert arrears.overdue_since.astype(str).tolist() == ["2025-02-28"]
    assert arrears.overdue_total.tolist() == [300]


@pytest.mark.parametrize(
    ("plan", "settled", "fault"),
    [
        ([Due(1, PRINCIPAL, date(2025, 1, 31), -5)], (), Fault.NEGATIVE_DUE),
        (monthly(1), ((1, 1, PRINCIPAL, -5),), Fault.NEGATIVE_SETTLED),
        (monthly(1), ((1, 1, PRINCIPAL, 1001),), Fault.SETTLED_BEYOND_DUE),
        (monthly(1), ((1, 4, PRINCIPAL, 1),), Fault.SETTLED_BEYOND_DUE),
    ],
)
def test_facts_that_contradict_flag_their_loan_and_spare_the_rest(
    plan: list[Due], settled: tuple[tuple[int, int, int, int], ...], fault: Fault
) -> None:
    dues = due_columns({1: plan, 2: monthly(1)})
    arrears = measure(dues, _settled(*settled), date(2025, 3, 1))
    assert arrears.fault.tolist() == [fault, Fault.NONE]
    assert arrears.overdue_total[1] == 1100


@given(books(), days, st.integers(0, 30))
def test_nothing_paid_never_makes_a_loan_less_late(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]], as_of: date, later: int
) -> None:
    dues = due_columns(book[0])
    nothing = _settled()
    now = measure(dues, nothing, as_of)
    then = measure(dues, nothing, as_of + timedelta(days=later))
    assert (then.days_past_due >= now.days_past_due).all()
    assert (then.overdue_total >= now.overdue_total).all()


def test_dues_of_loans_not_asked_for_are_left_out() -> None:
    dues = due_columns({1: monthly(1), 2: monthly(2)})
    arrears = measure(dues, _settled(), date(2025, 6, 1), loans=np.array([2]))
    assert arrears.loan.tolist() == [2]
    assert arrears.overdue_instalments.tolist() == [2]
    assert isinstance(dues, Dues)


def test_what_was_written_off_is_a_memo_and_never_late() -> None:
    dues = due_columns({1: [Due(0, Component.RECOVERY, date(2025, 1, 31), 900)]})
    arrears = measure(dues, _settled((1, 0, Component.RECOVERY, 250)), date(2025, 6, 30))
    assert arrears.written_off.tolist() == [650]
    assert arrears.overdue_total.tolist() == [0]
    assert arrears.days_past_due.tolist() == [0]
    assert arrears.overdue_instalments.tolist() == [0]
    assert arrears.outstanding_principal.tolist() == [0]
    assert not arrears.fault.any()


def test_a_refund_is_owed_only_where_its_advance_proves_short() -> None:
    dues = due_columns({1: [Due(0, Component.REFUND, date(2025, 1, 31), 100)]})
    covered = measure(dues, _settled((1, 0, Component.REFUND, 100)), date(2025, 2, 10))
    assert covered.overdue_total.tolist() == [0]
    short = measure(dues, _settled((1, 0, Component.REFUND, 60)), date(2025, 2, 10))
    assert short.overdue_charge.tolist() == [40]
    assert short.days_past_due.tolist() == [10]
