"""A partner proposes events on its own sub-loans, and no more; what was decided is kept. docs/contributors/guards.md."""

from django.db import migrations

from daybook.guards import append_only

# Row-level security leaves a partner's session its own people and loans, so the subqueries know no others.
PROPOSES = """
DROP TRIGGER partner_writes_little ON repayments_loanevent;
CREATE FUNCTION repayments_partner_proposes_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'paikar_partner' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'INSERT' AND NEW.state = 'proposed' AND NEW.tier = 'subloan'
        AND NEW.decided_by_id IS NULL AND NEW.decided_by_name = '' AND NEW.decision_reason = ''
        AND NEW.booking_id IS NULL
        AND EXISTS (SELECT FROM partners_user WHERE id = NEW.made_by_id)
        AND EXISTS (SELECT FROM lending_loan WHERE id = NEW.loan_id AND tier = 'subloan') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' AND NEW.state = 'withdrawn'
        AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state'
        AND EXISTS (SELECT FROM partners_user WHERE id = OLD.made_by_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of an event refused: an institution proposes events on its sub-loans and withdraws its own',
        TG_OP
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_proposes_events';
END $$;
CREATE TRIGGER partner_proposes_events BEFORE INSERT OR UPDATE OR DELETE ON repayments_loanevent
    FOR EACH ROW EXECUTE FUNCTION repayments_partner_proposes_events();
"""
PROPOSES_REVERSE = """
DROP TRIGGER partner_proposes_events ON repayments_loanevent;
DROP FUNCTION repayments_partner_proposes_events();
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON repayments_loanevent
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
"""
KEPT = """
CREATE FUNCTION repayments_loan_event_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' AND NEW.kind = OLD.kind
        AND NEW.loan_id IS NOT DISTINCT FROM OLD.loan_id AND NEW.made_by_id = OLD.made_by_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of event % refused: a decided event is kept', TG_OP, OLD.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'loan_event_is_kept';
END $$;
CREATE TRIGGER loan_event_is_kept BEFORE UPDATE OR DELETE ON repayments_loanevent
    FOR EACH ROW EXECUTE FUNCTION repayments_loan_event_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0013_event_policies"), ("lending", "0013_cancellation_guards")]

    operations = [
        migrations.RunSQL(PROPOSES, PROPOSES_REVERSE),
        migrations.RunSQL(
            KEPT,
            "DROP TRIGGER loan_event_is_kept ON repayments_loanevent;"
            " DROP FUNCTION repayments_loan_event_is_kept();",
        ),
        append_only("repayments_reschedulepolicy"),
        append_only("repayments_writeoffpolicy"),
    ]
