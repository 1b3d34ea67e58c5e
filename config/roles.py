"""The database roles, and the database itself. Made by set-up, never by a migration.

| role | may |
|---|---|
| paikar_owner | owns everything, runs migrations; no superuser, does not act for people |
| paikar_web | log in for the web: sessions, users, failed logins; takes one of the next two per request |
| paikar_foundation | a request of foundation staff or an auditor: sees all institutions |
| paikar_partner | a request of a partner's officer: row-level security leaves its own institution |
| paikar_worker | Celery and commands; not held back by row-level security, as COPY FROM needs |

``config/grants.py`` says which table each may touch.
"""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PlainConnection  # noqa: N812  (a class, named like a value)

from config.environment import database_url, parse_database_url, uses_own_cluster

ROLES: dict[str, str] = {
    "paikar_owner": "LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS INHERIT",
    "paikar_web": "LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOINHERIT",
    "paikar_worker": "LOGIN NOSUPERUSER NOCREATEROLE BYPASSRLS INHERIT",
    "paikar_foundation": "NOLOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS",
    "paikar_partner": "NOLOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS",
}
MEMBERSHIPS = [("paikar_foundation", "paikar_web"), ("paikar_partner", "paikar_web")]

# Timeouts protect the books from a forgotten psql session or a runaway page; the close may take its time.
ROLE_SETTINGS = {
    "paikar_web": {
        "lock_timeout": "15s",
        "statement_timeout": "60s",
        "idle_in_transaction_session_timeout": "120s",
    },
    "paikar_worker": {"lock_timeout": "120s"},
}


class CannotPrepareDatabase(Exception):
    """The login given for set-up may not create what is missing."""


def connect(url: str, *, database: str = "") -> PlainConnection:
    """Open a plain autocommit connection for set-up work, which has no Django models yet."""
    settings = parse_database_url(url)
    opened = psycopg2.connect(
        dbname=database or settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
        **settings["OPTIONS"],
    )
    opened.autocommit = True
    return opened


def prepare() -> list[str]:
    """Create the roles and the database where they are missing; return what was done. Repeatable."""
    done: list[str] = []
    name = parse_database_url(database_url("owner"))["NAME"]
    admin = connect(database_url("admin"), database="postgres")
    try:
        done += _create_roles(admin)
        if create_database(admin, name):
            done.append(f"created database {name}")
    except psycopg2.errors.InsufficientPrivilege as error:
        raise CannotPrepareDatabase(
            f"{str(error).strip()} DATABASE_ADMIN_URL must name a login that may create roles and databases, "
            "see docs/operators/settings.md."
        ) from error
    finally:
        admin.close()
    return done


def create_database(admin: PlainConnection, name: str, *, template: str = "template0") -> bool:
    """Create a database owned by ``paikar_owner``; return False when it was there already."""
    with admin.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if cursor.rowcount:
            return False
        cursor.execute(
            sql.SQL("CREATE DATABASE {} OWNER paikar_owner TEMPLATE {} ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        cursor.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO paikar_web, paikar_worker").format(sql.Identifier(name))
        )
        cursor.execute(
            sql.SQL("GRANT TEMPORARY ON DATABASE {} TO paikar_worker").format(sql.Identifier(name))
        )
    return True


def _create_roles(admin: PlainConnection) -> list[str]:
    done: list[str] = []
    with admin.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_lock(7250000)"
        )  # roles belong to the cluster: two set-ups may meet here
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])
        present = {name for (name,) in cursor.fetchall()}
        for name, attributes in ROLES.items():
            if name not in present:
                cursor.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name), sql.SQL(attributes)))
                done.append(f"created role {name}")
        if done or uses_own_cluster():
            _settle_roles(admin)
        cursor.execute("SELECT pg_advisory_unlock(7250000)")
    return done


def _settle_roles(admin: PlainConnection) -> None:
    with admin.cursor() as cursor:
        for group, member in MEMBERSHIPS:
            cursor.execute(
                sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                    sql.Identifier(group), sql.Identifier(member)
                )
            )
        for name, settings in ROLE_SETTINGS.items():
            for setting, value in settings.items():
                cursor.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(
                        sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
                    )
                )
