"""PostgreSQL itself stopped without a word in the middle of a close, and started again.

The server is the test's own: stopping the one that other tests use would stop them too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config import cluster, roles
from config.environment import Process, database_url
from tests.flows.sites import BLOCKED, FIGURES, HOLD_THE_RUN, LOANS, MAKE_BOOKS, ROOT, Site, wait_until

LOANS_A_SLICE = 3
RECEIVE = """
from datetime import date
from django.db import transaction
from daybook.services import Actor, book
from lending.models import Loan
from repayments.services.posting import post_receipts
from tests.repayments.posting.books import receipts
with transaction.atomic():
    booking = book(purpose="test", actor=Actor(None, "Test"))
    loan = Loan.objects.earliest("pk")
    post_receipts(receipts=receipts((loan, date(2026, 1, 1), 77_00, "AFTER")), booking=booking)
"""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL in a folder of its own, with a database named as the test says."""

    folder: Path
    name: str = "paikar"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        return kept | {
            "PAIKAR_VAR_DIR": str(self.folder),
            "DATABASE_URL": self.url("web"),
            "DATABASE_WORKER_URL": self.url("worker"),
            "DATABASE_OWNER_URL": self.url("owner"),
            "DATABASE_ADMIN_URL": self.url("admin"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PAIKAR_PROCESS": "worker",
        }

    def url(self, kind: Process) -> str:
        login = {"web": "paikar_web", "worker": "paikar_worker", "owner": "paikar_owner"}.get(
            kind, "postgres"
        )
        return f"postgresql://{login}@/{self.name}?host={self.folder / 'postgres' / 'run'}"

    def connect(self, kind: Process) -> Any:
        opened = roles.connect(self.url(kind), database=self.name)
        opened.autocommit = False
        return opened

    def manage(self, code: str) -> None:
        """Run Python that sees this server as the one under var/."""
        environment = {
            name: value for name, value in self.environment().items() if not name.startswith("DATABASE_")
        }
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        self.manage("from config import cluster\nassert cluster.start()")

    def stop_without_a_word(self) -> None:
        """What ``pg_ctl stop -m immediate`` sends: no checkpoint, no goodbye; the next start recovers."""
        pid_file = self.folder / "postgres" / "data" / "postmaster.pid"
        pid = int(pid_file.read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not pid_file.exists())

    def copy_of(self, template: str) -> None:
        """The migrated, empty database of the other tests, carried over."""
        dump = self.folder / "template.sql"
        source = ["-d", f"{database_url('admin', database=template)}"]
        subprocess.run([cluster.program("pg_dump"), *source, "-f", dump], check=True)
        into = ["-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", self.url("admin")]
        subprocess.run([cluster.program("psql"), *into, "-f", dump], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def server(django_db_setup: None) -> Iterator[Server]:
    """Not in pytest's folder: PostgreSQL may run as another user, and a socket's path must be short."""
    folder = Path(tempfile.mkdtemp(prefix="paikar-"))
    folder.chmod(0o755)
    server = Server(folder)
    try:
        server.start()
        server.manage("from config import roles\nroles.prepare()")
        server.copy_of(f"{settings.DATABASES['default']['NAME']}_template")
        yield server
    finally:
        if (folder / "postgres" / "data" / "postmaster.pid").exists():
            server.stop_without_a_word()
        shutil.rmtree(folder)


@pytest.mark.slow
def test_a_database_restarted_in_the_middle_of_a_close_loses_nothing(server: Server, tmp_path: Path) -> None:
    site = Site(server, tmp_path)
    try:
        site.run(MAKE_BOOKS)
        calm = Server(server.folder, "calm")
        with_admin = roles.connect(server.url("admin"), database="postgres")
        roles.create_database(with_admin, calm.name, template=server.name)
        with_admin.close()
        Site(calm, tmp_path).run("from repayments.services.close import close_day\nclose_day()")

        worker = site.start_worker(hands=2)
        site.start_clock()
        site.begin_close(loans_a_slice=LOANS_A_SLICE, then=RECEIVE)  # a receipt of the new business date
        lock = server.connect("worker")
        with lock.cursor() as cursor:
            cursor.execute(HOLD_THE_RUN)
        site.send_slices()
        wait_until(lambda: site.ask(BLOCKED) == 2, site.logs)  # two slices written, none committed

        server.stop_without_a_word()
        time.sleep(1)
        server.start()
        wait_until(lambda: site.ask("SELECT state FROM repayments_dayrun") != "running", site.logs)

        assert worker.poll() is None, site.logs()
        assert site.ask("SELECT state FROM repayments_dayrun") == "closed"
        assert site.ask("SELECT count(*) FROM repayments_arrearssnapshot") == LOANS
        assert site.ask("SELECT count(*) FROM repayments_receipt WHERE external_reference = 'AFTER'") == 1
        for question in (FIGURES, "SELECT checksum FROM repayments_dayrun"):
            assert site.ask(question) == Site(calm, tmp_path).ask(question)
        assert site.verify().split()[:2] == [str(LOANS), "0"]
    finally:
        site.kill_all()
