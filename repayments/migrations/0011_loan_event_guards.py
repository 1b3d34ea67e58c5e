"""Who may write an event, and what a snapshot tells beside its class. docs/contributors/guards.md explains it."""

from django.db import migrations

from daybook.guards import append_only, own_institution, row_security

CHILDREN = [
    ("repayments_loanevent", "loan_id", "lending_loan"),
    ("repayments_loaneventline", "loan_id", "lending_loan"),
    ("repayments_loaneventline", "receipt_id", "repayments_receipt"),
    ("repayments_loaneventline", "schedule_id", "lending_schedule"),
]
DECIDES = """
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON repayments_loanevent
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON repayments_loaneventline
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
"""
DECIDES_REVERSE = """
DROP TRIGGER partner_writes_little ON repayments_loanevent;
DROP TRIGGER partner_writes_little ON repayments_loaneventline;
"""
SNAPSHOT = """
ALTER TABLE repayments_arrearssnapshot
    ADD COLUMN written_off_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN rescheduled_count smallint NOT NULL DEFAULT 0,
    ADD COLUMN reported_class smallint NOT NULL DEFAULT -1,
    ADD COLUMN class_basis smallint NOT NULL DEFAULT 0;
"""
SNAPSHOT_REVERSE = """
ALTER TABLE repayments_arrearssnapshot
    DROP COLUMN written_off_minor, DROP COLUMN rescheduled_count,
    DROP COLUMN reported_class, DROP COLUMN class_basis;
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0010_loan_events"), ("lending", "0009_versions_add_up")]

    operations = [
        *[own_institution(child, column, parent) for child, column, parent in CHILDREN],
        row_security("repayments_loanevent"),
        row_security("repayments_loaneventline"),
        append_only("repayments_loaneventline"),
        migrations.RunSQL(DECIDES, DECIDES_REVERSE),
        migrations.RunSQL(SNAPSHOT, SNAPSHOT_REVERSE),
    ]
