"""The web has as few rights as it can work with."""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest
from django.db import connection

from config import grants


def attributes(connected: Any) -> tuple[bool, bool, bool, bool]:
    with connected.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, "
            "EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid) "
            "FROM pg_roles WHERE rolname = session_user"
        )
        found: tuple[bool, bool, bool, bool] = cursor.fetchone()
        return found


def test_the_web_is_no_superuser_no_owner_and_held_by_row_level_security(cloned_database: Any) -> None:
    with cloned_database.connect("web") as connected:
        assert attributes(connected) == (False, False, False, False)


def test_the_owner_is_no_superuser_and_the_worker_owns_nothing(cloned_database: Any) -> None:
    with cloned_database.connect("owner") as connected:
        assert attributes(connected) == (False, False, False, True)
    with cloned_database.connect("worker") as connected:
        assert attributes(connected) == (False, True, False, False)


@pytest.mark.parametrize("table", ["daybook_booking", "lending_loan", "partners_institutionstatus"])
def test_the_web_reads_no_books_before_it_takes_a_role(cloned_database: Any, table: str) -> None:
    with cloned_database.connect("web") as connected, connected.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(f"SELECT * FROM {table}")


@pytest.mark.parametrize("role", ["paikar_owner", "paikar_worker", "postgres"])
def test_the_web_cannot_take_a_stronger_role(cloned_database: Any, role: str) -> None:
    with cloned_database.connect("web") as connected, connected.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(f"SET ROLE {role}")


@pytest.mark.django_db
def test_every_table_with_an_institution_is_guarded() -> None:
    assert grants.unguarded() == []


@pytest.mark.django_db
def test_nobody_but_the_owner_may_change_an_append_only_table_or_touch_a_partition() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants "
            "WHERE table_schema = 'public' AND grantee <> 'paikar_owner'"
        )
        given = cursor.fetchall()
    tables = {table.name: table for table in grants.tables()}
    assert any(table.is_append_only for table in tables.values())
    wrong = [
        row
        for row in given
        if tables[row[0]].is_partition
        or (tables[row[0]].is_append_only and row[2] not in {"SELECT", "INSERT"})
        or row[1] not in grants.ACTORS
    ]
    assert wrong == []


@pytest.mark.django_db
def test_a_partner_may_not_touch_a_table_without_row_level_security_unless_it_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.role_table_grants "
            "WHERE table_schema = 'public' AND grantee = 'paikar_partner'"
        )
        open_to_partners = {name for (name,) in cursor.fetchall()}
    guarded = {table.name for table in grants.tables() if table.is_guarded}
    assert open_to_partners - guarded <= grants.PARTNER_READS
