"""A partner's own session never writes what the foundation keeps about it: status, limits, ratios, roles, branches."""

from django.db import migrations

TABLES = [
    "partners_institution",
    "partners_institutionstatus",
    "partners_branch",
    "partners_exposurelimit",
    "partners_institutionratio",
    "partners_membership",
]
FUNCTION = """
CREATE FUNCTION partners_partner_writes_little() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'paikar_partner' THEN
        RAISE EXCEPTION '% on % refused: only the foundation writes here', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_writes_little';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("partners", "0002_guards")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION partners_partner_writes_little();"),
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION partners_partner_writes_little();",
                f"DROP TRIGGER partner_writes_little ON {table};",
            )
            for table in TABLES
        ],
    ]
