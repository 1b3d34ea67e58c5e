"""Penal interest and daily-product interest raised from facts: by hand, night by night, and in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calc.allocation import Order
from calc.daycount import DayCount
from calc.money import Component
from calc.raising import (
    DatedDues,
    empty_dues,
    overdue_items,
    penal_total,
    rates_by_item,
    reckon,
    unmatched,
)
from tests.calc.raising_book import Book

INTEREST, PRINCIPAL, PENAL = (int(Component[name]) for name in ("INTEREST", "PRINCIPAL", "PENAL"))
ONE_AND_A_HALF = 1_500_000
FIRST = date(2026, 1, 31)


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def same(left: DatedDues, right: DatedDues) -> bool:
    between = unmatched(left, right)
    return not between.old.size and not between.new.size


def one_late(overdue: int, **more: object) -> Book:
    """One instalment of principal that fell due on 31 January and bears 1.5 % when late."""
    book = Book(**more)  # type: ignore[arg-type]
    book.dues.append((1, 1, PRINCIPAL, FIRST, date(2025, 1, 31), overdue))
    book.penal.append((1, date(2025, 1, 1), ONE_AND_A_HALF))
    return book


def test_the_instalment_of_the_domain_paper_30_days_late() -> None:
    """26,456.22 x 1.5 % x 30 / 360 = 33.07; the days' amounts are 1.10 or 1.11 and add up to it."""
    rows = one_late(26_456_22).raised(day(30))
    assert int(rows.amount.sum()) == 33_07
    assert set(rows.amount.tolist()) == {1_10, 1_11}
    assert (rows.late_date[0], rows.late_date[-1]) == (np.datetime64(day(1)), np.datetime64(day(30)))
    assert set(rows.component.tolist()) == {PENAL}


def test_nothing_is_raised_on_the_due_date_itself() -> None:
    assert len(one_late(26_456_22).raised(FIRST)) == 0


def test_rounding_does_not_drift() -> None:
    """10,000.00 bears 0.41666… a day: 360 days come to 150.00, not to 360 x 0.42 = 151.20."""
    rows = one_late(10_000_00).raised(day(360))
    assert int(rows.amount.sum()) == 150_00
    assert int(rows.amount[:3].sum()) == 1_25, "0.42 + 0.41 + 0.42"


def test_a_sum_too_small_for_a_day_is_raised_when_it_makes_a_poisha() -> None:
    """Tk 100 bears 0.41666 poisha a day: 0, then 1, then 0, …; 30 days make 12.5, which is 13."""
    rows = one_late(100_00).raised(day(30))
    assert int(rows.amount.sum()) == 13
    assert rows.late_date[0] == np.datetime64(day(2))


def test_a_part_payment_ends_the_days_of_what_it_paid() -> None:
    """20,000.00 for 10 days, then, 5,000.00 having come on the tenth, less: 8.33 + 15,008.33…

    The receipt pays the 8.33 of penal interest after the instalment (its late dates are later), so the
    instalment keeps 15,000.00: 20 days more at 1.5 % are 12.50.
    """
    book = one_late(20_000_00)
    book.receipts.append((1, 1, day(10), 5_000_00))
    assert int(book.raised(day(10)).amount.sum()) == 8_33
    assert int(book.raised(day(30)).amount.sum()) == 20_83


def test_money_that_must_meet_penal_interest_first_leaves_more_overdue() -> None:
    """By component the 8.33 goes first: 14,991.67 is paid and 5,008.33 stays for 20 days: 4.17."""
    book = one_late(20_000_00, order=Order.BY_COMPONENT)
    book.receipts.append((1, 1, day(10), 15_000_00))
    assert int(book.raised(day(30)).amount.sum()) == 8_33 + 4_18, "8.3333 + 4.1736 = 12.5069"


def test_a_rate_changed_on_the_way() -> None:
    """15 days at 1.5 % and 15 at 3 % on 24,000.00: 15.00 + 30.00."""
    book = one_late(24_000_00)
    book.penal.append((1, day(15), 3_000_000))
    assert int(book.raised(day(30)).amount.sum()) == 45_00


