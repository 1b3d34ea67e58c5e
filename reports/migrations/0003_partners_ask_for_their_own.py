"""The worker sees every institution; a partner's session may ask it for statements of its own loans only.

docs/contributors/guards.md.
"""

from django.db import migrations

# Runs as its caller: row-level security leaves the partner its own loans, so what it does not see is not its own.
ASKS = """
CREATE FUNCTION reports_partner_asks_for_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'paikar_partner' OR NEW.work = 'done' THEN
        RETURN NEW;
    END IF;
    IF NEW.name <> 'loan_statements' OR EXISTS (
        SELECT FROM jsonb_array_elements_text(NEW.parameters -> 'loans') AS asked(loan)
         WHERE NOT EXISTS (SELECT FROM lending_loan l WHERE l.id = asked.loan::bigint)
    ) THEN
        RAISE EXCEPTION 'run % refused: only statements of the institution''s own loans', NEW.name
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_asks_for_its_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER partner_asks_for_its_own BEFORE INSERT OR UPDATE ON reports_reportrun
    FOR EACH ROW EXECUTE FUNCTION reports_partner_asks_for_its_own();
"""
ASKS_REVERSE = """
DROP TRIGGER partner_asks_for_its_own ON reports_reportrun;
DROP FUNCTION reports_partner_asks_for_its_own();
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_guards"), ("repayments", "0023_receipt_proposals_are_kept")]

    operations = [migrations.RunSQL(ASKS, ASKS_REVERSE)]
