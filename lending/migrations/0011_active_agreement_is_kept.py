"""What was approved is not edited: agreements, allotments, facilities. docs/contributors/guards.md explains it."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION lending_active_agreement_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - ARRAY['state', 'ended_date'] = to_jsonb(OLD) - ARRAY['state', 'ended_date']
        AND ((NEW.state = OLD.state AND NEW.ended_date IS NOT DISTINCT FROM OLD.ended_date)
             OR (OLD.state = 'active' AND NEW.state = 'ended')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of agreement % refused: it was approved, its terms change by a new agreement only',
        TG_OP, OLD.number
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'active_agreement_is_kept';
END $$;
CREATE TRIGGER active_agreement_is_kept BEFORE UPDATE OR DELETE ON lending_agreement
    FOR EACH ROW EXECUTE FUNCTION lending_active_agreement_is_kept();

-- An allotment or a facility may be shortened; all else about it stays as it was decided.
CREATE FUNCTION lending_decided_amount_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last_day text := TG_ARGV[0];
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - last_day = to_jsonb(OLD) - last_day
        AND (to_jsonb(NEW) ->> last_day)::date <= (to_jsonb(OLD) ->> last_day)::date THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % refused: what was decided is kept', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'decided_amount_is_kept';
END $$;
CREATE TRIGGER decided_amount_is_kept BEFORE UPDATE OR DELETE ON lending_allotment
    FOR EACH ROW EXECUTE FUNCTION lending_decided_amount_is_kept('to_date');
CREATE TRIGGER decided_amount_is_kept BEFORE UPDATE OR DELETE ON lending_facility
    FOR EACH ROW EXECUTE FUNCTION lending_decided_amount_is_kept('expires_date');

-- A proposal is decided once.
CREATE FUNCTION lending_proposal_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE decided text[] := ARRAY['state', 'decided_by_id', 'decided_date', 'decision_reason', 'booking_id'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' AND to_jsonb(NEW) - decided = to_jsonb(OLD) - decided THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of proposal % refused: it is decided once, as it was made', TG_OP, OLD.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'proposal_is_kept';
END $$;
CREATE TRIGGER proposal_is_kept BEFORE UPDATE OR DELETE ON lending_proposal
    FOR EACH ROW EXECUTE FUNCTION lending_proposal_is_kept();
"""
BACKWARD = """
DROP TRIGGER proposal_is_kept ON lending_proposal;
DROP FUNCTION lending_proposal_is_kept();
DROP TRIGGER decided_amount_is_kept ON lending_facility;
DROP TRIGGER decided_amount_is_kept ON lending_allotment;
DROP FUNCTION lending_decided_amount_is_kept();
DROP TRIGGER active_agreement_is_kept ON lending_agreement;
DROP FUNCTION lending_active_agreement_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0010_terms_kept_and_proposed")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
