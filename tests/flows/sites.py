"""An installation for a test: a database, a broker, and workers and a clock that come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from config import roles
from config.environment import Process

ROOT = Path(__file__).resolve().parents[2]
LOANS = 12
PATIENCE = 240.0

FIRST_DATE = "2025-12-31"
"""The date on which the small book below is open."""

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
FIGURES = "SELECT md5(string_agg(s::text, '|' ORDER BY loan_id)) FROM repayments_arrearssnapshot s"
"""Everything the close said of every loan, in one word."""

HOLD_THE_RUN = "SELECT FROM repayments_dayrun FOR UPDATE"
"""Held by a test, it stops every slice where it is most of all in the middle: written, and not committed."""


class Database(Protocol):
    """A database that processes of their own may use: tests.conftest.ClonedDatabase, or another server's."""

    @property
    def name(self) -> str: ...

    def url(self, kind: Process) -> str: ...

    def connect(self, kind: Process) -> Any: ...

    def environment(self) -> dict[str, str]: ...


class Site:
    """The processes of one installation. Messages go through a folder unless a broker's address is given."""

    def __init__(self, database: Database, folder: Path, *, broker_url: str = "filesystem://") -> None:
        self.database, self.folder, self.broker_url = database, folder, broker_url
        self.processes: list[subprocess.Popen[bytes]] = []

    def environment(self) -> dict[str, str]:
        return self.database.environment() | {
            "PAIKAR_VAR_DIR": str(self.folder / "var"),
            "CELERY_BROKER_URL": self.broker_url,
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
        name = f"worker-{len(self.processes)}"
        return self._start_celery(
            name, "ready.", "worker", "--concurrency", str(hands), "--hostname", f"{name}@test"
        )

    def start_clock(self) -> subprocess.Popen[bytes]:
        schedule = str(self.folder / "beat-schedule")
        return self._start_celery(
            f"worker-{len(self.processes)}-clock", "beat: Starting", "beat", "--schedule", schedule
        )

    def _start_celery(self, name: str, is_up: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "config", *arguments, "--loglevel", "INFO"],
                cwd=ROOT, env=self.environment(), stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        wait_until(lambda: is_up in log.read_text(), lambda: log.read_text()[-3000:])
        return process

    def begin_close(self, *, loans_a_slice: int, then: str = "") -> None:
        """Roll the day and cut the slices; no message is sent yet. Then run other Python."""
        self.run(
            "from repayments.services.close import start_close\n"
            f"run = start_close(loans_a_slice={loans_a_slice})\n{then}"
        )

    def send_slices(self, *, times: int = 1) -> None:
        self.run(
            "from repayments import tasks\n"
            "from repayments.models import DayRun\n"
            f"for _ in range({times}):\n    tasks.queue_slices(DayRun.objects.get())\n"
        )

    def verify(self) -> str:
        """What ``verify_close`` says of the first date: loans recomputed, figures that differ, checksum."""
        return self.run(
            "from datetime import date\n"
            "from repayments.selectors.verifying import verify_close\n"
            f"found = verify_close(date.fromisoformat('{FIRST_DATE}'))\n"
            "print(found.loan_count, len(found.differences), found.checksum)"
        ).strip()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)

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


def wait_until(said: Callable[[], bool], told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not said():
        assert time.monotonic() < deadline, f"it never came to pass\n{told()}"
        time.sleep(0.2)