def test_months_of_thirty_days() -> None:
    """30E/360 from 31 January to 28 February is 28 days, to 1 March 31: 24,000.00 x 1.5 % x 31/360."""
    book = one_late(24_000_00, day_count=DayCount.THIRTY_E_360)
    assert int(book.raised(date(2026, 2, 28)).amount.sum()) == 28_00
    assert int(book.raised(date(2026, 3, 1)).amount.sum()) == 31_00


def test_twelfths_never_fall_from_one_day_to_the_next() -> None:
    book = one_late(24_000_00, day_count=DayCount.MONTHLY_12)
    assert int(book.raised(date(2026, 2, 28)).amount.sum()) == 30_00, "a month is a twelfth of a year"
    rows = book.raised(date(2026, 12, 31))
    assert int(rows.amount.sum()) == 330_00
    assert bool((rows.amount > 0).all())


def test_interest_of_the_instalment_bears_penal_interest_and_penal_interest_bears_none() -> None:
    """20,000.00 + 4,000.00 of interest for 720 days at 1.5 %: 720.00, and not a poisha on the penal."""
    book = one_late(20_000_00)
    book.dues.append((1, 1, INTEREST, FIRST, date(2025, 1, 31), 4_000_00))
    assert int(book.raised(day(720)).amount.sum()) == 720_00


def test_penal_interest_waived_stays_raised_when_less_is_asked_afterwards() -> None:
    """Ten days come to 10.00 and are waived; then a receipt of the due date itself turns up."""
    book = one_late(24_000_00)
    ten_days = book.raised(day(10))
    assert int(ten_days.amount.sum()) == 10_00
    book.fixed.append((1, 1, PENAL, day(10), 10_00))
    book.receipts.append((1, 1, FIRST, 24_000_00))
    rows = book.raised(day(20), ten_days)
    assert rows.amount.tolist() == [10_00]
    assert rows.late_date.tolist() == [day(10)]


def test_daily_product_of_a_loan_paid_late_and_short() -> None:
    """9,00,000.00 at 6 % over 360; 4,00,000.00 of principal paid 11 days late.

    First span, 90 days on 9,00,000: 13,500.00. In the second 11 days on 9,00,000 (1,650.00) and 79 on
    4,99,... : the receipt pays 3,00,000 of principal and the interest; the rest waits as an advance.
    """
    book = Book()
    start = date(2026, 1, 1)
    ends = [start + timedelta(days=90 * n) for n in range(4)]
    for number in (1, 2, 3):
        book.dues.append((1, number, PRINCIPAL, ends[number], start, 300_000_00))
        book.accruals.append((1, number, ends[number - 1], ends[number], ends[number]))
    book.rates.append((1, start, 6_000_000))
    first = book.raised(ends[1])
    assert first.amount.tolist() == [13_500_00]
    assert first.effective_on.tolist() == [ends[1]]
    book.receipts.append((1, 1, ends[1] + timedelta(days=11), 313_500_00))
    second = book.raised(ends[2], first)
    assert second.amount.tolist() == [13_500_00, 1_650_00 + 7_900_00], "11 days on 9 lakh, 79 on 6 lakh"


days = st.integers(0, 60).map(day)
amounts = st.integers(1, 3_000_000)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """One to three loans with a few instalments, some of them of a daily-product agreement, and receipts."""
    book = Book(
        day_count=draw(st.sampled_from(list(DayCount))),
        order=draw(st.sampled_from([Order.OLDEST_FIRST, Order.BY_COMPONENT, Order.PRINCIPAL_FIRST])),
    )
    start = day(-30)
    for loan in range(1, draw(st.integers(1, 3)) + 1):
        lates = sorted(draw(st.lists(days, min_size=1, max_size=3, unique=True)))
        is_daily = draw(st.booleans())
        for number, late in enumerate(lates, start=1):
            book.dues.append((loan, number, PRINCIPAL, late, start, draw(amounts)))
            if is_daily:
                book.accruals.append((loan, number, lates[number - 2] if number > 1 else start, late, late))
            else:
                book.dues.append((loan, number, INTEREST, late, start, draw(amounts)))
        book.rates.append((loan, start, draw(st.integers(0, 20_000_000))))
        book.penal.append((loan, start, draw(st.integers(0, 20_000_000))))
        book.penal += [(loan, on, draw(st.integers(0, 20_000_000))) for on in draw(st.sets(days, max_size=2))]
    loans = st.integers(1, max(row[0] for row in book.dues))
    for receipt in range(draw(st.integers(0, 5))):
        book.receipts.append((draw(loans), receipt + 1, draw(days), draw(amounts)))
    return book


