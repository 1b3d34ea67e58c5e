"""Posting follows the agreement's order, and never pays what was waived, written off or transferred."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.allocation import Grid, Order, Source
from calc.money import Component
from lending.models import Due, Loan, Schedule, Standing
from repayments.builders.settlement import open_dues, preview, settlement_of
from repayments.models import Allocation, Receipt
from repayments.services.posting import Reallocated, post_receipts, reallocate, reverse_receipts
from tests.repayments.posting.books import CHARGE, PRINCIPAL, Books, check_guards, make_books, receipts

pytestmark = pytest.mark.django_db

AT_ONCE = [
    f"{timing}.{kind}"
    for timing in ("past_due", "due", "in_advance")
    for kind in ("principal", "interest", "penal", "charge")
]


def ordered(order: Order, grid: list[str] | None = None) -> Books:
    """Books whose agreement has an order."""
    return make_books(allocation_order=order.value, allocation_grid=grid or [])


def settles(loan: Loan) -> list[tuple[date, int, int, int]]:
    """Live rows of settlement by money: value date, instalment, component, minor units."""
    return list(
        Allocation.objects.filter(loan=loan, mirror_of=None, mirror=None, source__lte=2)
        .order_by("value_date", "receipt_id", "instalment", "component", "amount_minor")
        .values_list("value_date", "instalment", "component", "amount_minor")
    )


def without_money(books: Books, loan: Loan, source: Source, instalment: int, amount: int, on: date) -> None:
    """Settle part of an instalment's principal without money, as an event does."""
    booking = books.booking()
    Allocation.objects.create(
        loan=loan,
        institution_id=loan.institution_id,
        source=source,
        instalment=instalment,
        component=PRINCIPAL,
        value_date=on,
        amount_minor=amount,
        booking=booking,
    )
    reallocate(loan_ids=[loan.pk], booking=booking)


def owed_apart(books: Books, loan: Loan, component: Component, on: date, amount: int) -> None:
    """Raise a refund or what was written off: a due of no instalment."""
    booking = books.booking()
    Due.objects.create(
        loan=loan,
        institution_id=loan.institution_id,
        schedule=Schedule.objects.get(loan=loan),
        instalment=0,
        component=component,
        nominal_date=on,
        late_date=on,
        effective_date=on,
        amount_minor=amount,
        booking=booking,
    )
    reallocate(loan_ids=[loan.pk], booking=booking)


def test_loans_of_agreements_with_different_orders_are_settled_in_one_posting() -> None:
    loans = []
    for order in (Order.OLDEST_FIRST, Order.BY_COMPONENT, Order.PRINCIPAL_FIRST):
        books = ordered(order)
        loan = books.loan([(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000)])
        books.charge(loan, day=date(2025, 2, 15), amount=500, instalment=2)
        loans.append(loan)
    rows = receipts(*((loan, date(2025, 3, 10), 10_300, "R1") for loan in loans))
    post_receipts(receipts=rows, booking=books.booking())
    check_guards()
    day = date(2025, 3, 10)
    assert settles(loans[0]) == [(day, 1, PRINCIPAL, 10_000), (day, 2, CHARGE, 300)]
    assert settles(loans[1]) == [(day, 1, PRINCIPAL, 9_800), (day, 2, CHARGE, 500)]
    assert settles(loans[2]) == [(day, 1, PRINCIPAL, 10_000), (day, 2, PRINCIPAL, 300)]


def test_a_sub_loan_keeps_the_default_order_whatever_the_agreement_says() -> None:
    books = ordered(Order.PRINCIPAL_FIRST)
    loan = books.loan([(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000)], tier="subloan")
    books.charge(loan, day=date(2025, 2, 1), amount=500, instalment=1)
    post_receipts(receipts=receipts((loan, date(2025, 2, 1), 5_000, "R1")), booking=books.booking())
    assert settles(loan) == [(date(2025, 2, 1), 1, CHARGE, 500), (date(2025, 2, 1), 1, PRINCIPAL, 4_500)]


def test_a_grid_in_advance_settles_coming_instalments_on_the_day_of_the_money() -> None:
    books = ordered(Order.GRID, AT_ONCE)
    loan = books.loan([(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000)], disbursed=date(2025, 1, 1))
    post_receipts(receipts=receipts((loan, date(2025, 1, 20), 15_000, "R1")), booking=books.booking())
    check_guards()
    day = date(2025, 1, 20)
    assert settles(loan) == [(day, 1, PRINCIPAL, 10_000), (day, 2, PRINCIPAL, 5_000)]
    standing = Standing.objects.get(institution=books.institution, agreement=books.agreement, tranche=None)
    assert standing.exposure_minor == 5_000
    seen = preview(loan_id=loan.pk, amount_minor=1_000, value_date=day, as_of=date(2025, 1, 31))
    assert isinstance(seen.rule, Grid)
    assert str(seen.rule_label) == "By the agreement's grid"
    assert [(line.instalment, line.before_minor, line.left_minor) for line in seen.lines] == [
        (2, 5_000, 4_000)
    ]


