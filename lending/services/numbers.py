"""The numbers people quote, drawn from the database so that two sessions never draw the same one."""

from __future__ import annotations

from typing import Literal

from django.db import connection

Kind = Literal["wholesale", "subloan", "application", "facility", "tranche", "agreement"]
PREFIX: dict[Kind, str] = {
    "wholesale": "WL",
    "subloan": "SL",
    "application": "APP",
    "facility": "FAC",
    "tranche": "TR",
    "agreement": "AGR",
}


def next_numbers(kind: Kind, count: int) -> list[str]:
    """As many numbers as asked for, rising: SL-000001, SL-000002. A refused transaction leaves a gap."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [f"lending_number_{kind}", count])
        return [f"{PREFIX[kind]}-{number:06d}" for (number,) in cursor.fetchall()]


def next_number(kind: Kind) -> str:
    """One number."""
    return next_numbers(kind, 1)[0]
