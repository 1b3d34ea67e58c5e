"""The catalogue asked for every table: a new one without a rule, or with a looser one, fails here."""

from __future__ import annotations

import pytest
from django.db import connection

from config.grants import BUT_SECRETS, PARTNER_COLUMNS, PARTNER_READS, PARTNER_WRITES, SECRET_COLUMNS

pytestmark = pytest.mark.django_db

OWN = "({0} = (NULLIF(current_setting('paikar.institution'::text, true), ''::text))::bigint)"
OR_NOBODYS = {
    "daybook_booking": "facts of its own loans carry bookings of the whole programme",
    "repayments_classfreeze": "a freeze of everybody holds its loans, too",
    "repayments_classificationreturn": "a return of everybody reports its loans; columns are not granted",
    "repayments_rulingproposal": "columns are not granted",
}
"""Tables whose rows of no institution a partner sees, and why."""


def rows(statement: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_every_policy_for_partners_is_its_own_rows_and_nothing_looser() -> None:
    found = rows(
        "SELECT tablename, cmd, coalesce(qual, ''), coalesce(with_check, ''), roles::text FROM pg_policies"
        " WHERE schemaname = 'public' AND roles && ARRAY['paikar_partner', 'public']::name[] ORDER BY 1, 2"
    )
    assert len(found) > 100
    for table, command, seen, written, roles in found:
        assert roles == "{paikar_partner}", (table, command)
        if table == "partners_user":  # read by membership
            assert command == "SELECT"
            assert OWN.format("m.institution_id") in seen
            continue
        own = OWN.format("id" if table == "partners_institution" else "institution_id")
        allowed = {own}
        if command == "SELECT" and table in OR_NOBODYS:
            allowed = {f"({own} OR (institution_id IS NULL))"}
        assert {said for said in (seen, written) if said} <= allowed, (table, command)
        assert seen or written, (table, command)


def test_what_a_partner_may_do_with_every_table_stands_in_one_list() -> None:
    found = rows(
        "SELECT c.relname, c.relrowsecurity, string_agg(DISTINCT p.privilege, ', ' ORDER BY p.privilege)"
        "  FROM pg_class c"
        " CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES'),"
        "             ('TRIGGER')) AS p (privilege)"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        "   AND has_table_privilege('paikar_partner', c.oid, p.privilege)"
        " GROUP BY 1, 2 ORDER BY 1"
    )
    assert len(found) > 50
    for table, is_guarded, held in found:
        assert is_guarded or table in PARTNER_READS, f"{table} is open to partners without row-level security"
        named = {verb for verb in PARTNER_WRITES.get(table, "").split(", ") if verb and "(" not in verb}
        assert set(held.split(", ")) == {"SELECT"} | named, table


def test_columns_are_granted_where_a_list_names_them_and_nowhere_else() -> None:
    found = rows(
        "SELECT c.relname, g.privilege_type, array_agg(a.attname::text ORDER BY a.attname)"
        "  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, aclexplode(a.attacl) g"
        " WHERE c.relnamespace = 'public'::regnamespace AND g.grantee = 'paikar_partner'::regrole"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    told = {(table, verb): set(columns) for table, verb, columns in found}
    reads = {(table, "SELECT"): set(columns) for table, columns in PARTNER_COLUMNS.items()}
    locks = {(table, "UPDATE"): {"id"} for table, verbs in PARTNER_WRITES.items() if verbs == "UPDATE (id)"}
    for table, secret in SECRET_COLUMNS.items():
        every = {name for (name,) in rows(
            f"SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
        )}  # fmt: skip
        reads |= {(table, verb): every - set(secret) for verb in BUT_SECRETS["paikar_partner"]}
    assert told == reads | locks


def test_nothing_is_open_to_everybody() -> None:
    """What PUBLIC holds, every login holds: no table, no sequence, no function, no schema to write in."""
    assert rows(
        "SELECT c.relname::text FROM pg_class c, aclexplode(c.relacl) g"
        " WHERE c.relnamespace = 'public'::regnamespace AND g.grantee = 0"
    ) == []  # fmt: skip
    assert rows(
        "SELECT p.proname::text FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace"
        "   AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) g WHERE g.grantee = 0))"
        "   AND p.proowner = 'paikar_owner'::regrole"
    ) == []  # fmt: skip
    assert rows(
        "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'paikar%' AND rolname <> 'paikar_owner'"
        "   AND has_schema_privilege(rolname, 'public', 'CREATE')"
    ) == []  # fmt: skip
