"""Workers over real brokers: killed, cut off from broker and database, told twice. The books stay right.

One story for each broker, since starting processes is what takes the time. What a lease takes minutes to
do is hurried by setting its end back; everything else happens as on servers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import roles
from config.environment import database_url
from tests.conftest import ClonedDatabase
from tests.flows.brokers import Broker, RabbitMQ, Redis

ROOT = Path(__file__).resolve().parents[2]
LOANS = 12
LOANS_A_SLICE = 2
PATIENCE = 240.0

MAKE_BOOKS = f"""
from datetime import date
from django.db import transaction
from tests.repayments.close.books import closing_books
with transaction.atomic():
    books = closing_books()
    for number in range({LOANS}):
        plan = [(date(2025, 9, 30), 100_00), (date(2026, 9, 30), 100_00)]
        loan = books.lend(plan, disbursed=date(2025, 6, 30))
        if number:
            books.receive(loan, date(2025, 10, 5), number * 10_00)
"""
BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
HURRY = (
    "UPDATE repayments_dayrunslice SET claimed_until = clock_timestamp() - interval '1 second'"
    " WHERE work = 'running'"
)


class Site:
    """The processes of one installation: a database, a broker, workers that come and go."""

    def __init__(self, database: ClonedDatabase, broker: Broker, folder: Path) -> None:
        self.database, self.broker, self.folder = database, broker, folder
        self.workers: list[subprocess.Popen[bytes]] = []

    def environment(self) -> dict[str, str]:
        return self.database.environment() | {
            "PAIKAR_VAR_DIR": str(self.folder / "var"),
            "CELERY_BROKER_URL": self.broker.url,
            "SECRET_KEY": "of this test only",
        }

    def run(self, code: str, *, process: str = "worker") -> str:
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            cwd=ROOT, env=self.environment() | {"PAIKAR_PROCESS": process},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_worker(self, *, hands: int = 1) -> subprocess.Popen[bytes]:
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as output:
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "config", "worker", "--concurrency", str(hands),
                 "--loglevel", "INFO", "--hostname", f"w{len(self.workers)}@test"],
                cwd=ROOT, env=self.environment(), stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self.workers.append(worker)
        wait_until(lambda: b"ready." in log.read_bytes(), lambda: log.read_text()[-3000:])
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def logs(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-4000:]}"
            for path in sorted(self.folder.glob("worker-*.log"))
        )

    def ask(self, query: str) -> Any:
        """The one value of a query, on a connection of its own: the test cuts connections too."""
        with_admin = roles.connect(self.database.url("admin"), database=self.database.name)
        try:
            with with_admin.cursor() as cursor:
                cursor.execute(query)
                if cursor.description is None:
                    return cursor.rowcount
                row = cursor.fetchone()
                return row and row[0]
        finally:
            with_admin.close()

    def cut_off_the_database(self, seconds: float) -> None:
        """As a restart looks from outside: every connection ends, none is taken for a while."""
        admin = roles.connect(database_url("admin"), database="postgres")
        name = self.database.name
        try:
            with admin.cursor() as cursor:
                cursor.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )
                time.sleep(seconds)
                cursor.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        finally:
            admin.close()


def wait_until(said: Callable[[], bool], told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not said():
        assert time.monotonic() < deadline, f"it never came to pass\n{told()}"
        time.sleep(0.2)


@pytest.fixture(params=[Redis, RabbitMQ])
def site(request: pytest.FixtureRequest, cloned_database: ClonedDatabase, tmp_path: Path) -> Iterator[Site]:
    if missing := request.param.missing():
        pytest.skip(missing)
    broker = request.param(tmp_path / "broker")
    site = Site(cloned_database, broker, tmp_path)
    try:
        broker.start()
        site.run(MAKE_BOOKS)
        yield site
    finally:
        for worker in site.workers:
            if worker.poll() is None:
                site.kill(worker)
        broker.kill()


@pytest.mark.slow
def test_a_close_outlives_workers_broker_and_database(site: Site) -> None:
    doomed, survivor = site.start_worker(hands=2), site.start_worker()
    site.run(
        "from repayments import tasks\n"
        "from repayments.services.close import start_close\n"
        f"run = start_close(loans_a_slice={LOANS_A_SLICE})\n"
    )
    lock = site.database.connect("worker")
    with lock.cursor() as cursor:  # every slice is written, and then waits for the run's row
        cursor.execute("SELECT FROM repayments_dayrun FOR UPDATE")
    site.run(
        "from repayments import tasks\n"
        "from repayments.models import DayRun\n"
        "for _ in range(2):\n    tasks.queue_slices(DayRun.objects.get())\n"  # told twice
    )
    wait_until(lambda: site.ask(BLOCKED) == 3, site.logs)  # both workers, all three hands
    site.kill(doomed)
    site.broker.kill()
    lock.rollback()
    lock.close()
    wait_until(
        lambda: site.ask("SELECT count(*) FROM repayments_dayrunslice WHERE work = 'done'") >= 1, site.logs
    )
    assert site.ask("SELECT state FROM repayments_dayrun") == "running"

    site.broker.start()
    site.ask(HURRY)
    lock = site.database.connect("worker")
    with lock.cursor() as cursor:
        cursor.execute("SELECT FROM repayments_dayrun FOR UPDATE")
    second = site.start_worker(hands=2)  # it sweeps as it starts; the survivor has found the broker again
    wait_until(lambda: site.ask(BLOCKED) == 3, site.logs)
    site.cut_off_the_database(seconds=3)
    lock.close()

    wait_until(lambda: site.ask(BLOCKED) == 0, site.logs)
    site.ask(HURRY)
    site.run("from repayments import tasks\ntasks.sweep.delay()")
    wait_until(lambda: site.ask("SELECT state FROM repayments_dayrun") != "running", site.logs)
    assert survivor.poll() is None, site.logs()
    assert second.poll() is None, site.logs()
    assert site.ask("SELECT state FROM repayments_dayrun") == "closed", site.ask(
        "SELECT error FROM repayments_dayrun"
    )
    assert site.ask("SELECT computed_count FROM repayments_dayrun") == LOANS
    assert site.ask("SELECT count(*) FROM repayments_arrearssnapshot") == LOANS
    assert site.ask("SELECT count(DISTINCT loan_id) FROM repayments_arrearssnapshot") == LOANS
    said = site.run(
        "from datetime import date\n"
        "from repayments.selectors.verifying import verify_close\n"
        "outcome = verify_close(date(2025, 12, 31))\n"
        "print(outcome.loan_count, len(outcome.differences))"
    )
    assert said.split() == [str(LOANS), "0"]


POSTING = """
from datetime import date
from django.test import Client
from django.urls import reverse
from partners.models import Membership, User
person = User.objects.create(username="head", full_name="Head")
Membership.objects.create(user=person, role="finance_head", from_date=date(2020, 1, 1))
client = Client()
client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
answer = client.post(reverse("repayments:close-start"), {"date": "2025-12-31"})
print(answer.status_code, answer["Location"], client.get("/health/ready").json()["status"])
"""


@pytest.mark.slow
def test_a_wish_made_while_the_broker_is_away_is_carried_out(site: Site) -> None:
    site.broker.kill()
    begun = time.monotonic()
    said = site.run(POSTING, process="admin")
    took = time.monotonic() - begun
    assert said.split() == ["302", "/repayments/closes/", "degraded"]
    assert took < 60, "the request waited for the broker"
    assert site.ask("SELECT count(*) FROM repayments_closerequest WHERE answered_at IS NULL") == 1
    assert site.ask("SELECT count(*) FROM repayments_dayrun") == 0

    site.broker.start()
    site.start_worker(hands=2)
    site.run(  # two more messages for the same wish, and the clock's at the same moment
        "from repayments import tasks\n"
        "from repayments.models import CloseRequest\n"
        "for _ in range(2):\n    tasks.answer_close_request.delay(CloseRequest.objects.get().pk)\n"
        "tasks.close_due_days.delay()\n"
    )
    wait_until(
        lambda: site.ask("SELECT count(*) FROM repayments_dayrun WHERE state = 'closed'") >= 1, site.logs
    )
    wait_until(
        lambda: site.ask("SELECT count(*) FROM repayments_closerequest WHERE answered_at IS NULL") == 0
    )
    assert site.ask("SELECT refusal FROM repayments_closerequest") == ""
    assert site.ask("SELECT count(*) FROM repayments_dayrun WHERE business_date = '2025-12-31'") == 1
    assert (
        site.ask("SELECT count(*) FROM repayments_arrearssnapshot WHERE business_date = '2025-12-31'")
        == LOANS
    )


@pytest.mark.slow
def test_a_worker_asked_to_stop_finishes_and_ends(cloned_database: ClonedDatabase, tmp_path: Path) -> None:
    folder_only = Redis(tmp_path / "unused")

    class ByFolder(Site):
        def environment(self) -> dict[str, str]:
            return super().environment() | {"CELERY_BROKER_URL": "filesystem://"}

    site = ByFolder(cloned_database, folder_only, tmp_path)
    site.run("from repayments import tasks\nfor _ in range(50):\n    tasks.sweep.delay()")
    worker = site.start_worker(hands=2)
    try:
        worker.send_signal(signal.SIGTERM)  # the head alone, as systemd with KillMode=mixed and `serve` do
        assert worker.wait(timeout=PATIENCE) == 0, site.logs()
    finally:
        if worker.poll() is None:
            site.kill(worker)
