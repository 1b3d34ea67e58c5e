"""A facility's cancelled part cannot be drawn; what was decided stays; loans are locked before a new plan.

docs/contributors/guards.md explains each guard.
"""

from django.db import migrations

from daybook.guards import own_institution, row_security

LIMITS = """
-- What tranches draw and what was given up stay within the facility; facilities less what was given up
-- within the allotment; allotments within the agreement.
CREATE OR REPLACE FUNCTION lending_within_limits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE limit_amount numeric; used numeric; what text; facility bigint;
BEGIN
    IF TG_TABLE_NAME IN ('lending_tranche', 'lending_facilitycancellation') THEN
        facility := NEW.facility_id;
        SELECT amount INTO limit_amount FROM lending_facility WHERE id = facility FOR NO KEY UPDATE;
        SELECT coalesce(sum(coalesce(approved_amount, requested_amount)), 0) INTO used
          FROM lending_tranche WHERE facility_id = facility AND state <> 'cancelled';
        SELECT used + coalesce(sum(amount), 0) INTO used
          FROM lending_facilitycancellation WHERE facility_id = facility AND state = 'approved';
        what := 'tranches and cancelled parts of facility ' || facility;
    ELSIF TG_TABLE_NAME = 'lending_facility' THEN
        SELECT amount INTO limit_amount FROM lending_allotment WHERE id = NEW.allotment_id FOR NO KEY UPDATE;
        SELECT coalesce(sum(amount), 0) INTO used FROM lending_facility WHERE allotment_id = NEW.allotment_id;
        SELECT used - coalesce(sum(c.amount), 0) INTO used
          FROM lending_facilitycancellation c JOIN lending_facility f ON f.id = c.facility_id
         WHERE f.allotment_id = NEW.allotment_id AND c.state = 'approved';
        what := 'facilities under allotment ' || NEW.allotment_id;
    ELSE
        SELECT a."limit" INTO limit_amount FROM lending_agreement a WHERE id = NEW.agreement_id FOR NO KEY UPDATE;
        SELECT coalesce(sum(amount), 0) INTO used FROM lending_allotment WHERE agreement_id = NEW.agreement_id;
        what := 'allotments of agreement ' || NEW.agreement_id;
    END IF;
    IF used > limit_amount THEN
        RAISE EXCEPTION '% come to %, over their limit of %', what, used, limit_amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'within_limits';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER within_limits AFTER INSERT OR UPDATE ON lending_facilitycancellation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lending_within_limits();
"""
KEPT = """
CREATE FUNCTION lending_cancellation_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE decided text[] := ARRAY['state', 'decided_by_id', 'decided_by_name', 'decision_reason', 'booking_id'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' AND to_jsonb(NEW) - decided = to_jsonb(OLD) - decided THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of a cancelled part refused: what was asked and what was decided is kept', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'cancellation_is_kept';
END $$;
CREATE TRIGGER cancellation_is_kept BEFORE UPDATE OR DELETE ON lending_facilitycancellation
    FOR EACH ROW EXECUTE FUNCTION lending_cancellation_is_kept();
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON lending_facilitycancellation
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
"""
# Row locks need the right to UPDATE, which nobody has on append-only loans; so the owner takes them, in id order.
LOCK = """
CREATE FUNCTION lending_lock_loans(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
BEGIN
    PERFORM FROM lending_loan WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0012_facility_cancellation")]

    operations = [
        own_institution("lending_facilitycancellation", "facility_id", "lending_facility"),
        row_security("lending_facilitycancellation"),
        migrations.RunSQL(LIMITS, "DROP TRIGGER within_limits ON lending_facilitycancellation;"),
        migrations.RunSQL(
            KEPT,
            "DROP TRIGGER cancellation_is_kept ON lending_facilitycancellation;"
            " DROP TRIGGER partner_writes_little ON lending_facilitycancellation;"
            " DROP FUNCTION lending_cancellation_is_kept();",
        ),
        migrations.RunSQL(LOCK, "DROP FUNCTION lending_lock_loans(bigint[]);"),
    ]
