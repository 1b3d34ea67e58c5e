"""The bench's book keeps every rule of the real ones, closes, and is verified like them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from config import roles
from config.bench.books import generate
from config.environment import BASE_DIR
from tests.conftest import ClonedDatabase

LOANS = 2_000


def _bench(database: ClonedDatabase, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=BASE_DIR, env=database.environment(),
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _made(database: ClonedDatabase) -> list[str]:
    said: list[str] = []
    admin = roles.connect(database.url("admin"), database=database.name)
    try:
        generate(admin, loans=LOANS, say=said.append)
    finally:
        admin.close()
    return said


def _ask(database: ClonedDatabase, query: str) -> Any:
    with database.connect("admin") as admin, admin.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


@pytest.mark.slow
def test_a_book_is_made_once_measured_and_verified(cloned_database: ClonedDatabase) -> None:
    said = _made(cloned_database)
    assert len([line for line in said if line.startswith("checked: ")]) == 6
    assert _ask(cloned_database, "SELECT count(*), count(tranche_id) FROM lending_loan") == (LOANS, 20)
    assert _ask(cloned_database, "SELECT count(DISTINCT tranche_id) FROM lending_funding") == (20,)

    measured = _bench(cloned_database, "bench", "--inside", "--workers", "2")
    (figures,) = [json.loads(line) for line in measured.splitlines() if line.startswith("{")]
    assert (figures["loans"], figures["workers"], len(figures["memory"])) == (LOANS, 2, 2)
    assert figures["floor_read"] > 0
    assert figures["close"] > figures["start"] > 0
    assert "2 days verified." in _bench(cloned_database, "verify_close", "--all")
    assert _ask(cloned_database, "SELECT count(*) FROM lending_standing WHERE tranche_id IS NOT NULL") == (
        20,
    )
    (raised,) = _ask(cloned_database, "SELECT count(*) FROM lending_due WHERE component = 2")
    assert raised > 100, "late tranches bear penal interest by the day"
    assert _ask(cloned_database, "SELECT count(*) FROM repayments_arrearssnapshot") == (2 * LOANS,)

    assert _made(cloned_database) == [], "a kept book is not made again"
