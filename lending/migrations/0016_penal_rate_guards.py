"""Penal rates are decided once; what a close raises may be raised again after it was taken back.

docs/contributors/guards.md explains each guard.
"""

from django.db import migrations, models

from daybook.guards import own_institution, row_security

KEPT = """
CREATE FUNCTION lending_penal_rate_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE decided text[] := ARRAY['state', 'decided_by_id', 'decided_by_name', 'decision_reason', 'booking_id'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' AND to_jsonb(NEW) - decided = to_jsonb(OLD) - decided THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of a penal rate refused: it is decided once, as it was proposed', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'penal_rate_is_kept';
END $$;
CREATE TRIGGER penal_rate_is_kept BEFORE UPDATE OR DELETE ON lending_penalrate
    FOR EACH ROW EXECUTE FUNCTION lending_penal_rate_is_kept();
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON lending_penalrate
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
"""
KEPT_REVERSE = """
DROP TRIGGER penal_rate_is_kept ON lending_penalrate;
DROP TRIGGER partner_writes_little ON lending_penalrate;
DROP FUNCTION lending_penal_rate_is_kept();
"""
# A plan's own dues come with its booking, and the unique key holds them. What is raised later by another
# booking may be taken back and raised anew: then only one row of a key may stand at a time.
ONCE = """
CREATE FUNCTION lending_due_raised_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad bigint;
BEGIN
    EXECUTE 'SELECT n.id FROM new_rows n JOIN lending_schedule s ON s.id = n.schedule_id
        WHERE n.mirror_of_id IS NULL AND n.booking_id <> s.booking_id
          AND EXISTS (SELECT FROM lending_due o
                       WHERE o.loan_id = n.loan_id AND o.late_date = n.late_date
                         AND o.instalment = n.instalment AND o.component = n.component
                         AND o.id <> n.id AND o.mirror_of_id IS NULL
                         AND NOT EXISTS (SELECT FROM lending_due m WHERE m.mirror_of_id = o.id))
        LIMIT 1' INTO bad;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'row % of lending_due refused: the same is raised already and stands', bad
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'due_raised_once', TABLE = 'lending_due';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER due_raised_once AFTER INSERT ON lending_due REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lending_due_raised_once();
"""
ONCE_REVERSE = "DROP TRIGGER due_raised_once ON lending_due; DROP FUNCTION lending_due_raised_once();"


class Migration(migrations.Migration):
    dependencies = [("lending", "0015_penal_rates")]

    operations = [
        own_institution("lending_penalrate", "agreement_id", "lending_agreement"),
        row_security("lending_penalrate"),
        migrations.RunSQL(KEPT, KEPT_REVERSE),
        migrations.RemoveConstraint(model_name="due", name="due_once_in_version"),
        migrations.AddConstraint(
            model_name="due",
            constraint=models.UniqueConstraint(
                condition=models.Q(("mirror_of__isnull", True)),
                fields=("schedule", "instalment", "component", "late_date", "booking"),
                name="due_once_in_version",
            ),
        ),
        migrations.RunSQL(ONCE, ONCE_REVERSE),
    ]
