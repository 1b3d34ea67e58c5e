"""Statements of many loans: shared by workers, resumed after one dies, packed once."""

from __future__ import annotations

import hashlib
import io
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from daybook.selectors import known_by
from reports.builders.objects import Asked
from reports.models import ReportPart, ReportRun
from reports.services import bulk, running
from reports.services.bulk import start_statements
from reports.services.running import CannotStartRun, do_all, do_some, fail_run, lapsed_runs
from reports.services.statements import print_loan_statement
from tests.conftest import ClonedDatabase
from tests.reports.books import FIRST_CLOSE, SECOND_CLOSE, Book, make_book

# Is killed while it prints its first chunk: the lock is held, the files are written, nothing is committed.
DOOMED = """
import sys, time
import django
django.setup()
from django.db import transaction
from reports.models import ReportRun
from reports.services import bulk, running
with transaction.atomic():
    run = ReportRun.objects.get(pk=int(sys.argv[1]))
    assert running.take(run.pk, 0)
    bulk.print_statements(run, range(bulk.CHUNK))
    print("printing", flush=True)
    time.sleep(120)
"""


def start(book: Book, **more: str) -> ReportRun:
    facts = {"institution": str(book.world.bank.pk), "tier": "subloan", "currency": "BDT"} | more
    return start_statements(
        Asked(SECOND_CLOSE, known_by(SECOND_CLOSE)),
        facts,
        lang="en",
        institution_id=book.world.bank.pk,
        title="Statements",
        made_by=book.world.people["officer"],
    )


def test_a_run_survives_a_worker_that_is_killed(own_database: ClonedDatabase) -> None:
    connection.close()  # the next query opens the clone, whatever an earlier test left open
    book = make_book()
    run = start(book)
    doomed = subprocess.Popen(
        [sys.executable, "-c", DOOMED, str(run.pk)],
        env=own_database.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert doomed.stdout is not None
    with doomed:
        assert doomed.stdout.readline().strip() == "printing"
        assert do_all(bulk.JOB, run.pk, claimed_by="other") is False
        assert ReportPart.objects.filter(run=run).count() == len(book.subloans) - bulk.CHUNK
        doomed.send_signal(signal.SIGKILL)
    later = timezone.now() + 2 * running.LEASE
    assert lapsed_runs(now=later) == [run.pk]
    assert do_all(bulk.JOB, run.pk, claimed_by="swept")
    run.refresh_from_db()
    assert (run.work, run.done_count) == (ReportRun.Work.DONE, len(book.subloans))
    assert lapsed_runs(now=later) == []
    with zipfile.ZipFile(io.BytesIO(bytes(run.content or b""))) as archive:
        lines = archive.read("SHA256SUMS").decode().splitlines()
        listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
        assert len(listed) == len(book.subloans)
        for name, digest in listed.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest


def test_a_file_of_a_run_is_the_statement_a_person_would_get(book: Book) -> None:
    run = start(book)
    do_all(bulk.JOB, run.pk, claimed_by="test")
    part = run.parts.get(loan_id=book.subloans[8].pk)
    alone = print_loan_statement(
        Asked(SECOND_CLOSE, known_by(SECOND_CLOSE)),
        {"loan": str(book.subloans[8].pk)},
        lang="en",
        made_by=book.world.people["officer"],
        address="",
    )
    assert bytes(part.content) == alone.content


def test_a_finished_run_is_not_touched_again(book: Book) -> None:
    run = start(book)
    do_all(bulk.JOB, run.pk, claimed_by="one")
    run.refresh_from_db()
    before = (run.checksum, run.finished_at)
    assert do_some(bulk.JOB, run.pk, claimed_by="two").is_finished
    fail_run(run.pk, error="too late")
    run.refresh_from_db()
    assert (run.checksum, run.finished_at, run.error) == (*before, "")


def test_a_run_that_keeps_failing_stops_and_says_why(book: Book) -> None:
    run = start(book)
    for _attempt in range(running.MAX_ATTEMPTS):
        fail_run(run.pk, error="no room left")
    run.refresh_from_db()
    assert (run.work, run.error) == (ReportRun.Work.FAILED, "no room left")
    assert lapsed_runs(now=timezone.now() + 2 * running.LEASE) == []


def test_nothing_to_print_is_refused(book: Book) -> None:
    with pytest.raises(CannotStartRun, match="nothing to print"):
        start(book, programme="999999")


def test_the_screen_starts_a_run_and_shows_it(
    book: Book, as_partner: Callable[..., Any], django_capture_on_commit_callbacks: Any
) -> None:
    client = as_partner(book.world.bank, "checker")
    asked = {"as_of": FIRST_CLOSE.isoformat(), "tier": "subloan", "lang": "bn", "owing": "on"}
    with django_capture_on_commit_callbacks(execute=False) as waiting:
        answer = client.post("/reports/runs/new/", asked)
    run = ReportRun.objects.get(name=bulk.NAME)
    assert answer.url == f"/reports/runs/{run.pk}/"
    assert len(waiting) == 2  # two workers are woken, once the run is committed
    assert (run.institution_id, run.language, run.total_count) == (book.world.bank.pk, "bn", 12)
    assert client.get(f"/reports/runs/{run.pk}/progress/").headers.get("HX-Refresh") is None
    do_all(bulk.JOB, run.pk, claimed_by="test")
    assert client.get(f"/reports/runs/{run.pk}/progress/").headers["HX-Refresh"] == "true"
    assert client.get(f"/reports/runs/{run.pk}/file/").content[:2] == b"PK"
    assert client.get(f"/reports/runs/{run.pk}/parts/0/").content[:4] == b"%PDF"
