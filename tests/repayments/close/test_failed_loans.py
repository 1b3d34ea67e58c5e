"""A loan whose facts contradict each other: carried, counted, disclosed, and sound again once mended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection

from lending.models import Loan
from repayments.models import Allocation, ArrearsSnapshot, ControlTotal, DayRun
from repayments.selectors.closes import carried_loans
from repayments.selectors.verifying import verify_close
from repayments.services.close import CannotSignExceptions, close_day, sign_exceptions
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

PLAN = [(date(2025, 9, 30), 100_00), (date(2026, 9, 30), 100_00)]


def _spoil(loan: Loan, books: ClosingBooks, amount: int = 999_00) -> None:
    """Settle more than is due, which only a login that switches the guards off can do."""
    booking = books.booking()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")  # the login itself, a superuser
        cursor.execute("SET LOCAL session_replication_role = replica")
        Allocation.objects.create(
            loan=loan, institution_id=loan.institution_id, source=3, instalment=1, component=4,
            value_date=booking.business_date, amount_minor=amount, booking=booking,
        )  # fmt: skip
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute("SET LOCAL ROLE paikar_worker")


def _mend(loan: Loan, books: ClosingBooks) -> None:
    """Take the false row back by its mirror."""
    wrong = Allocation.objects.get(loan=loan, source=3, mirror_of=None)
    Allocation.objects.create(
        loan=loan, institution_id=loan.institution_id, source=3, instalment=1, component=4,
        value_date=wrong.value_date, amount_minor=-wrong.amount_minor, mirror_of=wrong,
        booking=books.booking(),
    )  # fmt: skip


@pytest.fixture
def books() -> ClosingBooks:
    return closing_books()


def test_a_failed_loan_keeps_yesterdays_figures_and_the_totals_still_balance(books: ClosingBooks) -> None:
    bad, good = (books.lend(PLAN, disbursed=date(2025, 6, 30)) for _ in range(2))
    close_day()
    books.receive(bad, date(2026, 1, 1), 40_00)
    books.receive(good, date(2026, 1, 1), 40_00)
    _spoil(bad, books)
    run = close_day()

    assert run.state == DayRun.State.EXCEPTIONS, run.error
    assert (run.loan_count, run.computed_count, run.carried_count) == (2, 1, 1)
    carried = ArrearsSnapshot.objects.get(business_date=run.business_date, loan_id=bad.pk)
    assert (carried.state, carried.outstanding_minor, carried.days_past_due) == ("failed", 200_00, 92)
    assert [row.number for row in carried_loans(run, at_most=10)] == [bad.number]
    total = ControlTotal.objects.get(run=run, component=4)
    assert (total.opening_minor, total.settled_minor, total.closing_minor) == (400_00, 40_00, 360_00)
    assert verify_close(run.business_date).differences == []

    _mend(bad, books)
    repaired = close_day()
    assert repaired.state == DayRun.State.CLOSED, repaired.error
    total = ControlTotal.objects.get(run=repaired, component=4)
    assert (total.opening_minor, total.closing_minor) == (360_00, 320_00), (
        "what the failed day missed counts now"
    )
    assert total.settled_minor == 40_00


def test_a_loan_that_fails_on_its_first_day_carries_nothing(books: ClosingBooks) -> None:
    loan = books.lend(PLAN, disbursed=date(2025, 6, 30))
    _spoil(loan, books)
    run = close_day()
    assert (run.state, run.carried_count) == (DayRun.State.EXCEPTIONS, 1)
    assert ArrearsSnapshot.objects.get(loan_id=loan.pk).outstanding_minor == 0
    _mend(loan, books)
    repaired = close_day()
    assert repaired.state == DayRun.State.CLOSED, repaired.error
    assert ControlTotal.objects.get(run=repaired, component=4).closing_minor == 200_00


def test_a_clean_close_has_nothing_to_sign(books: ClosingBooks, make_user: Callable[..., object]) -> None:
    books.lend(PLAN, disbursed=date(2025, 6, 30))
    run = close_day()
    with pytest.raises(CannotSignExceptions, match="no exceptions"):
        sign_exceptions(run_id=run.pk, actor=books.maker, reason="All well")
