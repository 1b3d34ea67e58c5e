"""The close with real processes and connections: killed, doubled, and met by a posting under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ClonedDatabase

ROOT = Path(__file__).resolve().parents[3]
LOANS = 7
PATIENCE = 180.0

MAKE_BOOKS = """
from datetime import date
from tests.repayments.close.books import closing_books
from django.db import transaction
with transaction.atomic():
    books = closing_books()
    for number in range(7):
        plan = [(date(2025, 9, 30), 100_00), (date(2026, 9, 30), 100_00)]
        loan = books.lend(plan, disbursed=date(2025, 6, 30))
        if number:
            books.receive(loan, date(2025, 10, 5), number * 10_00)
"""


@pytest.fixture
def books(cloned_database: ClonedDatabase) -> ClonedDatabase:
    """A database of its own with a small book in it, committed."""
    _python(cloned_database, MAKE_BOOKS).check_returncode()
    return cloned_database


@pytest.fixture
def watcher(books: ClonedDatabase) -> Iterator[Any]:
    """A connection of our own to look, and to hold locks."""
    connection = books.connect("worker")
    yield connection
    connection.close()


def _code(lines: str) -> list[str]:
    return [sys.executable, "-c", f"import django; django.setup()\n{lines}"]


def _python(books: ClonedDatabase, lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _code(lines), cwd=ROOT, env=books.environment(), capture_output=True, text=True, check=False
    )


def _manage(books: ClonedDatabase, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=books.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def _one(connection: Any, query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    connection.commit()
    return row if row is None or len(row) > 1 else row[0]


def _wait_until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not said():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.05)


WAITS_FOR_A_LOCK = (
    "SELECT count(*) > 0 FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_leaves_nothing_and_the_sweeper_finishes(
    books: ClonedDatabase, watcher: Any
) -> None:
    start = "from repayments.services.close import start_close\nstart_close(loans_a_slice=3)"
    _python(books, start).check_returncode()
    assert _one(watcher, "SELECT slice_count, loan_count FROM repayments_dayrun") == (3, LOANS)
    first_slice = _one(watcher, "SELECT min(id) FROM repayments_dayrunslice")

    with watcher.cursor() as cursor:  # the worker writes its snapshots, then waits for this lock
        cursor.execute("SELECT FROM repayments_dayrun FOR UPDATE")
    worker = subprocess.Popen(
        _code(
            "from repayments.services.close_slices import work_slice\n"
            f"work_slice(slice_id={first_slice}, claimed_by='doomed')"
        ),
        cwd=ROOT,
        env=books.environment(),
    )
    looking = books.connect("worker")
    _wait_until(lambda: bool(_one(looking, WAITS_FOR_A_LOCK)))
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    watcher.commit()
    _wait_until(lambda: not _one(looking, WAITS_FOR_A_LOCK))

    assert _one(looking, "SELECT count(*) FROM repayments_arrearssnapshot") == 0
    assert _one(looking, f"SELECT work, claimed_by FROM repayments_dayrunslice WHERE id = {first_slice}") == (
        "running",
        "doomed",
    )
    sweep = """
from repayments.models import DayRun
from repayments.services.close import work_all_slices
from repayments.services.close_slices import sweep_slices
assert len(sweep_slices()) == 3
work_all_slices(DayRun.objects.get(), claimed_by="sweeper")
"""
    _python(books, sweep).check_returncode()
    assert _one(looking, "SELECT state, computed_count FROM repayments_dayrun") == ("closed", LOANS)
    assert _one(looking, "SELECT count(*) FROM repayments_arrearssnapshot") == LOANS
    looking.close()


@pytest.mark.slow
def test_a_worker_that_stands_still_is_not_robbed(books: ClonedDatabase, watcher: Any) -> None:
    start = "from repayments.services.close import start_close\nstart_close(loans_a_slice=4)"
    _python(books, start).check_returncode()
    first_slice = _one(watcher, "SELECT min(id) FROM repayments_dayrunslice")
    with watcher.cursor() as cursor:
        cursor.execute("SELECT FROM repayments_dayrun FOR UPDATE")
    worker = subprocess.Popen(
        _code(
            "from repayments.services.close_slices import work_slice\n"
            f"assert work_slice(slice_id={first_slice}, claimed_by='slow')"
        ),
        cwd=ROOT,
        env=books.environment(),
    )
    looking = books.connect("worker")
    try:
        _wait_until(lambda: bool(_one(looking, WAITS_FOR_A_LOCK)))
        os.kill(worker.pid, signal.SIGSTOP)
        watcher.commit()
        others = f"""
