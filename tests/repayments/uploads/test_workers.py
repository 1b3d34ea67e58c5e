"""Real workers: killed in the middle, told twice, met by another one; and two people confirming at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, transaction

from partners.models import Membership, User
from repayments.models import Allocation, Receipt, Upload
from repayments.services import leases
from repayments.services.uploads import (
    CannotConfirmUpload,
    confirm_upload,
    post_upload,
    read_upload,
    uploads_to_sweep,
)
from tests.conftest import ClonedDatabase
from tests.repayments.posting.books import make_books
from tests.repayments.uploads.books import Bank
from tests.repayments.uploads.files import csv_file

WORKER = """
import sys
import django
django.setup()
from repayments.services import uploads
sys.exit(0 if getattr(uploads, sys.argv[1])(upload_id=int(sys.argv[2]), claimed_by=sys.argv[3]) else 3)
"""
WAITS_FOR_LOANS = (
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database() AND query LIKE '%repayments_lock_loans%'"
)
ROWS = [(f"9{number}", "05/02/2025", "100.00", f"R{number}", "") for number in range(5)]


@pytest.fixture
def own_database(cloned_database: ClonedDatabase, django_db_blocker: Any) -> Iterator[ClonedDatabase]:
    """Point this process at a clone, where services commit for real and other processes see it."""
    settings = connections.databases["default"]
    name = settings["NAME"]
    with django_db_blocker.unblock():
        connection.close()  # an open one would go on writing to the database all tests share
        settings["NAME"] = connection.settings_dict["NAME"] = cloned_database.name
        try:
            yield cloned_database
        finally:
            connection.close()
            settings["NAME"] = connection.settings_dict["NAME"] = name


@pytest.fixture
def bank(own_database: ClonedDatabase) -> Bank:
    """A bank with five sub-loans, committed."""
    with transaction.atomic():
        return committed_bank()


def committed_bank() -> Bank:
    books = make_books()
    people = []
    for role in ("maker", "checker"):
        user = User.objects.create(username=f"our-{role}", full_name=f"Our {role}")
        Membership.objects.create(user=user, institution=books.institution, role=role, from_date="2020-01-01")
        people.append(user)
    bank = Bank(books, *people)
    for number in range(5):
        bank.subloan(f"9{number}")
    return bank


def start(database: ClonedDatabase, action: str, upload: Upload, name: str) -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    environment = {**os.environ, **database.environment(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, action, str(upload.pk), name],
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def wait_until(database: ClonedDatabase, query: str) -> None:
    """Ask from outside until the answer is true."""
    watcher = database.connect("admin")
    watcher.autocommit = True
    for _ in range(1200):
        with watcher.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
        if row and row[0]:
            watcher.close()
            return
        time.sleep(0.05)
    pytest.fail(f"never came true: {query}")


def confirmed(bank: Bank) -> Upload:
    upload = bank.read(csv_file(*ROWS))
    return confirm_upload(upload=upload, confirmed_by=bank.checker)


class TestKilledWorkers:
    def test_a_worker_killed_while_posting_leaves_nothing_and_another_one_finishes(
        self, bank: Bank, own_database: ClonedDatabase
    ) -> None:
        upload = confirmed(bank)
        blocker = own_database.connect("admin")
        with blocker.cursor() as cursor:
            cursor.execute("SELECT FROM lending_loan ORDER BY id DESC LIMIT 1 FOR UPDATE")
            worker = start(own_database, "post_upload", upload, "doomed")
            wait_until(own_database, WAITS_FOR_LOANS)
            worker.send_signal(signal.SIGKILL)
            worker.wait(timeout=10)
        blocker.rollback()
        blocker.close()
        upload.refresh_from_db()
        assert (upload.state, upload.work, upload.claimed_by) == ("confirmed", "running", "doomed")
        assert not post_upload(upload_id=upload.pk, claimed_by="too early"), "the hold has not lapsed yet"
        assert not Receipt.objects.exists()

        Upload.objects.filter(pk=upload.pk).update(claimed_until="2000-01-01T00:00Z")
        assert uploads_to_sweep()["post"] == [upload.pk]
        assert start(own_database, "post_upload", upload, "second").wait(timeout=60) == 0
        upload.refresh_from_db()
        assert (upload.state, upload.work, upload.attempts) == ("posted", "done", 2)
        assert Receipt.objects.count() == 5
        assert sum(Allocation.objects.values_list("amount_minor", flat=True)) == 50_000

    def test_a_database_that_went_away_puts_no_work_down(
        self, bank: Bank, own_database: ClonedDatabase
    ) -> None:
        upload = confirmed(bank)
        blocker = own_database.connect("admin")
        with blocker.cursor() as cursor:
            cursor.execute("SELECT FROM lending_loan ORDER BY id DESC LIMIT 1 FOR UPDATE")
            worker = start(own_database, "post_upload", upload, "cut off")
            wait_until(own_database, WAITS_FOR_LOANS)
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = 'paikar_worker'"
            )
            assert worker.wait(timeout=60) not in (0, 3), "it raised"
        blocker.rollback()
        blocker.close()
        connection.close()
        upload.refresh_from_db()
        assert (upload.state, upload.work, upload.error) == ("confirmed", "running", "")

        Upload.objects.filter(pk=upload.pk).update(claimed_until="2000-01-01T00:00Z")
        assert uploads_to_sweep()["post"] == [upload.pk]
        assert start(own_database, "post_upload", upload, "second").wait(timeout=60) == 0
        assert Receipt.objects.count() == 5

    def test_a_worker_overtaken_while_it_slept_keeps_nothing(
        self, bank: Bank, own_database: ClonedDatabase
    ) -> None:
        upload = confirmed(bank)
        blocker = own_database.connect("admin")
        with blocker.cursor() as cursor:
            cursor.execute("SELECT FROM lending_loan ORDER BY id DESC LIMIT 1 FOR UPDATE")
            sleeper = start(own_database, "post_upload", upload, "sleeper")
            wait_until(own_database, WAITS_FOR_LOANS)
            Upload.objects.filter(pk=upload.pk).update(claimed_until="2000-01-01T00:00Z")
            assert leases.claim(Upload, upload.pk, claimed_by="other", state="confirmed")
        blocker.rollback()
        blocker.close()
        assert sleeper.wait(timeout=60) == 3
        assert not Receipt.objects.exists()
        upload.refresh_from_db()
        assert (upload.state, upload.claimed_by) == ("confirmed", "other")

    def test_work_that_kills_every_worker_is_put_down_with_words(self, bank: Bank) -> None:
        upload = bank.receive(csv_file(*ROWS))
        Upload.objects.filter(pk=upload.pk).update(attempts=leases.MAX_ATTEMPTS)
        read_upload(upload_id=upload.pk, claimed_by="sixth")
        upload.refresh_from_db()
        assert upload.state == Upload.State.UNREADABLE
        assert upload.messages == [{"code": "file.reader_stopped", "params": {"attempts": "5"}}]


class TestAtOnce:
    @pytest.mark.parametrize("action", ["read_upload", "post_upload"])
    def test_a_doubled_message_is_worked_once(
        self, bank: Bank, own_database: ClonedDatabase, action: str
    ) -> None:
        upload = bank.receive(csv_file(*ROWS)) if action == "read_upload" else confirmed(bank)
        workers = [start(own_database, action, upload, f"worker {number}") for number in range(3)]
        assert sorted(worker.wait(timeout=60) for worker in workers) == [0, 3, 3]
        upload.refresh_from_db()
        assert upload.rows.count() == 5
        assert Receipt.objects.count() == (5 if action == "post_upload" else 0)

    def test_two_people_confirm_at_once_and_one_of_them_is_told(self, bank: Bank) -> None:
        other = User.objects.create(username="second-checker", full_name="Second checker")
        upload = bank.read(csv_file(*ROWS))
        outcomes: list[str] = []
        gate = threading.Barrier(2)

        def confirm(person: User) -> None:
            gate.wait()
            try:
                confirm_upload(upload=upload, confirmed_by=person)
                outcomes.append("confirmed")
            except CannotConfirmUpload as refusal:
                outcomes.append(str(refusal))
            finally:
                connection.close()

        threads = [threading.Thread(target=confirm, args=[person]) for person in (bank.checker, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        upload.refresh_from_db()
        told = f"Upload {upload.pk} was confirmed by {upload.confirmed_by} and cannot be changed."
        assert sorted(outcomes) == sorted(["confirmed", told])

    def test_two_files_with_the_same_rows_read_at_once_leave_one(
        self, bank: Bank, own_database: ClonedDatabase
    ) -> None:
        first = bank.receive(csv_file(*ROWS))
        second = bank.receive(csv_file(*reversed(ROWS)), name="april.csv")
        workers = [start(own_database, "read_upload", upload, f"w{upload.pk}") for upload in (first, second)]
        assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
        states = sorted(Upload.objects.values_list("state", flat=True))
        assert states == ["discarded", "preview"]

    def test_progress_is_seen_before_the_work_is_committed(
        self, bank: Bank, own_database: ClonedDatabase
    ) -> None:
        upload = bank.receive(csv_file(*ROWS))
        assert leases.claim(Upload, upload.pk, claimed_by="me", state="received")
        outside = own_database.connect("admin")
        with transaction.atomic(), leases.reporting(Upload, upload.pk, claimed_by="me") as report:
            report(3, 10)
            with outside.cursor() as cursor:
                cursor.execute(
                    "SELECT done_count, total_count FROM repayments_upload WHERE id = %s", [upload.pk]
                )
                assert cursor.fetchone() == (3, 10)
        outside.close()


def test_a_side_connection_is_closed(bank: Bank, own_database: ClonedDatabase) -> None:
    upload = bank.receive(csv_file(*ROWS))
    with leases.reporting(Upload, upload.pk, claimed_by="nobody") as report:
        report(1, 2)
    wait_until(own_database, "SELECT count(*) <= 2 FROM pg_stat_activity WHERE datname = current_database()")
