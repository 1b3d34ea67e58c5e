"""A mirror is the exact opposite of its row, and a partner's session writes no money. docs/contributors/guards.md."""

from django.db import migrations

# (table, columns a mirror shares with the row it takes back)
MIRRORED = [
    ("repayments_receipt", ["loan_id", "tier", "value_date", "external_reference"]),
    (
        "repayments_allocation",
        ["loan_id", "receipt_id", "source", "instalment", "component", "value_date"],
    ),
]
MONEY = ["repayments_receipt", "repayments_allocation", "repayments_receiptproposal"]


def mirror_is_exact(table: str, same: list[str]) -> migrations.RunSQL:
    function = f"{table}_mirror_is_exact"
    shared = " AND ".join(f"n.{column} IS NOT DISTINCT FROM o.{column}" for column in same)
    return migrations.RunSQL(
        f"""
        CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public AS $$
        DECLARE bad bigint;
        BEGIN
            SELECT n.id INTO bad FROM new_rows n JOIN {table} o ON o.id = n.mirror_of_id
             WHERE NOT ({shared} AND n.amount_minor = -o.amount_minor AND o.mirror_of_id IS NULL) LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'row % of % refused: it is not the exact opposite of the row it takes back',
                    bad, TG_TABLE_NAME
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'mirror_is_exact', TABLE = TG_TABLE_NAME;
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER mirror_is_exact AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION {function}();
        """,
        f"DROP TRIGGER mirror_is_exact ON {table}; DROP FUNCTION {function}();",
    )


class Migration(migrations.Migration):
    dependencies = [("repayments", "0005_upload_corrections"), ("lending", "0005_partner_writes_little")]

    operations = [
        *[mirror_is_exact(table, same) for table, same in MIRRORED],
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();",
                f"DROP TRIGGER partner_writes_little ON {table};",
            )
            for table in MONEY
        ],
    ]
