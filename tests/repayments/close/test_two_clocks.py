"""As of any date, known by any business date: standings equal a walk over the facts, row by row."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta

import pytest

from daybook.models import BusinessDay
from daybook.selectors import Knowledge, known_by
from lending.models import Due, Loan
from repayments.models import Allocation, DayRun, Receipt
from repayments.selectors import standings
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day
from repayments.services.posting import reverse_receipts
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

PLAN = [
    (date(2025, 9, 30), 100_00, 10_00),
    (date(2025, 12, 31), 100_00, 8_00),
    (date(2026, 1, 7), 100_00, 6_00),
]


def _walk(loan: Loan, as_of: date, last_booking_id: int) -> dict[str, int]:
    """Outstanding, overdue and lateness of a loan, fact by fact."""
    settled: dict[tuple[int, int], int] = defaultdict(int)
    for row in Allocation.objects.filter(loan=loan):
        if row.booking_id <= last_booking_id and row.value_date <= as_of:
            settled[row.instalment, row.component] += row.amount_minor
    dues: dict[tuple[int, int, date], int] = defaultdict(int)
    for due in Due.objects.filter(loan=loan):
        if due.booking_id <= last_booking_id and due.effective_date <= as_of:
            dues[due.instalment, due.component, due.late_date] += due.amount_minor
    unpaid = {key: amount - settled[key[0], key[1]] for key, amount in dues.items()}
    late = [key for key, amount in unpaid.items() if key[2] < as_of and amount > 0]
    return {
        "outstanding_minor": sum(amount for key, amount in unpaid.items() if key[1] == 4),
        "overdue_principal_minor": sum(unpaid[key] for key in late if key[1] == 4),
        "overdue_interest_minor": sum(unpaid[key] for key in late if key[1] == 3),
        "advance_minor": settled[0, 8],
        "days_past_due": max(((as_of - key[2]).days for key in late), default=0),
    }


def _a_fortnight(books: ClosingBooks, chance: random.Random) -> list[Loan]:
    """Loans lent before and during a fortnight of closes; receipts late, early and reversed."""
    loans = [books.lend(PLAN, disbursed=date(2025, 6, 30)) for _ in range(4)]
    for _ in range(10):
        today = BusinessDay.objects.get(state="open").date
        loan = chance.choice(loans)
        back = chance.choice([0, 1, 5, 60])
        books.receive(loan, today - timedelta(days=back), chance.choice([5_00, 50_00, 108_00, 200_00]))
        standing = list(Receipt.objects.filter(mirror_of=None, mirror=None).order_by("id"))
        if chance.random() < 0.4:
            taken = chance.choice(standing)
            reverse_receipts(receipt_ids=[taken.pk], booking=books.booking(), reason="A cheque bounced.")
        if chance.random() < 0.3:
            loans.append(books.lend(PLAN, disbursed=today - timedelta(days=chance.choice([0, 40]))))
        assert close_day(loans_a_slice=2).state == DayRun.State.CLOSED
    return loans


@pytest.mark.parametrize("seed", [1, 2])
def test_standings_for_any_pair_of_clocks_equal_a_walk_over_the_facts(seed: int) -> None:
    loans = _a_fortnight(closing_books(), random.Random(seed))  # noqa: S311
    days = list(BusinessDay.objects.order_by("date").values_list("date", flat=True))
    checked = 0
    for known in days[::3]:
        knowledge = known_by(known)
        for as_of in [date(2025, 10, 1), *days[::4], days[-1] + timedelta(days=90)]:
            frame = standings(as_of=as_of, knowledge=knowledge).set_index("loan_id")
            expected = [
                loan
                for loan in loans
                if loan.disbursed_date <= as_of and loan.booking_id <= knowledge.last_booking_id
            ]
            assert list(frame.index) == [loan.pk for loan in expected]
            assert frame.attrs["is_projection"] is (known < as_of)
            for loan in expected:
                walked = _walk(loan, as_of, knowledge.last_booking_id)
                assert {name: frame.loc[loan.pk, name] for name in walked} == walked, (loan.pk, as_of, known)
                checked += 1
    assert checked > 50


def test_a_closed_day_verifies_again_and_again_whatever_is_booked_later() -> None:
    books = closing_books()
    _a_fortnight(books, random.Random(3))  # noqa: S311
    first, *later = BusinessDay.objects.filter(state="closed").order_by("date").values_list("date", flat=True)
    before = verify_close(first)
    assert (before.differences, before.loan_count) == ([], 4)
    books.receive(Loan.objects.earliest("id"), date(2025, 10, 1), 108_00)
    after = verify_close(first)
    assert (after.differences, after.checksum) == ([], before.checksum)
    assert all(verify_close(day).differences == [] for day in later)


def test_knowledge_before_the_books_knows_nothing() -> None:
    closing_books().lend(PLAN, disbursed=date(2025, 6, 30))
    frame = standings(as_of=date(2025, 12, 31), knowledge=Knowledge(date(2020, 1, 1), 0, is_final=True))
    assert frame.empty
    assert frame.attrs["is_projection"]
