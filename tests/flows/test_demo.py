"""A short demonstration on a database of its own, with a real worker: found equals planted, twice is once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.environment import BASE_DIR

TIMEOUT = 300
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


@pytest.fixture
def played(cloned_database: Any, tmp_path: Path) -> tuple[Any, dict[str, str], str]:
    """The books after a small demonstration, the environment it ran in, and what it said."""
    environment = cloned_database.environment() | {"PAIKAR_VAR_DIR": str(tmp_path)}
    return cloned_database, environment, play(environment)


def play(environment: dict[str, str]) -> str:
    """Run the demonstration as `make demo` does, without the site; return what it said."""
    command = [sys.executable, "manage.py", "serve", "--only-first", "--first", "demo --small"]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def counts(database: Any) -> dict[str, int]:
    with database.connect("worker") as opened, opened.cursor() as cursor:
        found = {}
        for table in COUNTED:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
        return found


def test_found_equals_planted_and_a_second_run_changes_nothing(
    played: tuple[Any, dict[str, str], str],
) -> None:
    """The command compares row by row and fails on any difference; here the sentence it ends with is read."""
    database, environment, said = played
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
