"""What loan events leave in the facts: measured, snapshot and balanced. Amounts worked by hand, in poisha."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest

from lending.models import Due, Loan, Schedule
from repayments.models import Allocation, ArrearsSnapshot, ControlTotal, DayRun
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

PLAN = [
    (date(2025, 9, 30), 100_00, 10_00),
    (date(2025, 10, 31), 100_00, 8_00),
    (date(2026, 6, 30), 100_00, 6_00),
]
EVENT = date(2026, 1, 1)
INTEREST, PRINCIPAL, RECOVERY = 3, 4, 7
WAIVER, WRITE_OFF, TRANSFER = 3, 4, 5


@pytest.fixture
def books() -> ClosingBooks:
    return closing_books()


def _settle(books: ClosingBooks, loan: Loan, source: int, rows: Iterable[tuple[int, int, int]]) -> None:
    """Settle (instalment, component, amount) without money, as an event does."""
    booking = books.booking()
    Allocation.objects.bulk_create(
        Allocation(
            loan=loan,
            institution_id=loan.institution_id,
            source=source,
            instalment=instalment,
            component=component,
            value_date=EVENT,
            amount_minor=amount,
            booking=booking,
        )
        for instalment, component, amount in rows
    )


def _replan(books: ClosingBooks, loan: Loan, cause: str, **version: int) -> None:
    """A second version from the event on: it takes back instalment 3 and has instalment 4 in December."""
    booking = books.booking()
    schedule = Schedule.objects.create(
        loan=loan,
        institution=loan.institution,
        version=2,
        cause=cause,
        effective_date=EVENT,
        terms={},
        principal_minor=100_00,
        first_due_date=date(2026, 12, 31),
        maturity_date=date(2026, 12, 31),
        instalment_count=1,
        booking=booking,
        **version,
    )
    rows: list[tuple[int, int, date, int, Due | None]] = [
        (due.instalment, due.component, due.late_date, -due.amount_minor, due)
        for due in Due.objects.filter(loan=loan, instalment=3)
    ]
    rows += [
        (4, PRINCIPAL, date(2026, 12, 31), 100_00 + sum(version.values()), None),
        (4, INTEREST, date(2026, 12, 31), 20_00, None),
    ]
    Due.objects.bulk_create(
        Due(
            loan=loan,
            institution_id=loan.institution_id,
            schedule=schedule,
            instalment=instalment,
            component=component,
            nominal_date=late,
            late_date=late,
            effective_date=EVENT,
            amount_minor=amount,
            mirror_of=mirrored,
            booking=booking,
        )
        for instalment, component, late, amount, mirrored in rows
    )


def _flows(run: DayRun, component: int) -> dict[str, int]:
    names = ("opening", "disbursed", "raised", "capitalised", "settled", "reduced", "written_off", "closing")
    row = ControlTotal.objects.get(run=run, component=component)
    return {name: getattr(row, f"{name}_minor") for name in names if getattr(row, f"{name}_minor")}


def test_overdue_parts_moved_into_a_new_plan_with_a_further_tranche(books: ClosingBooks) -> None:
    loan = books.lend(PLAN, disbursed=date(2025, 6, 30))
    before = close_day()
    unpaid = [(1, INTEREST, 10_00), (1, PRINCIPAL, 100_00), (2, INTEREST, 8_00), (2, PRINCIPAL, 100_00)]
    _settle(books, loan, TRANSFER, unpaid)
    _replan(books, loan, "reschedule", capitalised_minor=18_00, added_minor=50_00, transferred_minor=200_00)
    run = close_day()

    assert run.state == DayRun.State.CLOSED, run.error
    row = ArrearsSnapshot.objects.get(business_date=run.business_date, loan_id=loan.pk)
    assert (row.disbursed_minor, row.outstanding_minor, row.interest_due_minor) == (350_00, 368_00, 0)
    assert (row.days_past_due, row.rescheduled_count, row.written_off_minor) == (0, 1, 0)
    assert _flows(run, PRINCIPAL) == {
        "opening": 300_00,
        "disbursed": 50_00,
        "raised": 100_00,
        "capitalised": 18_00,
        "reduced": 100_00,
        "closing": 368_00,
    }
    assert _flows(run, INTEREST) == {"opening": 18_00, "capitalised": -18_00}
    earlier = ArrearsSnapshot.objects.get(business_date=before.business_date, loan_id=loan.pk)
    assert (earlier.disbursed_minor, earlier.rescheduled_count) == (300_00, 0)
    assert verify_close(before.business_date).holds
    assert verify_close(run.business_date).holds


def test_what_is_waived_written_off_and_recovered(books: ClosingBooks) -> None:
    loan = books.lend([(date(2025, 9, 30), 100_00, 10_00)], disbursed=date(2025, 6, 30))
    close_day()
    _settle(books, loan, WAIVER, [(1, INTEREST, 4_00)])
    _settle(books, loan, WRITE_OFF, [(1, INTEREST, 6_00), (1, PRINCIPAL, 100_00)])
    Due.objects.create(
        loan=loan,
        institution_id=loan.institution_id,
        schedule=loan.schedules.get(),
        instalment=0,
        component=RECOVERY,
        nominal_date=EVENT,
        late_date=EVENT,
        effective_date=EVENT,
        amount_minor=106_00,
        booking=books.booking(),
    )
    written_off = close_day()
    books.receive(loan, date(2026, 1, 4), 30_00)
    recovered = close_day()

    for run, memo in ((written_off, 106_00), (recovered, 76_00)):
        assert run.state == DayRun.State.CLOSED, run.error
        row = ArrearsSnapshot.objects.get(business_date=run.business_date, loan_id=loan.pk)
        assert (row.outstanding_minor, row.interest_due_minor, row.overdue_principal_minor) == (0, 0, 0)
        assert (row.days_past_due, row.written_off_minor, row.advance_minor) == (0, memo, 0)
        assert verify_close(run.business_date).holds
    assert _flows(written_off, INTEREST) == {"opening": 10_00, "reduced": 4_00, "written_off": 6_00}
    assert _flows(written_off, PRINCIPAL) == {"opening": 100_00, "written_off": 100_00}
    assert [_flows(recovered, component) for component in (INTEREST, PRINCIPAL)] == [{}, {}]
