"""Signs of life: what happens again and again leaves a mark, so that silence can be noticed."""

from __future__ import annotations

from django.db import connection

CLOCK = "clock"
"""Celery's clock, heard through the broker and a worker: all three live."""


def beat(name: str, *, found: int = 0) -> None:
    """Note that it happened just now, and how much it found to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO daybook_heartbeat (name, beaten_at, found_count)"
            " VALUES (%(name)s, clock_timestamp(), %(found)s)"
            " ON CONFLICT (name) DO UPDATE SET beaten_at = excluded.beaten_at,"
            " found_count = daybook_heartbeat.found_count + excluded.found_count",
            {"name": name, "found": found},
        )
