"""A short demonstration on a database of its own, with a real worker: found equals planted, twice is once.

Its books then live through a month of closes, which are verified, and verified again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.conf import settings

from config import roles
from config.environment import BASE_DIR, database_url
from tests.conftest import ClonedDatabase, drop_database

TIMEOUT = 300
DAYS = 22
"""Business dates of a month."""
COUNTED = (
    "daybook_booking",
    "daybook_businessday",
    "lending_application",
    "lending_loan",
    "lending_due",
    "partners_user",
    "repayments_allocation",
    "repayments_dayrun",
    "repayments_receipt",
    "repayments_upload",
    "repayments_uploadrow",
    "reports_reportrun",
)


@dataclass(frozen=True)
class Played:
    """The books after a small demonstration, the environment it ran in, and what it said."""

    database: ClonedDatabase
    environment: dict[str, str]
    said: str


@pytest.fixture(scope="module")
def played(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Played once for the tests below, which each work on what they need of it."""
    template = f"{settings.DATABASES['default']['NAME']}_template"
    with _database(f"{template}_{os.getpid()}_demo", template=template) as database:
        var = tmp_path_factory.mktemp("var")
        environment = database.environment() | {"PAIKAR_VAR_DIR": str(var)}
        yield Played(database, environment, play(environment))


@contextmanager
def _database(name: str, *, template: str) -> Iterator[ClonedDatabase]:
    admin = roles.connect(database_url("admin"), database="postgres")
    try:
        roles.create_database(admin, name, template=template)
        yield ClonedDatabase(name)
    finally:
        drop_database(admin, name)
        admin.close()


def play(environment: dict[str, str]) -> str:
    """Run the demonstration as `make demo` does, without the site; return what it said."""
    command = [sys.executable, "manage.py", "serve", "--only-first", "--first", "demo --small"]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def counts(database: ClonedDatabase) -> dict[str, int]:
    with database.connect("worker") as opened, opened.cursor() as cursor:
        found = {}
        for table in COUNTED:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
        return found


@pytest.mark.slow
def test_found_equals_planted_and_a_second_run_changes_nothing(played: Played) -> None:
    """The command compares row by row and fails on any difference; here the sentence it ends with is read."""
    database, environment, said = played.database, played.environment, played.said
    line = next(text for text in said.splitlines() if "planted" in text)
    words = line.split()
    found, planted = words[1], words[4]
    assert int(found) == int(planted) > 20
    assert "6 of 6 bad files turned away" in line
    before = counts(database)
    assert before["lending_loan"] > 50
    assert before["repayments_dayrun"] == before["daybook_businessday"] - 1, (
        "every date but the open one closed"
    )
    again = play(environment)
    assert "has been played" in again
    assert counts(database) == before
    passwords = [text for text in said.splitlines() if "Foundation officer" in text]
    assert passwords == [text for text in again.splitlines() if "Foundation officer" in text]


def verify_all(database: ClonedDatabase) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "verify_close", "--all"]
    return subprocess.run(
        command, cwd=BASE_DIR, env=database.environment(), capture_output=True, text=True, timeout=TIMEOUT,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_month_of_closes_is_verified_and_verified_again(played: Played) -> None:
    """Files, late and bounced money, an event and rulings lie between the closes (tests/flows/months.py)."""
    with _database(f"{played.database.name}_month", template=played.database.name) as database:
        played_days = counts(database)["repayments_dayrun"]
        code = "import django; django.setup()\nfrom tests.flows.months import live\n" + f"live({DAYS})"
        lived = subprocess.run(
            [sys.executable, "-c", code], cwd=BASE_DIR, env=database.environment(), capture_output=True,
            text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
        assert lived.returncode == 0, lived.stdout + lived.stderr

        first, second = verify_all(database), verify_all(database)
        assert first.returncode == 0, first.stdout[-3000:] + first.stderr
        assert second.stdout == first.stdout
        *lines, last = first.stdout.splitlines()
        assert last == f"{played_days + DAYS} days verified."
        assert all("0 figures differ" in line and "as the close stated it" in line for line in lines)

        with database.connect("admin") as admin, admin.cursor() as cursor:  # a superuser, guards off
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(
                "UPDATE repayments_arrearssnapshot SET overdue_interest_minor = overdue_interest_minor + 1"
                " WHERE (business_date, loan_id) = (SELECT business_date, min(loan_id)"
                "   FROM repayments_arrearssnapshot GROUP BY business_date ORDER BY business_date"
                "   OFFSET %s LIMIT 1)"
                " RETURNING loan_id, business_date, overdue_interest_minor",
                [played_days + DAYS // 2],
            )
            loan, day, now = cursor.fetchone()
        broken = verify_all(database)
        assert broken.returncode == 1
        named = f"Loan {loan}, overdue_interest_minor: snapshot {now}, recomputed {now - 1}"
        assert [line for line in broken.stdout.splitlines() if line.startswith("Loan ")] == [named]
        assert f"{day:%d %b %Y}: " in broken.stdout
        assert f"1 of {played_days + DAYS} days are not what the facts say." in broken.stderr
