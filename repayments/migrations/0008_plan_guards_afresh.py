"""Plan the checks of the guards for what they check. docs/contributors/guards.md explains it.

A function keeps its plans for the session. Planned when the tables were nearly empty, a check would go on
reading them from end to end for each row when they have grown.
"""

from django.db import migrations

CHECKS = ["repayments_settlement_check(bigint[])", "lending_plan_check(bigint[])"]
MIRRORED = [
    ("repayments_receipt", ["loan_id", "tier", "value_date", "external_reference"]),
    (
        "repayments_allocation",
        ["loan_id", "receipt_id", "source", "instalment", "component", "value_date"],
    ),
]


def planned_afresh(table: str, same: list[str]) -> migrations.RunSQL:
    """The same check of mirrors, its query planned at each run (it has no parameter to plan for)."""
    shared = " AND ".join(f"n.{column} IS NOT DISTINCT FROM o.{column}" for column in same)
    return migrations.RunSQL(
        f"""
        CREATE OR REPLACE FUNCTION {table}_mirror_is_exact() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public AS $$
        DECLARE bad bigint;
        BEGIN
            EXECUTE 'SELECT n.id FROM new_rows n JOIN {table} o ON o.id = n.mirror_of_id
                WHERE n.mirror_of_id IS NOT NULL
                  AND NOT ({shared} AND n.amount_minor = -o.amount_minor AND o.mirror_of_id IS NULL) LIMIT 1'
                INTO bad;
            IF bad IS NOT NULL THEN
                RAISE EXCEPTION 'row % of % refused: it is not the exact opposite of the row it takes back',
                    bad, TG_TABLE_NAME
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'mirror_is_exact', TABLE = TG_TABLE_NAME;
            END IF;
            RETURN NULL;
        END $$;
        """,
        migrations.RunSQL.noop,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("repayments", "0007_confirmed_uploads_are_kept"),
        ("lending", "0005_partner_writes_little"),
    ]

    operations = [
        *[
            migrations.RunSQL(
                f"ALTER FUNCTION {check} SET plan_cache_mode = force_custom_plan;",
                f"ALTER FUNCTION {check} RESET plan_cache_mode;",
            )
            for check in CHECKS
        ],
        *[planned_afresh(table, same) for table, same in MIRRORED],
    ]
