"""A close of day: what it writes, what it counts, and that repeating or slicing it changes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from daybook.selectors import known_by, open_business_date
from lending.models import Standing
from repayments.frames import Scope
from repayments.models import ArrearsSnapshot, ControlTotal, DayRun, DayRunSlice
from repayments.selectors import measure_loans, standings
from repayments.selectors.standings import as_frame
from repayments.services.close import CannotClose, close_day, retry_close, start_close, work_all_slices
from repayments.services.close_slices import (
    ATTEMPTS,
    MOST_ATTEMPTS,
    SliceDoesNotFit,
    claim_slice,
    free_slices,
    work_slice,
)
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> ClosingBooks:
    return closing_books()


def _a_small_book(books: ClosingBooks) -> None:
    plan = [
        (date(2025, 7, 31), 100_00, 5_00),
        (date(2025, 10, 31), 100_00, 4_00),
        (date(2026, 1, 31), 100_00, 3_00),
    ]
    for number in range(7):
        loan = books.lend(plan, disbursed=date(2025, 4, 30))
        if number:
            books.receive(loan, date(2025, 8, 10), number * 30_00)
    wholesale = books.lend(plan, disbursed=date(2025, 4, 30), tier="wholesale")
    books.receive(wholesale, date(2025, 8, 1), 105_00)


def test_the_close_writes_one_snapshot_a_loan_and_opens_the_next_working_day(books: ClosingBooks) -> None:
    _a_small_book(books)

    run = close_day()

    assert run.business_date == BOOKS_OPEN
    assert run.state == DayRun.State.CLOSED, run.error
    assert (run.loan_count, run.computed_count, run.carried_count) == (8, 8, 0)
    assert ArrearsSnapshot.objects.filter(business_date=BOOKS_OPEN).count() == 8
    assert open_business_date() == date(2026, 1, 1), "Thursday, the day after Wednesday 31 December 2025"


def test_after_thursday_comes_sunday(books: ClosingBooks) -> None:
    close_day()
    close_day()
    assert open_business_date() == date(2026, 1, 4)


def test_control_totals_say_where_every_poisha_went(books: ClosingBooks) -> None:
    _a_small_book(books)
    first = close_day()
    late = books.lend([(date(2026, 1, 1), 50_00)], disbursed=date(2025, 12, 30))
    books.receive(late, date(2026, 1, 1), 20_00)
    second = close_day()

    def total(run: DayRun, tier: str, component: int) -> dict[str, Any]:
        names = [
            f"{name}_minor"
            for name in ("opening", "disbursed", "raised", "settled", "closing", "earlier_periods")
        ]
        return ControlTotal.objects.filter(run=run, tier=tier, component=component).values(*names).get()

    assert total(first, "subloan", 4) == {
        "opening_minor": 0,
        "disbursed_minor": 2100_00,
        "raised_minor": 0,
        "settled_minor": 588_00,
        "closing_minor": 1512_00,
        "earlier_periods_minor": 0,
    }
    assert total(first, "wholesale", 3)["settled_minor"] == 5_00
    assert total(second, "subloan", 4) == {
        "opening_minor": 1512_00,
        "disbursed_minor": 50_00,
        "raised_minor": 0,
        "settled_minor": 20_00,
        "closing_minor": 1542_00,
        "earlier_periods_minor": 50_00,
    }
    assert second.state == DayRun.State.CLOSED, second.error


def test_snapshots_are_what_a_recomputation_gives(books: ClosingBooks) -> None:
    _a_small_book(books)
    run = close_day(loans_a_slice=3)

    read = standings(as_of=BOOKS_OPEN, knowledge=known_by(BOOKS_OPEN))
    measured = measure_loans(Scope(), as_of=BOOKS_OPEN, last_booking_id=run.last_booking_id)
    recomputed = as_frame(measured.rows, measured.profiles[measured.profiles["loan_id"] > 0], BOOKS_OPEN)

    assert read.attrs["source"] == "snapshot"
    assert_frame_equal(read, recomputed)


def test_posting_during_a_close_does_not_change_it(books: ClosingBooks) -> None:
    _a_small_book(books)
    loan = books.lend([(date(2025, 11, 30), 100_00)], disbursed=date(2025, 6, 1))
    run = start_close(loans_a_slice=4)
    books.receive(loan, date(2025, 12, 20), 100_00)
    work_all_slices(run, claimed_by="worker")

    assert run.state == DayRun.State.CLOSED, run.error
    assert ArrearsSnapshot.objects.get(business_date=BOOKS_OPEN, loan_id=loan.pk).outstanding_minor == 100_00
    now = standings(
        as_of=BOOKS_OPEN, knowledge=known_by(open_business_date()), scope=Scope.of_loans([loan.pk])
    )
    assert now["outstanding_minor"].item() == 0
    assert now.attrs["source"] == "recomputed"


def test_a_slice_done_once_is_not_done_again(books: ClosingBooks) -> None:
    _a_small_book(books)
    run = close_day(loans_a_slice=3)
    before = pd.DataFrame(list(ArrearsSnapshot.objects.values()))

    assert not any(work_slice(slice_id=row.pk, claimed_by="another") for row in run.slices.all())
    assert_frame_equal(before, pd.DataFrame(list(ArrearsSnapshot.objects.values())))


def test_a_slice_left_behind_is_taken_at_once_and_by_one(books: ClosingBooks) -> None:
    _a_small_book(books)
    run = start_close()
    only = run.slices.get()
    assert claim_slice(slice_id=only.pk, claimed_by="dead")
    assert free_slices() == [only.pk]
    assert work_slice(slice_id=only.pk, claimed_by="living")
    assert free_slices() == []
    run.refresh_from_db()
    assert run.state == DayRun.State.CLOSED, run.error


def test_a_slice_that_kills_every_worker_fails_the_close(books: ClosingBooks) -> None:
    _a_small_book(books)
    run = start_close(loans_a_slice=4)
    deadly, other = run.slices.order_by("number")
    for _ in range(MOST_ATTEMPTS):
        assert claim_slice(slice_id=deadly.pk, claimed_by="dead")
        assert run.state == DayRun.State.RUNNING
        freed = free_slices()
    assert freed == []
    run.refresh_from_db()
    assert run.state == DayRun.State.FAILED
    assert run.error.startswith(f"Slice 1 of run {run.pk} failed 10 times: Begun 10 times")
    assert not work_slice(slice_id=other.pk, claimed_by="too late")

    retry_close(business_date=BOOKS_OPEN)
    work_all_slices(run, claimed_by="worker")
    assert run.state == DayRun.State.CLOSED, run.error


def test_a_slice_that_does_not_fit_is_tried_three_times_and_told(books: ClosingBooks) -> None:
    _a_small_book(books)
    run = start_close()
    only = run.slices.get()
    DayRunSlice.objects.filter(pk=only.pk).update(loan_count=9)
    for attempt in range(1, ATTEMPTS + 1):
        with pytest.raises(SliceDoesNotFit):
            work_slice(slice_id=only.pk, claimed_by="worker")
        assert free_slices() == ([only.pk] if attempt < ATTEMPTS else []), (
            "an error puts it back in the queue"
        )
    run.refresh_from_db()
    assert run.state == DayRun.State.FAILED
    assert "cut with 9 loans and now holds 8" in run.error
    with pytest.raises(CannotClose, match="failed and must be repeated first"):
        start_close()

    DayRunSlice.objects.filter(pk=only.pk).update(loan_count=8)
    retry_close(business_date=BOOKS_OPEN)
    work_all_slices(run, claimed_by="worker")
    assert run.state == DayRun.State.CLOSED, run.error
    with pytest.raises(CannotClose, match="nothing to repeat"):
        retry_close(business_date=BOOKS_OPEN)


def test_a_close_waits_for_the_one_before(books: ClosingBooks) -> None:
    _a_small_book(books)
    start_close()
    with pytest.raises(CannotClose, match="still running"):
        start_close()


def test_only_the_open_date_can_be_closed(books: ClosingBooks) -> None:
    with pytest.raises(CannotClose, match="The open business date is 31 Dec 2025"):
        start_close(closing=date(2025, 12, 30))


def test_an_empty_book_closes(books: ClosingBooks) -> None:
    run = close_day()
    assert (run.state, run.loan_count) == (DayRun.State.CLOSED, 0)


def test_standings_follow_the_close(books: ClosingBooks) -> None:
    _a_small_book(books)
    close_day()
    institution = Standing.objects.get(institution=books.institution, agreement=None)
    assert institution.exposure_minor == 200_00
    assert institution.principal_repaid_minor == 100_00
    assert institution.overdue_minor == 104_00
    assert institution.days_past_due == 61
    assert institution.subloan_outstanding_minor == 1512_00
