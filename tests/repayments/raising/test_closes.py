"""Penal interest night by night in the books, worked by hand: what is raised, taken back, settled, waived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from daybook.models import AuditEntry, Booking
from daybook.selectors import open_business_date
from daybook.services import CLOSE_OF_DAY, declare_holidays, roll_day
from lending.models import Due, Loan, PenalRate
from repayments.builders.raised import raised_on
from repayments.frames import Scope
from repayments.models import Allocation, ChargePolicy, ControlTotal, DayRun, Receipt
from repayments.selectors import measure_loans
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day
from repayments.services.posting import reverse_receipts
from repayments.services.raising import Raised, raise_day
from tests.repayments.close.books import ClosingBooks, closing_books
from tests.repayments.posting.books import check_guards

pytestmark = pytest.mark.django_db

PENAL, PRINCIPAL = 2, 4
LATE = date(2025, 12, 31)
LENT = date(2025, 6, 30)


@pytest.fixture
def books() -> ClosingBooks:
    """An agreement at 1.5 % when late, ACT/360; the books open on 31 December 2025."""
    made = closing_books()
    agree(made, "1.5", date(2020, 1, 1))
    return made


def agree(books: ClosingBooks, rate: str, from_date: date) -> None:
    """A penal rate from a date, proposed and approved."""
    PenalRate.objects.create(
        agreement=books.agreement,
        institution=books.institution,
        effective_date=from_date,
        annual_rate=Decimal(rate),
        reason="Board",
        state=PenalRate.State.APPROVED,
        proposed_by=books.maker,
        proposed_by_name=str(books.maker),
        proposed_date=from_date,
        decided_by=books.checker,
        decided_by_name=str(books.checker),
        booking=books.booking(),
    )


def nights(last: date) -> list[Raised]:
    """The raising of every calendar day up to and with the last one, each day rolled over after it."""
    raised = []
    while (day := open_business_date()) <= last:
        raised.append(raise_day(business_date=day))
        roll_day(closing=day)
    check_guards()
    return raised


def penal(loan: Loan) -> dict[tuple[int, date], int]:
    """Penal interest that stands, by instalment and day."""
    rows = Due.objects.filter(loan=loan, component=PENAL, mirror_of=None, mirror=None)
    return {(row.instalment, row.late_date): row.amount_minor for row in rows}


def total(loan: Loan) -> int:
    return sum(penal(loan).values())


def lend(books: ClosingBooks, plan: Sequence[Any] = ((LATE, 26_456_22),)) -> Loan:
    return books.lend(list(plan), disbursed=LENT, tier="wholesale")


def owed(loan: Loan, day: date) -> int:
    """Penal interest owed on a day, as all that is booked says."""
    return int(
        measure_loans(Scope.of_loans([loan.pk]), as_of=day, last_booking_id=2**60).rows[0]["penal_due_minor"]
    )


def test_the_domain_paper_s_instalment_is_33_07_dearer_after_30_days(books: ClosingBooks) -> None:
    loan = lend(books)
    nights(date(2026, 1, 30))
    assert total(loan) == 33_07
    assert len(penal(loan)) == 30
    assert min(penal(loan)) == (1, date(2026, 1, 1)), "nothing on the due date itself"
    assert owed(loan, date(2026, 1, 30)) == 33_07
    assert owed(loan, date(2026, 1, 10)) == 11_02, "10 days: 11.0234"


def test_a_night_s_raising_is_one_booking_of_the_system_and_a_second_run_finds_nothing(
    books: ClosingBooks,
) -> None:
    loan = lend(books)
    nights(date(2025, 12, 31))
    first = raise_day(business_date=date(2026, 1, 1))
    assert (first.added_count, first.mirrored_count) == (1, 0)
    again = raise_day(business_date=date(2026, 1, 1))
    assert (again.added_count, again.mirrored_count) == (0, 0)
    booking = Booking.objects.get(purpose="close.raise")
    assert (booking.actor_name, booking.actor_id, booking.business_date) == (
        "Close of day",
        None,
        date(2026, 1, 1),
    )
    due = Due.objects.get(loan=loan, component=PENAL)
    assert (due.booking_id, due.instalment, due.late_date, due.effective_date) == (
        booking.pk, 1, date(2026, 1, 1), date(2026, 1, 1)
    )  # fmt: skip
    entry = AuditEntry.objects.get(action="day.raise")
    assert entry.after is not None
    assert (entry.after["raised"], entry.after["taken_back"]) == (1, 0)


def test_days_on_which_the_books_are_shut_are_raised_with_the_next_close(books: ClosingBooks) -> None:
    """Closed on Wednesday 31 December and on Sunday 4 January: the Sunday raises four days, each its own."""
    loan = lend(books)
    raise_day(business_date=LATE)
    roll_day(closing=LATE, opening=date(2026, 1, 4))
    raise_day(business_date=date(2026, 1, 4))
    assert penal(loan) == {
        (1, date(2026, 1, 1)): 1_10,
        (1, date(2026, 1, 2)): 1_10,
        (1, date(2026, 1, 3)): 1_11,
        (1, date(2026, 1, 4)): 1_10,
    }


def test_a_holiday_declared_later_moves_no_due_date(books: ClosingBooks) -> None:
    """What is late counts from the stored late date: a new plan version may move it, a holiday does not."""
    loan = lend(books)
    declare_holidays(days=[(LATE, "Bank holiday", "ব্যাংক ছুটি")], actor=CLOSE_OF_DAY)
    nights(date(2026, 1, 1))
    assert total(loan) == 1_10


def test_a_part_payment_and_what_came_of_it(books: ClosingBooks) -> None:
    """24,000.00 late; 12,000.00 come on 10 January (10 days: 10.00). 20 days more on 12,000.00: 10.00."""
    loan = lend(books, [(LATE, 24_000_00)])
    nights(date(2026, 1, 9))
    books.receive(loan, date(2026, 1, 10), 12_000_00)
    nights(date(2026, 1, 30))
    assert total(loan) == 20_00
    settled = Allocation.objects.filter(loan=loan, component=PENAL)
    assert not settled.exists(), "the instalment, being older, was paid first"


def test_a_rate_changed_on_the_way_and_a_limit_below_it(books: ClosingBooks) -> None:
    """24,000.00: 10 days at 1.5 % are 10.00; from 10 January 3 % is agreed but 1.5 % stays the most.

    When the limit is raised to 2 % from 20 January, days bear 1.3333: 10 of them 13.33.
    """
    loan = lend(books, [(LATE, 24_000_00)])
    nights(date(2026, 1, 10))
    agree(books, "3", date(2026, 1, 10))
    nights(date(2026, 1, 20))
    assert total(loan) == 20_00
    ChargePolicy.objects.create(
        code="PENAL-WS-2026", reference="Board", tier="wholesale", applies_to="any", kind="penal_cap",
        percent=Decimal(2), from_date=date(2026, 1, 20), confidence="K", proposed_by=books.maker,
        approved_by=books.checker, booking=books.booking(),
    )  # fmt: skip
    nights(date(2026, 1, 30))
    assert total(loan) == 33_33


def test_without_a_limit_in_the_books_nothing_is_raised() -> None:
    """No policy is not the same as no limit."""
    made = closing_books(policies=False)
    agree(made, "1.5", date(2020, 1, 1))
    loan = lend(made)
    nights(date(2026, 1, 10))
    assert penal(loan) == {}


def test_a_receipt_that_turns_up_late_takes_back_what_it_contradicts(books: ClosingBooks) -> None:
    """24,000.00 of 5 January, booked on the 20th: 5 days stand, 14 are taken back, each at its day."""
    loan = lend(books, [(LATE, 24_000_00)])
    nights(date(2026, 1, 19))
    assert total(loan) == 19_00
    books.receive(loan, date(2026, 1, 5), 24_000_00)
    (last,) = nights(date(2026, 1, 20))
    assert (last.added_count, last.mirrored_count) == (0, 14)
    assert total(loan) == 5_00
    mirrors = Due.objects.filter(loan=loan, component=PENAL, mirror_of__isnull=False)
    assert {row.effective_date for row in mirrors} == {date(2026, 1, n) for n in range(6, 20)}
    assert owed(loan, date(2026, 1, 12)) == 5_00
    known = Booking.objects.filter(business_date=date(2026, 1, 19)).latest("id").pk
    then = measure_loans(Scope.of_loans([loan.pk]), as_of=date(2026, 1, 12), last_booking_id=known)
    assert int(then.rows[0]["penal_due_minor"]) == 12_00, "as we knew it then"


def test_a_receipt_reversed_brings_the_penal_interest_back(books: ClosingBooks) -> None:
    loan = lend(books, [(LATE, 24_000_00)])
    nights(date(2026, 1, 4))
    books.receive(loan, date(2026, 1, 5), 24_000_00)
    nights(date(2026, 1, 19))
    assert total(loan) == 5_00
    receipt = Receipt.objects.get(loan=loan)
    reverse_receipts(receipt_ids=[receipt.pk], booking=books.booking(), reason="Bounced")
    nights(date(2026, 1, 20))
    assert total(loan) == 20_00
    assert penal(loan)[(1, date(2026, 1, 12))] == 1_00


def test_money_that_waits_meets_penal_interest_on_the_day_it_falls_due(books: ClosingBooks) -> None:
    """What is paid beyond the late instalment waits, and the penal interest of its last day takes of it."""
    loan = lend(books, [(LATE, 24_000_00), (date(2026, 6, 30), 24_000_00)])
    nights(date(2026, 1, 9))
    books.receive(loan, date(2026, 1, 10), 24_050_00)
    nights(date(2026, 1, 12))
    assert total(loan) == 10_00
    paid = Allocation.objects.filter(loan=loan, component=PENAL, mirror_of=None, mirror=None)
    assert sum(row.amount_minor for row in paid) == 10_00
    assert owed(loan, date(2026, 1, 12)) == 0


def test_penal_interest_bears_none(books: ClosingBooks) -> None:
    """36,00,000.00 at 1.5 % are 150.00 a day, on the 31st day as on the first."""
    loan = lend(books, [(LATE, 36_00_000_00)])
    nights(date(2026, 1, 31))
    assert set(penal(loan).values()) == {150_00}


def test_waived_penal_interest_stays_raised_though_a_late_receipt_asks_for_less(books: ClosingBooks) -> None:
    loan = lend(books, [(LATE, 24_000_00)])
    nights(date(2026, 1, 10))
    Allocation.objects.create(
        loan=loan, institution_id=books.institution.pk, source=3, instalment=1, component=PENAL,
        value_date=date(2026, 1, 10), amount_minor=10_00, booking=books.booking(),
    )  # fmt: skip
    books.receive(loan, date(2026, 1, 1), 24_000_00)
    nights(date(2026, 1, 11))
    assert total(loan) == 10_00
    assert penal(loan) == {(1, date(2026, 1, 1)): 1_00, (1, date(2026, 1, 10)): 9_00}
    assert owed(loan, date(2026, 1, 11)) == 0


def test_sub_loans_and_loans_paid_on_time_bear_nothing(books: ClosingBooks) -> None:
    lend(books, [(LATE, 10_000_00)])
    on_time = lend(books, [(LATE, 24_000_00)])
    books.receive(on_time, LATE, 24_000_00)
    theirs = books.lend([(LATE, 24_000_00)], disbursed=LENT, tier="subloan")
    nights(date(2026, 1, 31))
    assert penal(on_time) == {}
    assert penal(theirs) == {}


def test_a_month_of_closes_adds_up_and_each_day_stays_as_it_was_known(books: ClosingBooks) -> None:
    """Real closes, with money that came late and a receipt taken back: totals balance, checksums stay."""
    loan = lend(books, [(LATE, 24_000_00), (date(2026, 1, 15), 12_000_00)])
    other = lend(books, [(LATE, 36_000_00)])
    sums: dict[date, str] = {}
    while (day := open_business_date()) <= date(2026, 1, 24):
        if day == date(2026, 1, 8):
            books.receive(other, date(2026, 1, 3), 36_000_00)
        if day == date(2026, 1, 12):
            books.receive(loan, date(2026, 1, 2), 24_030_00)
        if day == date(2026, 1, 20):
            late = Receipt.objects.get(loan=loan)
            reverse_receipts(receipt_ids=[late.pk], booking=books.booking(), reason="Bounced")
        run = close_day(opening=day + timedelta(days=4 if day.day % 4 == 0 else 1))
        assert run.state == DayRun.State.CLOSED, run.error
        sums[day] = verify_close(day).checksum
    check_guards()
    assert total(other) == 3 * 1_50
    assert {day: verify_close(day).checksum for day in sums} == sums
    assert [verify_close(day).differences for day in sums] == [[]] * len(sums)
    flows = ControlTotal.objects.filter(component=PENAL, tier="wholesale")
    assert sum(row.raised_minor for row in flows) > sum(row.reduced_minor for row in flows) > 0


def test_the_working_of_what_is_raised(books: ClosingBooks) -> None:
    """24,000.00 for 10 days at 1.5 % and 12,000.00 for 20: 10.00 + 10.00, thirty nights."""
    loan = lend(books, [(LATE, 24_000_00)])
    nights(date(2026, 1, 9))
    books.receive(loan, date(2026, 1, 10), 12_000_00)
    nights(date(2026, 1, 30))
    shown = raised_on(
        loan_id=loan.pk, agreement_id=loan.agreement_id, as_of=date(2026, 1, 30), last_booking_id=2**60
    )
    (working,) = shown.penal
    assert [(part.part.balance_minor, part.part.days, part.limit) for part in working.stretches] == [
        (24_000_00, 10, ""),
        (12_000_00, 20, ""),
    ]
    assert (working.total_minor, working.raised_minor, len(working.nights)) == (20_00, 20_00, 30)
    before = raised_on(
        loan_id=loan.pk, agreement_id=loan.agreement_id, as_of=date(2026, 1, 5), last_booking_id=2**60
    )
    assert (before.penal[0].total_minor, before.penal[0].raised_minor) == (5_00, 5_00)


def test_the_working_names_the_limit_that_holds_a_rate_down(books: ClosingBooks) -> None:
    agree(books, "3", date(2026, 1, 1))
    loan = lend(books, [(LATE, 24_000_00)])
    nights(date(2026, 1, 10))
    (working,) = raised_on(
        loan_id=loan.pk, agreement_id=loan.agreement_id, as_of=date(2026, 1, 10), last_booking_id=2**60
    ).penal
    assert working.total_minor == working.raised_minor == 10_00
    assert working.stretches[-1].limit == "PENAL-WS"
