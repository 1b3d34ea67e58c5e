"""Statements of many loans in one file: planned once, printed in chunks by any workers, then packed.

What is to be printed stands in the run's parameters, in order. A chunk belongs to the worker that holds its
advisory lock, for one transaction: a worker that dies loses the lock with its connection, and what it had not
committed is simply printed again. The last one to finish packs the file, under the run's row lock.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from daybook.services import record
from partners.access import actor_of
from partners.models import User
from reports.builders.accounts import read_accounts
from reports.builders.objects import Asked
from reports.builders.statements import loan_statement
from reports.models import ReportPart, ReportRun
from reports.services.making import Facts, loan_standings
from reports.services.runs import asked_of
from reports.services.statements import print_statement

NAME = "loan_statements"
CHUNK = 10
LEASE = timedelta(minutes=1)
MAX_ATTEMPTS = 5
LOCK_SPACE = 7250050  # first key of the advisory locks of chunks; the second is made of run and chunk
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


class CannotStartRun(Exception):
    """There is nothing to print, or too much for one file."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one call of `print_some` did."""

    printed: int
    is_finished: bool
    has_more: bool


@transaction.atomic
def start_statements(
    asked: Asked, facts: Facts, *, lang: str, institution_id: int | None, title: str, made_by: User
) -> ReportRun:
    """Plan the statements of the loans that fit the facts. The caller enqueues the work after commit.

    Raises `CannotStartRun`.
    """
    loans = sorted(int(pk) for pk in loan_standings(asked, facts)["loan_id"])
    if not loans:
        raise CannotStartRun(_("No loan fits: nothing to print."))
    run = ReportRun.objects.create(
        name=NAME,
        title=title[:200],
        parameters={**facts, "loans": loans},
        institution_id=institution_id,
        as_of=asked.as_of,
        known_by=asked.known_by,
        last_booking_id=asked.last_booking_id,
        language=lang,
        made_by=made_by,
        total_count=len(loans),
    )
    record(
        actor=actor_of(made_by),
        action="statements.start",
        subject=run,
        institution_id=institution_id,
        after={"loans": len(loans), "as_of": asked.as_of.isoformat(), "language": lang},
    )
    return run


def print_some(run_id: int, *, claimed_by: str) -> Progress:
    """Print one chunk that nobody else is printing; pack the file when all are printed.

    One transaction. Harmless to repeat and to run many times at once.
    """
    with transaction.atomic():
        run = ReportRun.objects.defer("content").get(pk=run_id)
        if run.work in (ReportRun.Work.DONE, ReportRun.Work.FAILED):
            return Progress(0, is_finished=True, has_more=False)
        loans: list[int] = run.parameters["loans"]
        missing = _missing(run, len(loans))
        for chunk in sorted({position // CHUNK for position in missing}):
            if _take(run.pk, chunk):
                positions = [at for at in _missing(run, len(loans)) if at // CHUNK == chunk]
                _print(run, loans, positions)
                _report_progress(run.pk, claimed_by)
                return Progress(len(positions), is_finished=False, has_more=True)
    if missing:
        return Progress(0, is_finished=False, has_more=False)
    return Progress(0, is_finished=_finish(run_id), has_more=False)


def _missing(run: ReportRun, total: int) -> list[int]:
    done = set(ReportPart.objects.filter(run=run).values_list("position", flat=True))
    return [position for position in range(total) if position not in done]


def _take(run_id: int, chunk: int) -> bool:
    """Take the lock of a chunk until the transaction ends; False when another worker has it."""
    with connection.cursor() as cursor:
        key = (run_id * 100_003 + chunk) % 2**31
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_SPACE, key])
        return bool(cursor.fetchone()[0])


def _print(run: ReportRun, loans: Sequence[int], positions: Sequence[int]) -> None:
    """Read the facts of the chunk's loans once, print each, and write the files."""
    asked = asked_of(run)
    place = {loans[at]: at for at in positions}
    parts = []
    for account in read_accounts(list(place), asked):
        paper = print_statement(loan_statement(account, asked, period_from=None), lang=run.language)
        loan_id = int(account.header["loan_id"])
        parts.append(
            ReportPart(
                run=run,
                institution_id=run.institution_id,
                position=place[loan_id],
                loan_id=loan_id,
                file_name=paper.file_name,
                content=paper.content,
                checksum=hashlib.sha256(paper.content).hexdigest(),
            )
        )
    ReportPart.objects.bulk_create(parts)


def _report_progress(run_id: int, claimed_by: str) -> None:
    """Count what is printed and renew the lease; last, so that the row is locked for a moment only."""
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
def _finish(run_id: int) -> bool:
    """Pack the parts into one file, if this is the first to come. True when the run is done."""
    run = ReportRun.objects.select_for_update().get(pk=run_id)
    if run.work == ReportRun.Work.DONE:
        return True
    parts = list(ReportPart.objects.filter(run=run).order_by("position"))
    if len(parts) != run.total_count:
        return False
    run.content = pack(parts)
    run.file_name = f"statements_{run.as_of.isoformat()}_run{run.pk}.zip"
    run.content_type = "application/zip"
    run.checksum = hashlib.sha256(manifest(parts)).hexdigest()
    run.work = ReportRun.Work.DONE
    run.done_count = run.total_count
    run.claimed_until = None
    run.error = ""
    run.finished_at = timezone.now()
    run.save()
    return True


def manifest(parts: Sequence[ReportPart]) -> bytes:
    """One line a file, as `sha256sum` writes and checks: digest, two spaces, name."""
    return "".join(f"{part.checksum}  {part.file_name}\n" for part in parts).encode()


def pack(parts: Sequence[ReportPart]) -> bytes:
    """A ZIP with the files and their manifest; no clock in it, so the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("SHA256SUMS", ZIP_EPOCH), manifest(parts))
        for part in parts:
            archive.writestr(zipfile.ZipInfo(part.file_name, ZIP_EPOCH), bytes(part.content))
    return out.getvalue()


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
    return list(
        ReportRun.objects.filter(waiting | lapsed, name=NAME).order_by("id").values_list("id", flat=True)
    )


def print_all(
    run_id: int, *, claimed_by: str, on_progress: Callable[[int], None] = lambda _count: None
) -> bool:
    """Print until nothing is left for this worker. True when the run is done."""
    while True:
        step = print_some(run_id, claimed_by=claimed_by)
        on_progress(step.printed)
        if not step.has_more:
            return step.is_finished
