"""Pieces of SQL that migrations put on tables: append-only, row-level security, one institution per fact.

Each function returns a ``RunSQL`` with its reverse. They are used by migrations, so what they
produce for a table must not change once released; a new rule is a new function.
docs/contributors/guards.md has a paragraph on each guard.
"""

from __future__ import annotations

from django.db.migrations import RunSQL

FOUNDATION_ROLE = "paikar_foundation"
PARTNER_ROLE = "paikar_partner"
CURRENT_INSTITUTION = "nullif(current_setting('paikar.institution', true), '')::bigint"


def append_only(table: str) -> RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE: a mistake is mirrored, never edited."""
    return RunSQL(
        f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION daybook_refuse_change();
        CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_change();
        """,
        f"""
        DROP TRIGGER append_only ON {table};
        DROP TRIGGER append_only_truncate ON {table};
        """,
    )


def row_security(table: str, *, column: str = "institution_id", or_nobodys: bool = False) -> RunSQL:
    """Let a partner see and write only rows of its own institution; the foundation sees all.

    ``or_nobodys`` also shows rows that belong to no institution (they can be read, not written).
    """
    own = f"{column} = {CURRENT_INSTITUTION}"
    seen = f"({own} OR {column} IS NULL)" if or_nobodys else own
    return RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY foundation_all ON {table} TO {FOUNDATION_ROLE} USING (true) WITH CHECK (true);
        CREATE POLICY partner_sees_own ON {table} FOR SELECT TO {PARTNER_ROLE} USING ({seen});
        CREATE POLICY partner_adds_own ON {table} FOR INSERT TO {PARTNER_ROLE} WITH CHECK ({own});
        CREATE POLICY partner_changes_own ON {table} FOR UPDATE TO {PARTNER_ROLE}
            USING ({own}) WITH CHECK ({own});
        CREATE POLICY partner_removes_own ON {table} FOR DELETE TO {PARTNER_ROLE} USING ({own});
        """,
        f"""
        DROP POLICY foundation_all ON {table};
        DROP POLICY partner_sees_own ON {table};
        DROP POLICY partner_adds_own ON {table};
        DROP POLICY partner_changes_own ON {table};
        DROP POLICY partner_removes_own ON {table};
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


def own_institution(child: str, column: str, parent: str) -> RunSQL:
    """Keep a row's institution equal to its parent's, by a foreign key over both columns.

    The parent needs a unique constraint on (id, institution_id).
    """
    name = f"{child}_{column}_own_institution"
    return RunSQL(
        f"ALTER TABLE {child} ADD CONSTRAINT {name} FOREIGN KEY ({column}, institution_id) "
        f"REFERENCES {parent} (id, institution_id);",
        f"ALTER TABLE {child} DROP CONSTRAINT {name};",
    )


def institution_key(table: str) -> RunSQL:
    """The parent side of ``own_institution``."""
    return RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_id_institution UNIQUE (id, institution_id);",
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_id_institution;",
    )


def checked_at_commit(table: str, *, topic: str, column: str) -> RunSQL:
    """Queue the distinct ids of each insert for a check of the whole set at commit.

    A constraint trigger cannot be statement-level and one per row is slow, so a statement
    trigger puts the touched ids into one row of ``daybook_guardqueue``, whose deferred
    trigger calls ``<topic>_check(bigint[])``.
    """
    function = f"{table}_queue_{topic}"
    return RunSQL(
        f"""
        CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public AS $$
        BEGIN
            INSERT INTO daybook_guardqueue (topic, ids)
            SELECT '{topic}', array_agg(DISTINCT {column} ORDER BY {column}) FROM new_rows
            HAVING count(*) > 0;
            RETURN NULL;
        END $$;
        CREATE TRIGGER {topic} AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION {function}();
        """,
        f"DROP TRIGGER {topic} ON {table}; DROP FUNCTION {function}();",
    )
