"""The close of day, step by step, and the catching up of days missed.

1. make the month's partition (first and by itself: it waits for readers of the snapshots, and no
   posting should wait with it);
2. under the exclusive lock raise the dues and penal interest of the wholesale tier (``raising``);
3. roll the business date, which fixes the booking the run will read by;
4. cut the book into slices of equal loan count, in the same transaction;
5. compute the slices (``close_slices``), by Celery or here, in any order, each in one transaction;
6. the last slice checks the control totals and finishes the run (``close_totals``).

Steps 1 to 4 are ``start_close``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db import connection, transaction
from django.db.models.functions import Now

from daybook.selectors import business_calendar, open_business_date
from daybook.services import CLOSE_OF_DAY, CannotRollDay, record, roll_day
from partners.access import actor_of
from partners.models import User
from repayments.models import DayRun, DayRunSlice
from repayments.services.close_slices import work_slice
from repayments.services.close_totals import finish_run
from repayments.services.raising import raise_day

LOANS_A_SLICE = 20_000
"""Loans computed and written in one transaction: some 400 MB of a worker's memory at 24 instalments each."""


class CannotClose(Exception):
    """The day cannot be closed now; the sentence says why."""


class CannotSignExceptions(Exception):
    """The close has no exceptions to sign, or they are signed."""


def start_close(
    *,
    closing: date | None = None,
    opening: date | None = None,
    started_by: str = CLOSE_OF_DAY.name,
    loans_a_slice: int = LOANS_A_SLICE,
) -> DayRun:
    """Roll the books over to the next business date and queue the slices of the one that ended.

    ``closing`` must be the open date (it is when not given). ``opening`` is the next working day
    unless named. Commits before it returns, so that workers may begin. Raises ``CannotClose``.
    """
    day = closing or open_business_date()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT repayments_snapshot_partition(%s)", [day])
    with transaction.atomic():
        run = _opened_run(day, opening, started_by)
        run.slice_count, run.loan_count = _cut_slices(run, loans_a_slice)
        run.save(update_fields=["slice_count", "loan_count"])
        record(
            actor=CLOSE_OF_DAY,
            action="day.close",
            subject=run,
            after={"loans": run.loan_count, "slices": run.slice_count, "last_booking": run.last_booking_id},
            reason=f"Started by {started_by}",
        )
        if not run.slice_count:
            finish_run(run)
    return run


def close_day(
    *,
    closing: date | None = None,
    opening: date | None = None,
    started_by: str = CLOSE_OF_DAY.name,
    loans_a_slice: int = LOANS_A_SLICE,
) -> DayRun:
    """Close a day in this process, slice after slice, and return the finished (or failed) run."""
    run = start_close(closing=closing, opening=opening, started_by=started_by, loans_a_slice=loans_a_slice)
    work_all_slices(run, claimed_by=started_by)
    return run


def work_all_slices(run: DayRun, *, claimed_by: str) -> None:
    """Compute whatever slices of a run wait for a worker, and read the run anew."""
    for slice_id in queued_slice_ids(run):
        work_slice(slice_id=slice_id, claimed_by=claimed_by)
    run.refresh_from_db()


def queued_slice_ids(run: DayRun) -> list[int]:
    """Slices of a run that wait for a worker, in order."""
    waiting = run.slices.filter(work=DayRunSlice.Work.QUEUED)
    return list(waiting.order_by("number").values_list("pk", flat=True))


def close_until(*, today: date, started_by: str = CLOSE_OF_DAY.name) -> Iterator[DayRun]:
    """Close in this process every open day before ``today``, oldest first; stops at a run that failed."""
    while open_business_date() < today:
        run = close_day(started_by=started_by)
        yield run
        if run.state == DayRun.State.FAILED:
            return


