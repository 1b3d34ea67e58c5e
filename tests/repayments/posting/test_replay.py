"""However receipts come (any order of value dates, late, taken back), every pair of clocks tells the truth.

The books are asked for each (as-of, known-by) pair and compared with a walker that settles
from scratch what was known then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lending.models import Loan, Standing
from repayments.models import Allocation, Receipt
from repayments.services.posting import Reallocated, post_receipts, reallocate, reverse_receipts
from tests.repayments.posting.books import PRINCIPAL, Books, check_guards, make_books, receipts
from tests.repayments.posting.walker import KnownDue, KnownReceipt, settled

pytestmark = pytest.mark.django_db

START = date(2025, 1, 1)
DAYS = 40


def day(number: int) -> date:
    return START + timedelta(days=number)


posts = st.tuples(
    st.just("post"),
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(-3, DAYS + 5), st.integers(1, 160)), min_size=1, max_size=3
    ),
)
reversals = st.tuples(st.just("reverse"), st.lists(st.integers(0, 30), min_size=1, max_size=2))
charges = st.tuples(
    st.just("charge"),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, DAYS), st.integers(1, 50)), max_size=1),
)
plans = st.lists(st.tuples(st.integers(0, DAYS), st.integers(1, 120)), min_size=1, max_size=4).map(sorted)


class Story:
    """Two loans, what happens to them, and what a person keeping notes would know."""

    def __init__(self, books: Books, plans_of_loans: list[list[tuple[int, int]]]) -> None:
        self.books = books
        self.loans: list[Loan] = []
        self.dues: list[list[KnownDue]] = []
        self.money: list[list[KnownReceipt]] = []
        self.bookings: list[int] = []
        for plan in plans_of_loans:
            loan = books.loan([(day(number), amount) for number, amount in plan], disbursed=START)
            self.loans.append(loan)
            self.dues.append(
                [
                    KnownDue(instalment, PRINCIPAL, day(number), amount, loan.booking_id)
                    for instalment, (number, amount) in enumerate(plan, start=1)
                ]
            )
            self.money.append([])

    def post(self, rows: list[tuple[int, int, int]]) -> None:
        booking = self.books.booking()
        count = sum(map(len, self.money))
        result = post_receipts(
            receipts=receipts(
                *(
                    (self.loans[which], day(number), amount, f"R{count + place}")
                    for place, (which, number, amount) in enumerate(rows)
                )
            ),
            booking=booking,
        )
        for (which, number, amount), receipt_id in zip(rows, result.receipt_ids.tolist(), strict=True):
            self.money[which].append(KnownReceipt(receipt_id, day(number), amount, booking.pk))
        self.bookings.append(booking.pk)

    def reverse(self, picks: list[int]) -> None:
        live = [receipt.number for money in self.money for receipt in money if not receipt.reversed]
        chosen = {live[pick % len(live)] for pick in picks if live}
        if not chosen:
            return
        booking = self.books.booking()
        reverse_receipts(receipt_ids=sorted(chosen), booking=booking, reason="Bounced")
        for money in self.money:
            for place, receipt in enumerate(money):
                if receipt.number in chosen:
                    money[place] = replace(receipt, reversed=booking.pk)
        self.bookings.append(booking.pk)

    def charge(self, rows: list[tuple[int, int, int]]) -> None:
        for which, number, amount in rows:
            instalment = max(due.instalment for due in self.dues[which]) + 1
            booking = self.books.charge(
                self.loans[which], day=day(number), amount=amount, instalment=instalment
            )
            reallocate(loan_ids=[self.loans[which].pk], booking=booking)
            self.dues[which].append(KnownDue(instalment, 1, day(number), amount, booking.pk))
            self.bookings.append(booking.pk)

    def check(self) -> None:
        for loan, dues, money in zip(self.loans, self.dues, self.money, strict=True):
            rows = list(
                Allocation.objects.filter(loan=loan).values_list(
                    "receipt_id", "instalment", "component", "amount_minor", "value_date", "booking_id"
                )
            )
            dates = {due.late_date for due in dues} | {receipt.value_date for receipt in money}
            dates |= {found - timedelta(days=1) for found in dates}
            for known_by in self.bookings:
                for as_of in dates:
                    found: Counter[tuple[int, int, int]] = Counter()
                    for receipt, instalment, component, amount, value_date, booking in rows:
                        if value_date <= as_of and booking <= known_by:
                            found[receipt, instalment, component] += amount
                    found = Counter({key: amount for key, amount in found.items() if amount})
                    assert found == settled(dues, money, as_of=as_of, known_by=known_by), (as_of, known_by)


@given(
    two_plans=st.lists(plans, min_size=2, max_size=2),
    acts=st.lists(st.one_of(posts, posts, reversals, charges), min_size=1, max_size=8),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_as_of_and_known_by_equals_a_walk_from_scratch(
    db: None, two_plans: list[list[tuple[int, int]]], acts: list[tuple[str, list[object]]]
) -> None:
    story = Story(make_books(), two_plans)
    for name, details in acts:
        getattr(story, name)(details)
    check_guards()
    story.check()
    again = reallocate(loan_ids=[loan.pk for loan in story.loans], booking=story.books.booking())
    assert again == Reallocated(loan_count=2, mirrored_count=0, added_count=0)


def test_mirrors_stand_at_the_value_date_of_what_they_take_back() -> None:
    books = make_books()
    loan = books.loan([(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000)])
    post_receipts(receipts=receipts((loan, date(2025, 3, 10), 10_000, "LATE")), booking=books.booking())
    post_receipts(receipts=receipts((loan, date(2025, 2, 1), 4_000, "OLDER")), booking=books.booking())
    check_guards()
    mirrors = Allocation.objects.filter(loan=loan, mirror_of__isnull=False).select_related("mirror_of")
    assert [(row.value_date, row.amount_minor) for row in mirrors] == [(date(2025, 3, 10), -10_000)]
    for row in mirrors:
        assert row.mirror_of is not None
        assert (row.value_date, row.amount_minor) == (row.mirror_of.value_date, -row.mirror_of.amount_minor)
    late = Allocation.objects.filter(receipt__external_reference="LATE", mirror_of=None, mirror=None)
    assert sorted((row.instalment, row.amount_minor) for row in late) == [(1, 6_000), (2, 4_000)]


def test_decisions_see_the_new_standing_at_once() -> None:
    books = make_books()
    loan = books.loan([(date(2025, 2, 1), 10_000), (date(2026, 3, 1), 20_000)])

    def stands() -> tuple[int, int, int]:
        standing = Standing.objects.get(
            institution=books.institution, agreement=books.agreement, tranche=None
        )
        return standing.exposure_minor, standing.overdue_minor, standing.principal_repaid_minor

    row = receipts((loan, date(2025, 2, 10), 4_000, "PART"))
    posted = post_receipts(receipts=row, booking=books.booking())
    assert stands() == (26_000, 6_000, 4_000)
    reverse_receipts(receipt_ids=posted.receipt_ids, booking=books.booking(), reason="Bounced")
    assert stands() == (30_000, 10_000, 0)


def test_the_number_of_queries_does_not_depend_on_loans_or_receipts() -> None:
    """Besides the statements counted here, a posting reads its loans by COPYs, each for all of them."""

    def queries(loan_count: int, receipt_count: int) -> tuple[int, int]:
        books = make_books()
        loans = [books.loan([(date(2025, 2, 1), 10_000)]) for _ in range(loan_count)]
        frame = receipts(
            *(
                (loan, date(2025, 1, 1 + number), 500, f"Q{number}")
                for loan in loans
                for number in range(receipt_count)
            )
        )
        booking = books.booking()
        with CaptureQueriesContext(connection) as posting:
            result = post_receipts(receipts=frame, booking=booking)
        with CaptureQueriesContext(connection) as reversing:
            reverse_receipts(receipt_ids=result.receipt_ids, booking=booking, reason="Wrong file")
        assert Receipt.objects.filter(loan__in=loans).count() == 2 * loan_count * receipt_count
        return len(posting), len(reversing)

    assert queries(1, 1) == queries(7, 5)