LAST = 70


@settings(max_examples=40)
@given(book=books())
def test_raising_night_by_night_is_raising_once_at_the_end(book: Book) -> None:
    standing = empty_dues()
    for night in range(LAST + 1):
        known = replace(book, receipts=[row for row in book.receipts if row[2] <= day(night)])
        kept = standing.take(standing.component == INTEREST)
        facts = known.facts(since=day(night - 1), kept=kept)
        new = reckon(facts, known.settle(standing), np.datetime64(day(night), "D"))
        standing = standing.and_(new)
    assert same(standing, book.raised(day(LAST)))


@given(book=books(), arrivals=st.lists(st.integers(0, LAST), min_size=5, max_size=5), seed=st.randoms())
def test_any_order_of_arrival_leaves_the_same_rows(book: Book, arrivals: list[int], seed: object) -> None:
    """Receipts become known on any night from their value date on, the late ones long after it."""
    once = book.raised(day(LAST))
    pairs = sorted(
        (max((row[2] - FIRST).days, night), row) for night, row in zip(arrivals, book.receipts, strict=False)
    )
    known = replace(book, receipts=[row for _, row in pairs])
    standing = empty_dues()
    for count, (night, _) in enumerate(pairs):
        standing = known.raised(day(night), standing, count)
    assert same(known.raised(day(LAST), standing), once)


@given(book=books())
def test_the_total_of_an_instalment_is_the_sum_of_its_days(book: Book) -> None:
    rows = book.raised(day(LAST))
    facts, until = book.facts(), np.datetime64(day(LAST), "D")
    interest = rows.take(rows.component == INTEREST)
    items, overdue = overdue_items(facts, interest, book.settle(rows), until)
    total = penal_total(items, overdue, rates_by_item(facts.penal_rates, items), facts.day_count)
    penal = rows.take(rows.component == PENAL)
    for at, (loan, instalment) in enumerate(zip(items.loan, items.instalment, strict=True)):
        mine = (penal.loan == loan) & (penal.instalment == instalment)
        assert int(penal.amount[mine].sum()) == total[at]


@given(book=books())
def test_loans_side_by_side_are_loans_one_by_one(book: Book) -> None:
    together = book.raised(day(LAST))
    for loan in {row[0] for row in book.dues}:
        alone = replace(
            book,
            dues=[row for row in book.dues if row[0] == loan],
            receipts=[row for row in book.receipts if row[0] == loan],
            accruals=[row for row in book.accruals if row[0] == loan],
        )
        assert same(alone.raised(day(LAST)), together.take(together.loan == loan))


@given(book=books())
def test_what_nobody_pays_bears_simple_penal_interest_on_principal_and_interest_only(book: Book) -> None:
    book = replace(
        book,
        receipts=[],
        day_count=DayCount.ACT_365F,
        penal=[(loan, day(-30), ONE_AND_A_HALF) for loan in {row[0] for row in book.dues}],
    )
    rows = book.raised(day(LAST))
    interest = rows.take(rows.component == INTEREST)
    for loan, instalment in {row[:2] for row in book.dues}:
        late = next(row[3] for row in book.dues if row[:2] == (loan, instalment))
        owed = sum(row[5] for row in book.dues if row[:2] == (loan, instalment))
        owed += int(interest.amount[(interest.loan == loan) & (interest.instalment == instalment)].sum())
        mine = (rows.component == PENAL) & (rows.loan == loan) & (rows.instalment == instalment)
        exact = owed * ONE_AND_A_HALF * (day(LAST) - late).days * 2 // (100_000_000 * 365)
        assert int(rows.amount[mine].sum()) == (exact + 1) // 2


@pytest.mark.parametrize("day_count", list(DayCount))
@given(overdue=st.integers(1, 10**13), late=st.dates(date(2023, 1, 1), date(2026, 12, 31)))
def test_no_day_takes_penal_interest_back(day_count: DayCount, overdue: int, late: date) -> None:
    book = Book(day_count=day_count)
    book.dues.append((1, 1, PRINCIPAL, late, late - timedelta(days=90), overdue))
    book.penal.append((1, late, ONE_AND_A_HALF))
    assert bool((book.raised(late + timedelta(days=400)).amount > 0).all())
