"""A worker's hold on a row of long work: claimed, renewed while it goes on, taken over when it lapses.

Celery may lose or double a message, and a worker may be killed in the middle. So the row itself says who
works on it and until when, by the database's own clock. Whoever finds the hold lapsed may take it; whoever
lost it finds, at the end, that its last statement touches nothing, and rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Model
from psycopg2 import sql

LEASE_SECONDS = 60
MAX_ATTEMPTS = 5
DATABASE_AWAY = (OperationalError, InterfaceError)
"""A database that restarts, a connection cut, a lock not had in time: no fault of the work, tried again."""

Report = Callable[[int, int], None]
"""Tell how much is done, of how much."""


class LeaseLost(Exception):
    """Somebody else has the work now, or it is done: what was prepared must not be kept."""


@transaction.atomic
def claim(model: type[Model], pk: int, *, claimed_by: str, state: str) -> bool:
    """Take a row that waits in a state, or whose holder's time is up. False: nothing to do here."""
    return (
        _execute(
            model,
            "UPDATE {table} SET work = 'running', claimed_by = %(claimed_by)s, error = '',"
            " attempts = attempts + 1,"
            " started_at = coalesce(started_at, clock_timestamp()),"
            " claimed_until = clock_timestamp() + make_interval(secs => %(seconds)s)"
            " WHERE id = %(pk)s AND state = %(state)s"
            " AND (work = 'queued' OR (work = 'running' AND claimed_until < clock_timestamp()))",
            {"claimed_by": claimed_by, "seconds": LEASE_SECONDS, "pk": pk, "state": state},
        )
        == 1
    )


@transaction.atomic
def requeue_lapsed(model: type[Model], *, state: str) -> list[int]:
    """Ids of rows in a state that wait, or whose holder's time is up: a message for each is due again.

    A row queued less than a lease ago is left alone: its message is probably on its way.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _named(
                model,
                "SELECT id FROM {table} WHERE state = %(state)s AND ("
                " (work = 'running' AND claimed_until < clock_timestamp()) OR"
                " (work = 'queued' AND queued_at < clock_timestamp() - make_interval(secs => %(seconds)s)))"
                " ORDER BY id",
            ),
            {"state": state, "seconds": LEASE_SECONDS},
        )
        return [pk for (pk,) in cursor.fetchall()]


def fail(model: type[Model], pk: int, *, claimed_by: str, error: str) -> None:
    """Put the work down with a sentence. It stays put down until a person asks for it again."""
    _execute(
        model,
        "UPDATE {table} SET work = 'failed', error = %(error)s, claimed_until = NULL,"
        " finished_at = clock_timestamp()"
        " WHERE id = %(pk)s AND claimed_by = %(claimed_by)s AND work = 'running'",
        {"pk": pk, "claimed_by": claimed_by, "error": error},
    )


@contextmanager
def reporting(model: type[Model], pk: int, *, claimed_by: str) -> Iterator[Report]:
    """A way to show progress and renew the hold while the work's own transaction is still open.

    It has a connection of its own, so that pages see the figure before the work is committed. When the
    row is locked it is skipped: progress is a courtesy and never delays or breaks the work.
    """
    side = connection.copy()

    def report(done: int, total: int) -> None:
        with side.cursor() as cursor:
            cursor.execute(
                _named(
                    model,
                    "UPDATE {table} SET done_count = %(done)s, total_count = %(total)s,"
                    " claimed_until = clock_timestamp() + make_interval(secs => %(seconds)s)"
                    " WHERE id = (SELECT id FROM {table} WHERE id = %(pk)s AND claimed_by = %(claimed_by)s"
                    " AND work = 'running' FOR NO KEY UPDATE SKIP LOCKED)",
                ),
                {"done": done, "total": total, "seconds": LEASE_SECONDS, "pk": pk, "claimed_by": claimed_by},
            )

    try:
        yield report
    finally:
        side.close()


def _execute(model: type[Model], statement: str, params: dict[str, str | int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_named(model, statement), params)
        return cursor.rowcount


def _named(model: type[Model], statement: str) -> sql.Composed:
    return sql.SQL(statement).format(table=sql.Identifier(model._meta.db_table))
