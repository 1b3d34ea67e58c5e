"""A partner's session writes only its own steps, and what was decided or sent stays. docs/contributors/guards.md."""

from django.db import migrations

# Written by the worker that opens a file's sub-loans; security lowers provision, so a partner never adds it.
TABLES = [
    "lending_person",
    "lending_enterprise",
    "lending_ownership",
    "lending_loanparty",
    "lending_security",
]

STEPS = """
-- Whose columns a partner's session may write, and from which state.
CREATE FUNCTION lending_partner_application() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE allowed text[] := ARRAY['state']; states text[] := ARRAY['withdrawn'];
BEGIN
    IF current_user <> 'paikar_partner' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state = 'draft' AND NEW.submitted_by_id IS NULL AND NEW.appraised_by_id IS NULL
            AND NEW.decided_by_id IS NULL AND NEW.recommended_amount IS NULL THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.state IN ('draft', 'returned') THEN
            allowed := ARRAY['state', 'amount', 'amount_currency', 'purpose', 'submitted_by_id'];
            IF NEW.recommended_amount IS NULL THEN  -- what an earlier round said no longer counts
                allowed := allowed || ARRAY['recommended_amount', 'recommended_amount_currency'];
            END IF;
            IF NEW.appraised_by_id IS NULL THEN
                allowed := allowed || ARRAY['appraised_by_id'];
            END IF;
            states := ARRAY['draft', 'returned', 'submitted', 'withdrawn'];
        END IF;
        IF OLD.state IN ('draft', 'returned', 'submitted', 'appraised')
            AND (NEW.state = ANY (states) OR NEW.state = OLD.state)
            AND to_jsonb(NEW) - allowed = to_jsonb(OLD) - allowed THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% on an application refused: not a step of the institution', TG_OP
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_keeps_to_its_steps';
END $$;
CREATE TRIGGER partner_keeps_to_its_steps BEFORE INSERT OR UPDATE OR DELETE ON lending_application
    FOR EACH ROW EXECUTE FUNCTION lending_partner_application();

CREATE FUNCTION lending_partner_tranche() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'paikar_partner' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state = 'requested' AND NEW.approved_amount IS NULL AND NEW.value_date IS NULL
            AND NEW.booking_id IS NULL
            AND num_nonnulls(NEW.cleared_by_id, NEW.approved_by_id, NEW.disbursed_by_id) = 0 THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.state IN ('requested', 'cleared', 'approved') AND NEW.state IN (OLD.state, 'cancelled')
            AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% on a tranche refused: not a step of the institution', TG_OP
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_keeps_to_its_steps';
END $$;
CREATE TRIGGER partner_keeps_to_its_steps BEFORE INSERT OR UPDATE OR DELETE ON lending_tranche
    FOR EACH ROW EXECUTE FUNCTION lending_partner_tranche();

-- A partner's session leaves decisions of its own people only, and never one that the foundation takes.
CREATE FUNCTION lending_partner_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'paikar_partner' AND NOT (
        NEW.outcome IN ('done', 'cancelled')
        AND NEW.step IN ('draft', 'change', 'list', 'submit', 'withdraw', 'request', 'cancel')
        AND NEW.agreement_id IS NULL
        AND EXISTS (SELECT FROM partners_user WHERE id = NEW.by_id)
    ) THEN
        RAISE EXCEPTION 'decision % (%) refused: not a step of the institution', NEW.step, NEW.outcome
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_keeps_to_its_steps';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER partner_keeps_to_its_steps BEFORE INSERT ON lending_decision
    FOR EACH ROW EXECUTE FUNCTION lending_partner_decision();

-- The list the foundation decides on is the list that was submitted, whoever asks.
CREATE FUNCTION lending_lines_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows n JOIN lending_application a ON a.id = n.application_id
                WHERE a.state NOT IN ('draft', 'returned')) THEN
        RAISE EXCEPTION '% of listed borrowers refused: the application was submitted', TG_OP
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'submitted_list_is_kept';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER submitted_list_is_kept_insert AFTER INSERT ON lending_applicationline
    REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION lending_lines_are_kept();
CREATE TRIGGER submitted_list_is_kept_update AFTER UPDATE ON lending_applicationline
    REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION lending_lines_are_kept();
CREATE TRIGGER submitted_list_is_kept_delete AFTER DELETE ON lending_applicationline
    REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION lending_lines_are_kept();

-- Nobody reopens what is settled: a second approval or disbursement would count money twice.
CREATE FUNCTION lending_settled_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
        RAISE EXCEPTION 'change of % % refused: it is %', TG_TABLE_NAME, OLD.id, OLD.state
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'settled_stays';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER settled_stays AFTER UPDATE ON lending_application
    FOR EACH ROW WHEN (OLD.state IN ('approved', 'rejected', 'withdrawn'))
    EXECUTE FUNCTION lending_settled_stays();
CREATE TRIGGER settled_stays AFTER UPDATE ON lending_tranche
    FOR EACH ROW WHEN (OLD.state IN ('disbursed', 'cancelled')) EXECUTE FUNCTION lending_settled_stays();
"""
STEPS_REVERSE = """
DROP TRIGGER settled_stays ON lending_tranche;
DROP TRIGGER settled_stays ON lending_application;
DROP FUNCTION lending_settled_stays();
DROP TRIGGER submitted_list_is_kept_delete ON lending_applicationline;
DROP TRIGGER submitted_list_is_kept_update ON lending_applicationline;
DROP TRIGGER submitted_list_is_kept_insert ON lending_applicationline;
DROP FUNCTION lending_lines_are_kept();
DROP TRIGGER partner_keeps_to_its_steps ON lending_decision;
DROP FUNCTION lending_partner_decision();
DROP TRIGGER partner_keeps_to_its_steps ON lending_tranche;
DROP FUNCTION lending_partner_tranche();
DROP TRIGGER partner_keeps_to_its_steps ON lending_application;
DROP FUNCTION lending_partner_application();
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0005_partner_writes_little")]

    operations = [
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();",
                f"DROP TRIGGER partner_writes_little ON {table};",
            )
            for table in TABLES
        ],
        migrations.RunSQL(STEPS, STEPS_REVERSE),
    ]