from repayments.models import DayRun
from repayments.services.close import retry_close, work_all_slices
from repayments.services.close_slices import free_slices, sweep_slices, work_slice
run = DayRun.objects.get()
assert not work_slice(slice_id={first_slice}, claimed_by="robber")
assert free_slices() == []
assert len(sweep_slices()) == 1
"""
        done = _python(books, others)
        assert done.returncode == 0, done.stderr
        held = "SELECT work, claimed_by, attempts FROM repayments_dayrunslice ORDER BY id LIMIT 1"
        assert _one(looking, held) == ("running", "slow", 1)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    assert worker.wait(timeout=PATIENCE) == 0
    assert _one(looking, held) == ("done", "slow", 1)
    looking.close()


@pytest.mark.slow
def test_eight_workers_and_a_connection_cut_leave_what_one_worker_leaves(
    books: ClonedDatabase, watcher: Any
) -> None:
    start = "from repayments.services.close import start_close\nstart_close(loans_a_slice=1)"
    _python(books, start).check_returncode()
    work = """
import os
from django.db import OperationalError, InterfaceError, connection
from repayments.models import DayRun
from repayments.services.close import work_all_slices
for attempt in range(5):
    try:
        work_all_slices(DayRun.objects.get(), claimed_by=f"worker-{os.getpid()}")
        break
    except (OperationalError, InterfaceError):
        connection.close()
"""
    with watcher.cursor() as cursor:  # everybody comes to a stop at the run's row, snapshots written
        cursor.execute("SELECT FROM repayments_dayrun FOR UPDATE")
    workers = [subprocess.Popen(_code(work), cwd=ROOT, env=books.environment()) for _ in range(8)]
    looking = books.connect("admin")
    _wait_until(lambda: _one(looking, WAITS_FOR_A_LOCK.replace("count(*) > 0", "count(*)")) >= 2)
    cut = _one(
        looking,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'",
    )
    assert cut >= 2
    watcher.commit()
    assert {worker.wait(timeout=PATIENCE) for worker in workers} == {0}
    prove = """
from datetime import date
from repayments.models import DayRun
from repayments.selectors.verifying import verify_close
from repayments.services.close import work_all_slices
from repayments.services.close_slices import sweep_slices
sweep_slices()
work_all_slices(DayRun.objects.get(), claimed_by="sweeper")
found = verify_close(date(2025, 12, 31))
assert found.holds and found.is_comparable and found.loan_count == 7, found
"""
    done = _python(books, prove)
    assert done.returncode == 0, done.stderr
    assert _one(looking, "SELECT state, slice_count, computed_count FROM repayments_dayrun") == (
        "closed",
        LOANS,
        LOANS,
    )
    looking.close()


@pytest.mark.slow
def test_two_closes_of_one_day_at_once_make_one(books: ClonedDatabase, watcher: Any) -> None:
    both = [_manage(books, "close_day", "--date", "2025-12-31") for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    assert any("Close of 31 Dec 2025: closed; 7 loans" in text for text in said), said
    assert any("The open business date is" in text or "still running" in text for text in said), said
    assert _one(watcher, "SELECT count(*) FROM repayments_dayrun") == 1
    assert _one(watcher, "SELECT count(*) FROM repayments_arrearssnapshot") == LOANS


@pytest.mark.slow
def test_a_close_by_hand_that_was_killed_is_gone_on_with(books: ClonedDatabase, watcher: Any) -> None:
    with watcher.cursor() as cursor:
        cursor.execute("SELECT repayments_snapshot_partition('2025-12-31')")
    watcher.commit()
    lock = books.connect("admin")
    with lock.cursor() as cursor:  # the close can begin, and not write
        cursor.execute("LOCK TABLE repayments_arrearssnapshot IN SHARE MODE")
    killed = _manage(books, "close_day", "--loans-a-slice", "3")
    looking = books.connect("worker")
    _wait_until(lambda: bool(_one(looking, WAITS_FOR_A_LOCK)))
    killed.kill()
    killed.communicate()
    lock.close()
    _wait_until(lambda: not _one(looking, WAITS_FOR_A_LOCK))
    assert _one(looking, "SELECT state, computed_count FROM repayments_dayrun") == ("running", 0)

    again = _manage(books, "close_day")
    text = again.communicate()[0]
    assert again.returncode == 1
    assert "The close of 31 Dec 2025 is still running." in text
    going_on = _manage(books, "close_day", "--retry", "--date", "2025-12-31")
    text = going_on.communicate()[0]
    assert going_on.returncode == 0, text
    assert _one(looking, "SELECT state, computed_count FROM repayments_dayrun") == ("closed", LOANS)
    looking.close()


MAKE_OLD_MONTHS = """
from datetime import date
from django.db import transaction
from repayments.services.close import close_day, start_close
from tests.repayments.close.books import closing_books
with transaction.atomic():
    books = closing_books()
    for number in range(4):
        books.lend([(date(2025, 11, 30), 90_00), (date(2026, 3, 31), 10_00)], disbursed=date(2025, 6, 1))
