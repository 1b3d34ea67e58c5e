"""Month ends in a table of their own, whole months of snapshots dropped, and long tables kept in shape.

docs/operators/growing.md explains the storage settings, docs/contributors/guards.md the guards.
"""

from django.db import migrations

from daybook.guards import append_only, row_security

MONTH_ENDS = """
CREATE TABLE repayments_monthendsnapshot (LIKE repayments_arrearssnapshot INCLUDING ALL);

-- Months are dropped whole, never row by row, and only once their last close stands among the month ends.
CREATE FUNCTION repayments_drop_snapshots(day date) RETURNS date LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    next_month date := (first + interval '1 month')::date;
    part text := to_char(first, '"repayments_arrearssnapshot_"YYYY_MM');
    month_end date;
BEGIN
    PERFORM pg_advisory_xact_lock(7250003);
    IF to_regclass(part) IS NULL THEN
        RETURN NULL;
    END IF;
    IF next_month + interval '3 months' > (SELECT max(date) FROM daybook_businessday WHERE state = 'open') THEN
        RAISE EXCEPTION 'snapshots of % refused to be dropped: the last three months are kept', to_char(first, 'Mon YYYY')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recent_snapshots_are_kept';
    END IF;
    SELECT max(business_date) INTO month_end FROM repayments_dayrun
     WHERE state IN ('closed', 'exceptions') AND business_date >= first AND business_date < next_month;
    INSERT INTO repayments_monthendsnapshot SELECT * FROM repayments_arrearssnapshot WHERE business_date = month_end;
    UPDATE repayments_dayrun SET kept = CASE WHEN business_date = month_end THEN 'month_end' ELSE 'dropped' END
     WHERE business_date >= first AND business_date < next_month;
    EXECUTE format('DROP TABLE %I', part);
    RETURN month_end;
END $$;
"""
MONTH_ENDS_REVERSE = """
DROP FUNCTION repayments_drop_snapshots(date);
DROP TABLE repayments_monthendsnapshot;
"""

WORKER_ONLY = """
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON repayments_standingbase
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON repayments_monthendsnapshot
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
"""
WORKER_ONLY_REVERSE = """
DROP TRIGGER partner_writes_little ON repayments_standingbase;
DROP TRIGGER partner_writes_little ON repayments_monthendsnapshot;
"""

# Facts only grow: a vacuum after each percent or two of new rows keeps the visibility map full, so that a
# close reads settlements from their index alone, and freezes rows while they are still in memory.
# Rows that change in place (leases, states) get room on their page, so that no index is touched.
SHAPE = """
ALTER TABLE repayments_allocation SET (autovacuum_vacuum_insert_scale_factor = 0.01,
    autovacuum_vacuum_insert_threshold = 100000, autovacuum_analyze_scale_factor = 0.02,
    autovacuum_freeze_min_age = 1000000);
ALTER TABLE repayments_receipt SET (autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_freeze_min_age = 1000000);
ALTER TABLE repayments_uploadrow SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE repayments_dayrunslice SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.1);
ALTER TABLE repayments_dayrun SET (fillfactor = 70);
"""
SHAPE_REVERSE = """
ALTER TABLE repayments_allocation RESET (autovacuum_vacuum_insert_scale_factor,
    autovacuum_vacuum_insert_threshold, autovacuum_analyze_scale_factor, autovacuum_freeze_min_age);
ALTER TABLE repayments_receipt RESET (autovacuum_vacuum_insert_scale_factor,
    autovacuum_analyze_scale_factor, autovacuum_freeze_min_age);
ALTER TABLE repayments_uploadrow RESET (fillfactor, autovacuum_vacuum_scale_factor);
ALTER TABLE repayments_dayrunslice RESET (fillfactor, autovacuum_vacuum_scale_factor);
ALTER TABLE repayments_dayrun RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0018_a_million_loans")]

    operations = [
        migrations.RunSQL(MONTH_ENDS, MONTH_ENDS_REVERSE),
        row_security("repayments_monthendsnapshot"),
        append_only("repayments_monthendsnapshot"),
        row_security("repayments_standingbase"),
        migrations.RunSQL(WORKER_ONLY, WORKER_ONLY_REVERSE),
        migrations.RunSQL(SHAPE, SHAPE_REVERSE),
    ]
