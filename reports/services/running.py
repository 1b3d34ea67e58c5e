"""Long runs, whatever they make: planned in positions, done in chunks by any workers, joined once.

What is to be done stands in the run's parameters, in order. A chunk belongs to the worker that holds its
advisory lock, for one transaction: a worker that dies loses the lock with its connection, and what it had not
committed is simply done again. The last one to finish joins the parts, under the run's row lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from reports.models import ReportPart, ReportRun

LEASE = timedelta(minutes=1)
MAX_ATTEMPTS = 5
LOCK_SPACE = 7250050  # first key of the advisory locks of chunks; the second is made of run and chunk


class CannotStartRun(Exception):
    """There is nothing to do, or too much for one file."""


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of run. ``make`` writes the parts of some positions, ``join`` all of them into the run's row."""

    name: str
    chunk: int
    make: Callable[[ReportRun, Sequence[int]], None]
    join: Callable[[ReportRun, Sequence[ReportPart]], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """What one call of `do_some` did."""

    done: int
    is_finished: bool
    has_more: bool


def do_some(job: Job, run_id: int, *, claimed_by: str) -> Progress:
    """Do one chunk that nobody else is doing; join the parts when all are done.

    One transaction. Harmless to repeat and to run many times at once.
    """
    with transaction.atomic():
        run = ReportRun.objects.defer("content").get(pk=run_id)
        if run.work in (ReportRun.Work.DONE, ReportRun.Work.FAILED):
            return Progress(0, is_finished=True, has_more=False)
        missing = _missing(run)
        for chunk in sorted({position // job.chunk for position in missing}):
            if take(run.pk, chunk):
                positions = [at for at in _missing(run) if at // job.chunk == chunk]
                job.make(run, positions)
                _report_progress(run.pk, claimed_by)
                return Progress(len(positions), is_finished=False, has_more=True)
    if missing:
        return Progress(0, is_finished=False, has_more=False)
    return Progress(0, is_finished=_finish(job, run_id), has_more=False)


def do_all(
    job: Job, run_id: int, *, claimed_by: str, on_progress: Callable[[int], None] = lambda _count: None
) -> bool:
    """Work until nothing is left for this worker. True when the run is done."""
    while True:
        step = do_some(job, run_id, claimed_by=claimed_by)
        on_progress(step.done)
        if not step.has_more:
            return step.is_finished


def _missing(run: ReportRun) -> list[int]:
    done = set(ReportPart.objects.filter(run=run).values_list("position", flat=True))
    return [position for position in range(run.total_count) if position not in done]


def take(run_id: int, chunk: int) -> bool:
    """Take the lock of a chunk until the transaction ends; False when another worker has it."""
    with connection.cursor() as cursor:
        key = (run_id * 100_003 + chunk) % 2**31
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_SPACE, key])
        return bool(cursor.fetchone()[0])


def _report_progress(run_id: int, claimed_by: str) -> None:
    """Count what is done and renew the lease; last, so that the row is locked for a moment only."""
    now = timezone.now()
    run = ReportRun.objects.select_for_update().only("id", "started_at").get(pk=run_id)
    ReportRun.objects.filter(pk=run_id).update(
        work=ReportRun.Work.RUNNING,
        done_count=ReportPart.objects.filter(run_id=run_id).count(),
        claimed_by=claimed_by,
        claimed_until=now + LEASE,
        started_at=run.started_at or now,
    )


@transaction.atomic
def _finish(job: Job, run_id: int) -> bool:
    """Join the parts, if this is the first to come. True when the run is done."""
    run = ReportRun.objects.select_for_update().get(pk=run_id)
    if run.work == ReportRun.Work.DONE:
        return True
    parts = list(ReportPart.objects.filter(run=run).order_by("position"))
    if len(parts) != run.total_count:
        return False
    job.join(run, parts)
    run.work = ReportRun.Work.DONE
    run.done_count = run.total_count
    run.claimed_until = None
    run.error = ""
    run.finished_at = timezone.now()
    run.save()
    return True


@transaction.atomic
def fail_run(run_id: int, *, error: str) -> None:
    """Note an attempt that went wrong; after the fifth the run stops and says why."""
    run = ReportRun.objects.select_for_update().defer("content").get(pk=run_id)
    if run.work == ReportRun.Work.DONE:
        return
    run.attempts += 1
    run.error = error[:2000]
    run.claimed_until = None
    run.work = ReportRun.Work.FAILED if run.attempts >= MAX_ATTEMPTS else ReportRun.Work.QUEUED
    run.save(update_fields=["attempts", "error", "claimed_until", "work"])


def lapsed_runs(*, now: datetime) -> list[int]:
    """Runs that should be going on and are not: queued for over a minute, or running on a lapsed lease."""
    waiting = Q(work=ReportRun.Work.QUEUED, queued_at__lt=now - timedelta(minutes=1))
    lapsed = Q(work=ReportRun.Work.RUNNING) & (Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))
    return list(ReportRun.objects.filter(waiting | lapsed).order_by("id").values_list("id", flat=True))
