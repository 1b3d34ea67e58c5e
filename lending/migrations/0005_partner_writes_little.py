"""What a partner's own session may never write, whatever a page lets through: the foundation's and the bank's books."""

from django.db import migrations

TABLES = [
    "lending_agreement",
    "lending_allotment",
    "lending_facility",
    "lending_standing",
    "lending_trancheline",
    "lending_loan",
    "lending_loanidentifier",
    "lending_loanprofile",
    "lending_funding",
    "lending_schedule",
    "lending_due",
]
FUNCTION = """
CREATE FUNCTION lending_partner_writes_little() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'paikar_partner' THEN
        RAISE EXCEPTION '% on % refused: only the foundation, or the worker that posts a file, writes here',
            TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_writes_little';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0004_numbers")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION lending_partner_writes_little();"),
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();",
                f"DROP TRIGGER partner_writes_little ON {table};",
            )
            for table in TABLES
        ],
    ]
