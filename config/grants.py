"""Which role may do what with which table. Applied after every migration; the whole truth each time.

Nothing here is a list of tables that could go stale, but for the short ones below. The database
is asked instead: a table is append-only when it carries the trigger ``append_only``, guarded when
row-level security is on, ours when a Django model stands behind it.

A partner's role is closed by default, twice. A table without row-level security is closed to it unless
``PARTNER_READS`` names it: people, enterprises and other institutions' affairs must not be readable because
somebody forgot a policy. And it writes only what ``PARTNER_WRITES`` names, because its pages do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.db import connection
from psycopg2 import sql

# Open to partners though no institution owns a row: the calendar, places and products of the programme.
PARTNER_READS = frozenset(
    {
        "daybook_businessday",
        "daybook_holiday",
        "partners_district",
        "lending_programme",
        "lending_programmeterms",
        "lending_cluster",
        "lending_fundsource",
        "lending_sector",
        "repayments_chargepolicy",
        "repayments_classificationpolicy",
        "repayments_provisionpolicy",
        "repayments_reschedulepolicy",
        "repayments_writeoffpolicy",
        "django_content_type",
        "auth_group",
        "auth_permission",
    }
)
# Of these a partner reads some columns: which closes and returns there are, and which books they read.
# Figures of the whole programme, reasons given for them and what a close stumbled on are the foundation's.
PARTNER_COLUMNS: dict[str, tuple[str, ...]] = {
    "repayments_classificationreturn": (
        "id", "tier", "institution_id", "as_of", "known_by", "last_booking_id", "state", "booking_id",
    ),
    "repayments_dayrun": ("id", "business_date", "attempt", "state", "last_booking_id", "kept"),
    "repayments_rulingproposal": ("id", "institution_id", "booking_id"),
}  # fmt: skip
# What a partner's own pages write; row-level security and the guards say which rows and which steps.
# (To lock a row PostgreSQL asks for the right to update a column of it; the guards refuse the update itself.)
PARTNER_WRITES: dict[str, str] = {
    "daybook_auditentry": "INSERT",
    "daybook_booking": "INSERT",
    "lending_agreement": "UPDATE (id)",
    "lending_application": "INSERT, UPDATE",
    "lending_applicationline": "INSERT, UPDATE, DELETE",
    "lending_decision": "INSERT",
    "lending_standing": "UPDATE (id)",
    "lending_tranche": "INSERT, UPDATE",
    "repayments_loanevent": "INSERT, UPDATE",
    "repayments_upload": "INSERT, UPDATE",
    "repayments_uploadrow": "UPDATE",
    "reports_reportrun": "INSERT",
}
# Numbers of things, drawn by name. Keys need no right: PostgreSQL draws them itself, and who could ask the
# sequence of a key would learn how many rows all institutions have.
PARTNER_NUMBERS = frozenset({"lending_number_application", "lending_number_tranche"})
# What paikar_web itself needs before it knows who is there: to sign a person in and out.
WEB_LOGIN: dict[str, str] = {
    "django_session": "SELECT, INSERT, UPDATE, DELETE",
    "partners_user": "SELECT, UPDATE",
    "partners_membership": "SELECT",
    "partners_institution": "SELECT",
    "daybook_businessday": "SELECT",
    "daybook_auditentry": "INSERT",
    "django_content_type": "SELECT",
    "axes_accessattempt": "SELECT, INSERT, UPDATE, DELETE",
    "axes_accessattemptexpiration": "SELECT, INSERT, UPDATE, DELETE",
    "axes_accesslog": "SELECT, INSERT, UPDATE",
    "axes_accessfailurelog": "SELECT, INSERT, DELETE",
}
# Columns no page reads or changes: a hash is for signing in (partners.models.PasswordField). The foundation
# adds people with their first password.
SECRET_COLUMNS: dict[str, tuple[str, ...]] = {"partners_user": ("password",)}
BUT_SECRETS = {"paikar_foundation": ("SELECT", "UPDATE"), "paikar_partner": ("SELECT",)}
# Not ours but Django's: whether the database fits the release is asked by the probe (config/watching).
WATCHED = {"django_migrations": "SELECT"}
# Sign-in material: not even the foundation's or a partner's role reads or writes it, only paikar_web does.
WEB_ONLY = frozenset(name for name in WEB_LOGIN if name.startswith(("axes_", "django_session")))
ACTORS = ("paikar_foundation", "paikar_partner", "paikar_web", "paikar_worker")
# Functions that somebody calls by name. The others are triggers, or checks that triggers call as the owner:
# PostgreSQL would let everybody call those too, and they see past row-level security.
CALLED: dict[str, tuple[str, ...]] = {
    "daybook_lock_day": ("paikar_foundation", "paikar_partner", "paikar_worker"),
    "daybook_latest_booking": ("paikar_foundation", "paikar_partner", "paikar_worker"),
    "daybook_booking_number_up_to": ("paikar_foundation", "paikar_partner", "paikar_worker"),
    "partners_password": ACTORS,
    "lending_lock_loans": ("paikar_foundation", "paikar_worker"),
    "repayments_lock_loans": ("paikar_foundation", "paikar_worker"),
    "repayments_snapshot_partition": ("paikar_worker",),
    "repayments_drop_snapshots": ("paikar_worker",),
}


@dataclass(frozen=True)
class Table:
    """What the database itself says about a table."""

    name: str
    is_partition: bool
    is_append_only: bool
    is_guarded: bool
    has_institution: bool
    columns: list[str]


def tables() -> list[Table]:
    """Every table of the schema, with the facts that decide who may touch it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, c.relispartition,
                   EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'append_only'),
                   c.relrowsecurity,
                   EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                           AND a.attname = 'institution_id' AND NOT a.attisdropped),
                   ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid
                         AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
              FROM pg_class c
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
             ORDER BY c.relname
            """
        )
        return [Table(*row) for row in cursor.fetchall()]


def numbers() -> dict[str, list[str]]:
    """Sequences that no column owns, and who draws from them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                               AND d.classid = 'pg_class'::regclass AND d.deptype = 'i')
             ORDER BY 1
            """
        )
        return {
            name: ["paikar_foundation", "paikar_worker"]
            + (["paikar_partner"] if name in PARTNER_NUMBERS else [])
            for (name,) in cursor.fetchall()
        }


def model_tables() -> frozenset[str]:
    """Tables behind a Django model; others (the queue of guards) only the owner's functions touch."""
    return frozenset(model._meta.db_table for model in apps.get_models(include_auto_created=True))


