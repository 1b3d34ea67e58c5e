"""Nights on which something is wrong: a full disk, a clock that errs, a loan no policy fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from daybook.models import BusinessDay
from daybook.selectors import open_business_date
from repayments import tasks
from repayments.models import ArrearsSnapshot, ControlTotal, DayRun
from repayments.selectors.nightly import earlier_clock
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day, retry_close, start_close, work_all_slices
from repayments.services.close_slices import MOST_ATTEMPTS, free_slices, work_slice
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

PLAN = [(date(2025, 9, 30), 100_00), (date(2026, 9, 30), 100_00)]


@pytest.fixture
def books() -> ClosingBooks:
    return closing_books()


@contextmanager
def full_disk() -> Iterator[None]:
    """No snapshot can be written: the server says what it says when its disk is full."""
    as_superuser(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';"
        " END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON repayments_arrearssnapshot"
        " FOR EACH STATEMENT EXECUTE FUNCTION full_disk()",
    )
    yield
    as_superuser("DROP FUNCTION full_disk() CASCADE")


def as_superuser(*statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL ROLE paikar_worker")


def test_a_full_disk_leaves_nothing_half_written_and_the_close_goes_on_when_there_is_room(
    books: ClosingBooks,
) -> None:
    for _ in range(4):
        books.lend(PLAN, disbursed=date(2025, 6, 30))
    run = start_close(loans_a_slice=2)
    first, second = run.slices.order_by("number")
    assert work_slice(slice_id=first.pk, claimed_by="worker")
    with full_disk():
        for _ in range(
            5
        ):  # a full disk is no fault of the slice: it may fail oftener than by an error of its own
            with pytest.raises(OperationalError, match="No space left on device"):
                work_slice(slice_id=second.pk, claimed_by="worker")
            assert free_slices() == [second.pk]
    second.refresh_from_db()
    assert (second.work, second.attempts) == ("queued", 5)
    assert "No space left on device" in second.error, "for people to read on the page of the close"
    assert ArrearsSnapshot.objects.count() == 2

    work_all_slices(run, claimed_by="worker")
    assert run.state == DayRun.State.CLOSED, run.error
    assert verify_close(BOOKS_OPEN).holds


def test_a_disk_that_stays_full_fails_the_close_which_is_repeated_later(books: ClosingBooks) -> None:
    books.lend(PLAN, disbursed=date(2025, 6, 30))
    run = start_close()
    with full_disk():
        for _ in range(MOST_ATTEMPTS):
            with pytest.raises(OperationalError):
                work_slice(slice_id=run.slices.get().pk, claimed_by="worker")
    run.refresh_from_db()
    assert run.state == DayRun.State.FAILED
    assert "No space left on device" in run.error
    retry_close(business_date=BOOKS_OPEN)
    work_all_slices(run, claimed_by="worker")
    assert run.state == DayRun.State.CLOSED, run.error


def test_a_loan_no_policy_fits_is_an_exception_and_no_one_elses() -> None:
    books = closing_books(kind="finance_company")  # whose rules name the sizes they hold for
    usual = books.lend(PLAN, disbursed=date(2025, 6, 30))
    close_day()
    strange = books.lend(PLAN, disbursed=date(2025, 6, 30), size="informal")
    run = close_day()

    assert run.state == DayRun.State.EXCEPTIONS, run.error
    assert (run.computed_count, run.carried_count, run.without_policy_count) == (2, 0, 1)
    rows = {row.loan_id: row for row in ArrearsSnapshot.objects.filter(business_date=run.business_date)}
    assert rows[usual.pk].provision_policy_id > 0
    bare = rows[strange.pk]
    assert (bare.state, bare.provision_policy_id) == ("computed", 0)
    assert (bare.outstanding_minor, bare.days_past_due) == (200_00, 93), "what needs no policy is there"
    assert ControlTotal.objects.get(run=run, component=4).closing_minor == 400_00
    assert verify_close(run.business_date).holds


def test_a_date_is_due_when_the_machines_clock_and_the_databases_both_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, today = timezone.now(), timezone.localdate()
    assert earlier_clock(now + timedelta(days=400)) < now + timedelta(minutes=10)
    assert earlier_clock(now - timedelta(days=400)) == now - timedelta(days=400)

    BusinessDay.objects.create(date=today)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=400))
    tasks.close_due_days()
    assert open_business_date() == today, "a machine a year ahead closes no day of the year to come"

    monkeypatch.setattr(timezone, "now", lambda: now - timedelta(days=400))
    tasks.close_due_days()
    assert not DayRun.objects.exists(), "a clock gone back closes nothing, and opens nothing again"