@pytest.mark.parametrize("source", [Source.WAIVER, Source.WRITE_OFF, Source.TRANSFER])
def test_what_was_settled_without_money_is_not_paid_again_and_is_no_money_collected(source: Source) -> None:
    books = make_books()
    loan = books.loan([(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000)])
    post_receipts(receipts=receipts((loan, date(2025, 2, 1), 4_000, "R1")), booking=books.booking())
    without_money(books, loan, source, 1, 5_000, date(2025, 2, 20))
    posted = post_receipts(receipts=receipts((loan, date(2025, 3, 5), 12_000, "R2")), booking=books.booking())
    check_guards()
    assert settles(loan) == [
        (date(2025, 2, 1), 1, PRINCIPAL, 4_000),
        (date(2025, 3, 5), 0, 8, 1_000),
        (date(2025, 3, 5), 1, PRINCIPAL, 1_000),
        (date(2025, 3, 5), 2, PRINCIPAL, 10_000),
    ]
    standing = Standing.objects.get(institution=books.institution, agreement=books.agreement, tranche=None)
    assert (standing.principal_repaid_minor, standing.exposure_minor) == (15_000, 0)
    told = settlement_of(
        loan_id=loan.pk,
        receipt_id=int(posted.receipt_ids[0]),
        value_date=date(2025, 3, 5),
        as_of=date(2025, 3, 31),
    )
    assert [(line.before_minor, line.amount_minor, line.left_minor) for line in told.lines] == [
        (9_000, 1_000, 0),
        (0, 10_000, 0),
    ]
    assert open_dues(np.array([loan.pk])).empty
    reverse_receipts(receipt_ids=posted.receipt_ids, booking=books.booking(), reason="Bounced")
    check_guards()
    assert open_dues(np.array([loan.pk]))["open_minor"].tolist() == [1_000, 10_000]


def test_a_recovery_takes_later_receipts_first_and_counts_as_no_arrears() -> None:
    books = ordered(Order.BY_COMPONENT)
    loan = books.loan([(date(2025, 2, 1), 10_000)])
    without_money(books, loan, Source.WRITE_OFF, 1, 10_000, date(2025, 6, 1))
    owed_apart(books, loan, Component.RECOVERY, date(2025, 6, 1), 10_000)
    books.charge(loan, day=date(2025, 7, 1), amount=200, instalment=2)
    post_receipts(receipts=receipts((loan, date(2025, 8, 1), 10_100, "R1")), booking=books.booking())
    check_guards()
    assert settles(loan) == [
        (date(2025, 8, 1), 0, Component.RECOVERY, 10_000),
        (date(2025, 8, 1), 2, CHARGE, 100),
    ]
    standing = Standing.objects.get(institution=books.institution, agreement=books.agreement, tranche=None)
    assert (standing.exposure_minor, standing.overdue_minor, standing.principal_repaid_minor) == (0, 100, 0)


def test_a_refund_uses_the_advance_up_and_the_replay_after_a_bounce_leaves_it_owed() -> None:
    books = make_books()
    loan = books.loan([(date(2025, 2, 1), 10_000), (date(2025, 9, 1), 10_000)])
    posted = post_receipts(receipts=receipts((loan, date(2025, 2, 1), 13_000, "R1")), booking=books.booking())
    owed_apart(books, loan, Component.REFUND, date(2025, 3, 1), 3_000)
    check_guards()
    assert settles(loan)[-2:] == [
        (date(2025, 3, 1), 0, Component.REFUND, 3_000),
        (date(2025, 3, 1), 0, Component.ADVANCE, -3_000),
    ]
    standing = Standing.objects.get(institution=books.institution, agreement=books.agreement, tranche=None)
    assert standing.overdue_minor == 10_000
    reverse_receipts(receipt_ids=posted.receipt_ids, booking=books.booking(), reason="Bounced")
    check_guards()
    standing.refresh_from_db()
    assert standing.overdue_minor == 23_000


@given(
    order=st.sampled_from([Order.OLDEST_FIRST, Order.BY_COMPONENT, Order.PRINCIPAL_FIRST, Order.GRID]),
    arrival=st.permutations([(0, 3_000), (14, 9_000), (40, 6_000), (75, 20_000)]),
    waived=st.integers(1, 2_000),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_receipts_arrive_the_books_end_the_same(
    db: None, order: Order, arrival: list[tuple[int, int]], waived: int
) -> None:
    def arrive(money: list[tuple[int, int]]) -> list[tuple[date, int, int, int]]:
        books = ordered(order, AT_ONCE if order is Order.GRID else None)
        loan = books.loan([(date(2025, month, 1), 10_000) for month in (2, 3, 4)])
        books.charge(loan, day=date(2025, 2, 20), amount=2_000, instalment=9)
        without_money(books, loan, Source.WAIVER, 1, waived, date(2025, 2, 25))
        for days, amount in money:
            row = (loan, date.fromordinal(date(2025, 2, 1).toordinal() + days), amount, f"R{days}")
            post_receipts(receipts=receipts(row), booking=books.booking())
        check_guards()
        again = reallocate(loan_ids=[loan.pk], booking=books.booking())
        assert again == Reallocated(loan_count=1, mirrored_count=0, added_count=0)
        assert Receipt.objects.filter(loan=loan).count() == len(money)
        return sorted(settles(loan))

    assert arrive(arrival) == arrive(sorted(arrival))
