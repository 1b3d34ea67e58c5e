"""Attacks with raw SQL, and what became of them."""

from __future__ import annotations

from typing import Any

import psycopg2.errors
import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import set_role


def run(statement: str, *values: Any) -> int:
    """Run SQL and what waits for the commit; return the rows touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        touched = cursor.rowcount
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return int(touched)


def one(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchone()[0]


def names(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()]


def refused(guard: str, statement: str, *values: Any) -> None:
    """The statement breaks on the named guard."""
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        run(statement, *values)
    cause = raised.value.__cause__
    assert isinstance(cause, psycopg2.Error)
    assert (cause.diag.constraint_name or str(cause)) == guard


def touched_or_forbidden(statement: str, *values: Any) -> int:
    """Rows touched; 0 as well where the role may not touch the table at all."""
    try:
        with transaction.atomic():
            return run(statement, *values)
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg2.errors.InsufficientPrivilege):
            return 0
        raise


def as_partner(institution_id: int) -> None:
    set_role("paikar_partner")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('paikar.institution', %s, true)", [str(institution_id)])


def grant_partners(table: str) -> None:
    """As if somebody had granted too much, until the test ends: what stands behind rights must hold alone."""
    set_role("paikar_owner")
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON {table} TO paikar_partner")
    set_role("paikar_worker")


def outcome(statement: str, *values: Any) -> str:
    """``forbidden`` by rights, row-level security or a guard; ``kept`` by append-only; else ``open``."""
    try:
        with transaction.atomic():
            run(statement, *values)
    except DatabaseError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg2.errors.InsufficientPrivilege):
            return "forbidden"
        if isinstance(cause, psycopg2.errors.GeneratedAlways):  # noticed before rights are looked at
            return (
                "open"
                if one("SELECT has_table_privilege(%s, 'INSERT')", statement.split()[2])
                else "forbidden"
            )
        if isinstance(cause, psycopg2.Error) and cause.diag.constraint_name == "append_only":
            return "kept"
    return "open"
