"""A proposed receipt or reversal is decided once, as it was proposed and by whom. docs/contributors/guards.md."""

from django.db import migrations

# Only a receipt's own number comes with the decision; a reversal names its receipt from the beginning.
KEPT = """
CREATE FUNCTION repayments_receipt_proposal_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE allowed text[] := ARRAY['state', 'decided_by_id', 'decided_at', 'decision_reason', 'booking_id'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.kind = 'post' THEN
        allowed := allowed || 'receipt_id'::text;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed'
        AND to_jsonb(NEW) - allowed = to_jsonb(OLD) - allowed THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of proposal % refused: what was proposed or decided stays', TG_OP, OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_proposal_is_kept';
END $$;
CREATE TRIGGER receipt_proposal_is_kept BEFORE UPDATE OR DELETE ON repayments_receiptproposal
    FOR EACH ROW EXECUTE FUNCTION repayments_receipt_proposal_is_kept();
"""
KEPT_REVERSE = """
DROP TRIGGER receipt_proposal_is_kept ON repayments_receiptproposal;
DROP FUNCTION repayments_receipt_proposal_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0022_partner_removes_no_event")]

    operations = [migrations.RunSQL(KEPT, KEPT_REVERSE)]
