"""What a checker confirmed is what the worker posts; closes are not a partner's to write. docs/contributors/guards.md."""

from django.db import migrations

CLOSES = ["repayments_controltotal", "repayments_arrearssnapshot"]

UPLOADS = """
CREATE FUNCTION repayments_partner_upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'paikar_partner' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state = 'received' AND NEW.confirmed_by_id IS NULL AND NEW.booking_id IS NULL THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF (NEW.state = OLD.state
            OR (OLD.state = 'preview' AND NEW.state = 'confirmed')
            OR (OLD.state IN ('received', 'unreadable', 'preview', 'confirmed') AND NEW.state = 'discarded'))
            AND (OLD.state = 'preview' OR (NEW.confirmed_by_id IS NOT DISTINCT FROM OLD.confirmed_by_id
                AND NEW.accepts_warnings = OLD.accepts_warnings))
            AND NEW.booking_id IS NOT DISTINCT FROM OLD.booking_id THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% on an upload refused: not a step of the institution', TG_OP
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_keeps_to_its_steps';
END $$;
CREATE TRIGGER partner_keeps_to_its_steps BEFORE INSERT OR UPDATE OR DELETE ON repayments_upload
    FOR EACH ROW EXECUTE FUNCTION repayments_partner_upload();

-- A page changes rows of an upload that is open to people; afterwards only the worker does.
CREATE FUNCTION repayments_rows_of_open_upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user IN ('paikar_partner', 'paikar_foundation')
        AND EXISTS (SELECT FROM changed_rows n JOIN repayments_upload u ON u.id = n.upload_id
                     WHERE u.state <> 'preview') THEN
        RAISE EXCEPTION 'change of rows refused: the upload is not open'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'confirmed_rows_are_kept';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER confirmed_rows_are_kept AFTER UPDATE ON repayments_uploadrow
    REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT
    EXECUTE FUNCTION repayments_rows_of_open_upload();
CREATE TRIGGER partner_writes_little BEFORE INSERT OR DELETE ON repayments_uploadrow
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();

-- Who changed a row does not confirm the file.
CREATE FUNCTION repayments_corrector_is_not_checker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM repayments_uploadrow
                WHERE upload_id = NEW.id AND changed_by_id = NEW.confirmed_by_id) THEN
        RAISE EXCEPTION 'upload % refused: who confirms it changed rows of it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'upload_corrector_is_not_checker';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER upload_corrector_is_not_checker AFTER UPDATE OF confirmed_by_id ON repayments_upload
    FOR EACH ROW WHEN (NEW.confirmed_by_id IS NOT NULL)
    EXECUTE FUNCTION repayments_corrector_is_not_checker();
"""
UPLOADS_REVERSE = """
DROP TRIGGER upload_corrector_is_not_checker ON repayments_upload;
DROP FUNCTION repayments_corrector_is_not_checker();
DROP TRIGGER partner_writes_little ON repayments_uploadrow;
DROP TRIGGER confirmed_rows_are_kept ON repayments_uploadrow;
DROP FUNCTION repayments_rows_of_open_upload();
DROP TRIGGER partner_keeps_to_its_steps ON repayments_upload;
DROP FUNCTION repayments_partner_upload();
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0006_mirrors_are_exact"), ("lending", "0005_partner_writes_little")]

    operations = [
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();",
                f"DROP TRIGGER partner_writes_little ON {table};",
            )
            for table in CLOSES
        ],
        migrations.RunSQL(UPLOADS, UPLOADS_REVERSE),
    ]