def retry_close(*, business_date: date) -> DayRun:
    """Queue again what failed of a run, once its cause is mended, or what an interrupted one left behind.

    Slices that were written stay, slices in the hands of a living worker too; when none is left to
    compute, the control totals are checked again. Raises ``CannotClose``.
    """
    with transaction.atomic():
        run = DayRun.objects.select_for_update().filter(business_date=business_date).first()
        if run is None or run.state not in (DayRun.State.FAILED, DayRun.State.RUNNING):
            raise CannotClose(
                f"No close of {business_date:%d %b %Y} failed or was interrupted: there is nothing to repeat."
            )
        run.state, run.error, run.finished_at = DayRun.State.RUNNING, "", None
        run.save(update_fields=["state", "error", "finished_at"])
        unfinished = run.slices.exclude(work=DayRunSlice.Work.DONE)
        held_by_nobody = unfinished.select_for_update(skip_locked=True).values_list("pk", flat=True)
        run.slices.filter(pk__in=list(held_by_nobody)).update(
            work=DayRunSlice.Work.QUEUED, attempts=0, claimed_by="", error=""
        )
        if not unfinished.exists():
            finish_run(run)
    return run


@transaction.atomic
def sign_exceptions(*, run_id: int, actor: User, reason: str) -> DayRun:
    """An officer takes note of a close's exceptions and says what will be done about them.

    Raises ``CannotSignExceptions``.
    """
    run = DayRun.objects.select_for_update().get(pk=run_id)
    if run.state != DayRun.State.EXCEPTIONS:
        raise CannotSignExceptions("This close has no exceptions to sign.")
    if run.signed_at is not None:
        raise CannotSignExceptions("The exceptions of this close are signed already.")
    if not reason.strip():
        raise CannotSignExceptions("Say what was found and what will be done about it.")
    run.signed_by, run.signed_reason = actor, reason.strip()
    DayRun.objects.filter(pk=run.pk).update(signed_by=actor, signed_at=Now(), signed_reason=run.signed_reason)
    record(
        actor=actor_of(actor),
        action="day.sign_exceptions",
        subject=run,
        after={"carried": run.carried_count, "without_policy": run.without_policy_count},
        reason=run.signed_reason,
    )
    run.refresh_from_db()
    return run


def _opened_run(day: date, opening: date | None, started_by: str) -> DayRun:
    """Roll the day and open its run, or say why the day can't be closed."""
    unfinished = DayRun.objects.filter(state__in=[DayRun.State.RUNNING, DayRun.State.FAILED]).first()
    if unfinished is not None:
        state = (
            "still running"
            if unfinished.state == DayRun.State.RUNNING
            else "failed and must be repeated first"
        )
        raise CannotClose(f"The close of {unfinished.business_date:%d %b %Y} is {state}.")
    following = opening or business_calendar().next_business_day(day)
    raise_day(business_date=day)
    try:
        closed = roll_day(closing=day, opening=following)
    except CannotRollDay as refusal:
        raise CannotClose(str(refusal)) from refusal
    return DayRun.objects.create(
        business_date=day,
        last_booking_id=closed.last_booking_id or 0,
        started_by=started_by,
        started_at=Now(),
    )


def _cut_slices(run: DayRun, loans_a_slice: int) -> tuple[int, int]:
    """Cut the loans of the date into ranges of ids with equally many loans; how many slices, how many loans.

    By count and not by id: ids have gaps, and ranges of equal width would hold unequal work.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO repayments_dayrunslice (
                run_id, number, first_loan_id, last_loan_id, loan_count, total_count, work, done_count,
                error, claimed_by, attempts, computed_count, carried_count, without_policy_count,
                checksum)
            SELECT %(run)s, number, min(id), max(id), count(*), count(*), 'queued', 0, '', '', 0, 0, 0, 0,
                   ''
              FROM (SELECT id, 1 + (row_number() OVER (ORDER BY id) - 1) / %(size)s AS number
                      FROM lending_loan
                     WHERE booking_id <= %(known)s AND disbursed_date <= %(day)s) AS numbered
             GROUP BY number
            RETURNING loan_count
            """,
            {
                "run": run.pk,
                "size": loans_a_slice,
                "known": run.last_booking_id,
                "day": run.business_date,
            },
        )
        counts = [int(count) for (count,) in cursor.fetchall()]
    return len(counts), sum(counts)
