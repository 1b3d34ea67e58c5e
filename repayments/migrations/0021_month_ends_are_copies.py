"""A month end is written by the function that drops the month, and by nobody's login."""

from django.db import migrations

GUARD = """
CREATE FUNCTION repayments_month_end_is_copied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user IN ('paikar_worker', 'paikar_foundation', 'paikar_partner', 'paikar_web') THEN
        RAISE EXCEPTION 'a month end is a copy of its last close, made when the month is dropped'
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'month_end_is_copied';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER month_end_is_copied BEFORE INSERT ON repayments_monthendsnapshot
    FOR EACH STATEMENT EXECUTE FUNCTION repayments_month_end_is_copied();
"""
GUARD_REVERSE = """
DROP TRIGGER month_end_is_copied ON repayments_monthendsnapshot;
DROP FUNCTION repayments_month_end_is_copied();
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0020_month_ends")]

    operations = [migrations.RunSQL(GUARD, GUARD_REVERSE)]