for opening in (None, None, date(2026, 5, 3)):
    close_day(opening=opening)
start_close(loans_a_slice=2)
"""


@pytest.mark.slow
def test_old_months_are_dropped_beside_a_close(cloned_database: ClonedDatabase) -> None:
    books = cloned_database
    made = _python(books, MAKE_OLD_MONTHS)
    assert made.returncode == 0, made.stderr
    lock, looking = books.connect("worker"), books.connect("worker")
    with lock.cursor() as cursor:
        cursor.execute("SELECT FROM repayments_dayrun WHERE state = 'running' FOR UPDATE")
    work = """
from repayments.models import DayRun
from repayments.services.close import work_all_slices
work_all_slices(DayRun.objects.get(state="running"), claimed_by="worker")
"""
    close = subprocess.Popen(_code(work), cwd=ROOT, env=books.environment())
    blocked = WAITS_FOR_A_LOCK.replace("count(*) > 0", "count(*)")
    _wait_until(lambda: _one(looking, blocked) == 1)  # its snapshots are written, not committed
    dropping = _manage(books, "retain_snapshots", "--months", "3")
    _wait_until(lambda: _one(looking, blocked) == 2 or dropping.poll() is not None)
    lock.close()

    assert close.wait(timeout=PATIENCE) == 0
    text = dropping.communicate(timeout=PATIENCE)[0]
    assert dropping.returncode == 0, text
    assert "Dec 2025: daily snapshots dropped, the close of 31 Dec 2025 is kept." in text
    assert (
        _one(looking, "SELECT state FROM repayments_dayrun ORDER BY business_date DESC LIMIT 1") == "closed"
    )
    verified = _manage(books, "verify_close", "--all")
    said = verified.communicate(timeout=PATIENCE)[0]
    assert verified.returncode == 0, said
    assert "4 days verified." in said
    looking.close()


@pytest.mark.slow
def test_a_posting_under_way_is_waited_for_and_counts(books: ClonedDatabase, watcher: Any) -> None:
    with watcher.cursor() as cursor:
        cursor.execute(
            "INSERT INTO daybook_booking (business_date, actor_name, purpose, reason)"
            " VALUES ('2025-12-31', 'Slow', 'test', '') RETURNING id"
        )
        booking = cursor.fetchone()[0]
    close = _manage(books, "close_day", "--date", "2025-12-31")
    looking = books.connect("worker")
    _wait_until(lambda: bool(_one(looking, WAITS_FOR_A_LOCK)))
    assert close.poll() is None
    watcher.commit()
    text = close.communicate()[0]
    assert close.returncode == 0, text
    assert _one(looking, "SELECT last_booking_id FROM repayments_dayrun") == booking
    looking.close()


@pytest.mark.slow
def test_a_close_through_a_real_worker(books: ClonedDatabase, watcher: Any, tmp_path: Path) -> None:
    environment = books.environment() | {
        "PAIKAR_VAR_DIR": str(tmp_path),
        "CELERY_BROKER_URL": "filesystem://",
    }
    log = tmp_path / "worker.log"
    with log.open("w") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "config", "worker", "-c", "2", "-l", "info"],
            cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "close_day", "--through-workers", "--loans-a-slice", "2"],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    finally:
        # The group would get the signal too: hands that die of it leave the head waiting for them.
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert done.returncode == 0, done.stderr + log.read_text()
    assert "7 loans" in done.stdout
    assert "4 slices" in done.stdout
    assert _one(watcher, "SELECT date FROM daybook_businessday WHERE state = 'open'") == date(2026, 1, 1)
    assert _one(
        watcher, "SELECT count(DISTINCT split_part(claimed_by, ':', 2)) FROM repayments_dayrunslice"
    ) in (1, 2)