def rights(table: Table, *, modelled: frozenset[str]) -> dict[str, str]:
    """Decide each role's rights on one table; a role that is not named gets none."""
    if table.name in WATCHED:
        return {"paikar_foundation": WATCHED[table.name], "paikar_worker": WATCHED[table.name]}
    if table.is_partition or table.name not in modelled:
        return {}
    writes = "SELECT, INSERT" if table.is_append_only else "SELECT, INSERT, UPDATE, DELETE"
    given = {"paikar_worker": writes}
    if table.name in WEB_LOGIN:
        given["paikar_web"] = WEB_LOGIN[table.name]
    if secret := SECRET_COLUMNS.get(table.name):
        open_columns = ", ".join(f'"{name}"' for name in table.columns if name not in secret)
        for role, verbs in BUT_SECRETS.items():
            given[role] = ", ".join(f"{verb} ({open_columns})" for verb in verbs)
        given["paikar_foundation"] += ", INSERT"
    elif table.name not in WEB_ONLY:
        given["paikar_foundation"] = writes
        if partner := _partner_rights(table):
            given["paikar_partner"] = partner
    return given


def _partner_rights(table: Table) -> str:
    if table.name in PARTNER_COLUMNS:
        return f"SELECT ({', '.join(PARTNER_COLUMNS[table.name])})"
    if not table.is_guarded and table.name not in PARTNER_READS:
        return ""
    return ", ".join(["SELECT", *([PARTNER_WRITES[table.name]] if table.name in PARTNER_WRITES else [])])


def apply() -> int:
    """Set every right from nothing, in one transaction; return how many tables there are. Needs the owner."""
    found = tables()
    modelled = model_tables()
    actors = sql.SQL(", ").join(sql.Identifier(name) for name in ACTORS)
    with connection.cursor() as cursor:
        _execute = cursor.cursor.execute  # psycopg2's own, which composes identifiers
        for kind in ("TABLES", "SEQUENCES"):
            _execute(
                sql.SQL("REVOKE ALL ON ALL {} IN SCHEMA public FROM PUBLIC, {}").format(sql.SQL(kind), actors)
            )
        _execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(actors))
        for name, roles in numbers().items():
            for role in roles:
                _execute(
                    sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(
                        sql.Identifier(name), sql.Identifier(role)
                    )
                )
        for table in found:
            for role, privileges in rights(table, modelled=modelled).items():
                _execute(
                    sql.SQL("GRANT {} ON TABLE {} TO {}").format(
                        sql.SQL(privileges), sql.Identifier(table.name), sql.Identifier(role)
                    )
                )
        _settle_functions(_execute, actors)
    return len(found)


def _settle_functions(execute: Callable[..., None], actors: sql.Composed) -> None:
    """Close every function but for those CALLED, and let nobody's temporary table stand in for a real one.

    Without ``pg_temp`` at the end of its path, a function that runs as the owner would read a caller's
    temporary ``lending_loan`` before the real one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.oid::regprocedure::text, p.proname, p.prosecdef FROM pg_proc p
             WHERE p.pronamespace = 'public'::regnamespace
               AND p.proowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
             ORDER BY 1
            """
        )
        functions = cursor.fetchall()
    for signature, name, runs_as_owner in functions:
        function = sql.SQL(signature)  # as PostgreSQL itself writes it
        execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC, {}").format(function, actors))
        for role in CALLED.get(name, ()):
            execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, sql.Identifier(role)))
        if runs_as_owner:
            execute(sql.SQL("ALTER FUNCTION {} SET search_path = public, pg_temp").format(function))


def unguarded() -> list[str]:
    """Tables with ``institution_id`` but no row-level security: a hole, so partners are kept out."""
    return [
        table.name
        for table in tables()
        if table.has_institution and not table.is_guarded and not table.is_partition
    ]
