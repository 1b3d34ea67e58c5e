"""Corrections of rows by people, faults by code, and what may no longer change about an upload."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from daybook.guards import own_institution

GUARDS = """
-- Only the worker posts, and what was sent is never replaced by something else.
CREATE FUNCTION repayments_upload_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'change of what upload % brought refused', OLD.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'upload_content_is_kept';
END $$;
CREATE TRIGGER upload_content_is_kept
    BEFORE UPDATE OF content, content_sha256, institution_id, kind, made_by_id ON repayments_upload
    FOR EACH ROW EXECUTE FUNCTION repayments_upload_is_kept();

CREATE FUNCTION repayments_upload_stays_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'upload % is posted: take a receipt back with a mirror', OLD.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'upload_stays_posted';
END $$;
CREATE TRIGGER upload_stays_posted BEFORE UPDATE OF state ON repayments_upload
    FOR EACH ROW WHEN (OLD.state = 'posted') EXECUTE FUNCTION repayments_upload_stays_posted();

CREATE FUNCTION repayments_row_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.cells <> OLD.cells OR NEW.upload_id <> OLD.upload_id OR NEW.row_number <> OLD.row_number THEN
        RAISE EXCEPTION 'change of the raw cells of row % refused', OLD.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'upload_row_cells_are_kept';
    END IF;
    IF OLD.state = 'posted' THEN
        RAISE EXCEPTION 'row % is posted and stays as it is', OLD.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'upload_row_stays_posted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER upload_row_is_kept BEFORE UPDATE ON repayments_uploadrow
    FOR EACH ROW EXECUTE FUNCTION repayments_row_is_kept();

CREATE FUNCTION repayments_only_worker_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user IN ('paikar_partner', 'paikar_foundation') AND NEW.state = 'posted' THEN
        RAISE EXCEPTION 'posting from % refused: the worker posts', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'only_worker_posts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_worker_posts BEFORE INSERT OR UPDATE ON repayments_upload
    FOR EACH ROW EXECUTE FUNCTION repayments_only_worker_posts();
CREATE TRIGGER only_worker_posts BEFORE INSERT OR UPDATE ON repayments_uploadrow
    FOR EACH ROW EXECUTE FUNCTION repayments_only_worker_posts();
"""
GUARDS_REVERSE = """
DROP TRIGGER only_worker_posts ON repayments_uploadrow;
DROP TRIGGER only_worker_posts ON repayments_upload;
DROP FUNCTION repayments_only_worker_posts();
DROP TRIGGER upload_row_is_kept ON repayments_uploadrow;
DROP FUNCTION repayments_row_is_kept();
DROP TRIGGER upload_stays_posted ON repayments_upload;
DROP FUNCTION repayments_upload_stays_posted();
DROP TRIGGER upload_content_is_kept ON repayments_upload;
DROP FUNCTION repayments_upload_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("lending", "0003_guards"),
        ("repayments", "0004_close_exceptions_are_signed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="agreement",
            field=models.ForeignKey(
                blank=True,
                help_text="Under which the sub-loans of a disbursement list are opened.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="lending.agreement",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="upload",
            name="date_order",
            field=models.CharField(
                choices=[("dmy", "Day first (25/03/2026)"), ("mdy", "Month first (03/25/2026)")],
                default="dmy",
                help_text="How dates written in digits are read.",
                max_length=3,
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="received_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name="uploadrow",
            name="changed_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Who last corrected, resolved or discarded the row; does not confirm the upload.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="uploadrow",
            name="corrections",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Column letter → text put in its place by a person; loan → the loan a person chose.",
            ),
        ),
        migrations.AddField(
            model_name="uploadrow",
            name="fault",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Code and parameters of the reason (repayments.faults), to say it in the reader's language.",
            ),
        ),
        migrations.AddField(
            model_name="uploadrow",
            name="marks",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Column letter → what is the matter with the cell, e.g. formula.",
            ),
        ),
        migrations.AlterField(
            model_name="uploadrow",
            name="warnings",
            field=models.JSONField(
                blank=True, default=list, help_text="Each as a fault, with its column letter."
            ),
        ),
        own_institution("repayments_upload", "agreement_id", "lending_agreement"),
        migrations.RunSQL(GUARDS, GUARDS_REVERSE),
    ]
