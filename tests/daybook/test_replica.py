"""Reports on closed dates come from a copy of the database where there is one that knows enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.conftest import ClonedDatabase

ROOT = Path(__file__).resolve().parents[2]

MAKE_BOOKS = """
from datetime import date
from django.db import transaction
from repayments.services.close import close_day
from tests.repayments.close.books import closing_books
with transaction.atomic():
    books = closing_books()
    loan = books.lend([(date(2025, 9, 30), 100_00)], disbursed=date(2025, 6, 30))
close_day()
"""
ASK = """
from datetime import date
from django.db import connection
from daybook.selectors import known_by
from repayments.selectors import standings
last, open_date = date(2025, 12, 31), date(2026, 1, 1)
for day, known in ((last, last), (date(2025, 10, 31), last), (open_date, open_date)):
    frame = standings(as_of=day, knowledge=known_by(known))
    print(frame.attrs["source"], frame.attrs["read_from"], frame["outstanding_minor"].sum())
assert connection.alias == "default"
"""


def _asked(books: ClonedDatabase, replica: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{ASK}"],
        cwd=ROOT,
        env=books.environment() | ({"DATABASE_REPLICA_URL": replica} if replica else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_what_a_closed_date_knew_is_read_from_the_copy(cloned_database: ClonedDatabase) -> None:
    made = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{MAKE_BOOKS}"],
        cwd=ROOT,
        env=cloned_database.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    figures = [("snapshot", 10000), ("recomputed", 10000), ("recomputed", 10000)]

    def told(*read_from: str) -> list[str]:
        return [f"{source} {where} {sum_}" for (source, sum_), where in zip(figures, read_from, strict=True)]

    url = cloned_database.url("worker")
    assert _asked(cloned_database, "") == told("books", "books", "books")
    assert _asked(cloned_database, url) == told("replica", "replica", "books"), "the open date is not final"
    away = "postgresql://paikar_worker@127.0.0.1:1/nowhere"
    assert _asked(cloned_database, away) == told("books", "books", "books")
    lagging = url.replace(
        cloned_database.name, settings.DATABASES["default"]["NAME"]
    )  # empty: it knows no close
    assert _asked(cloned_database, lagging) == told("books", "books", "books")
