"""The guard ``due_raised_once`` looks each new row up by its key, whatever the planner knows of the table.

As a join it could be planned as a walk through the whole table for every pair of rows, where statistics
were gathered while the table was empty: some thousand rows then took many minutes.
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION lending_due_raised_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad bigint;
BEGIN
    EXECUTE '%(query)s' INTO bad;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'row %% of lending_due refused: the same is raised already and stands', bad
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'due_raised_once', TABLE = 'lending_due';
    END IF;
    RETURN NULL;
END $$;
"""
# Counting keeps each lookup a plan of its own, by (loan, late date) and by mirror; EXISTS would be joined.
BY_KEY = """
        SELECT n.id FROM new_rows n
         WHERE n.mirror_of_id IS NULL
           AND n.booking_id <> (SELECT s.booking_id FROM lending_schedule s WHERE s.id = n.schedule_id)
           AND (SELECT count(*) FROM lending_due o
                 WHERE o.loan_id = n.loan_id AND o.late_date = n.late_date
                   AND o.instalment = n.instalment AND o.component = n.component
                   AND o.id <> n.id AND o.mirror_of_id IS NULL
                   AND (SELECT count(*) FROM lending_due m WHERE m.mirror_of_id = o.id) = 0) > 0
         LIMIT 1"""
JOINED = """
        SELECT n.id FROM new_rows n JOIN lending_schedule s ON s.id = n.schedule_id
         WHERE n.mirror_of_id IS NULL AND n.booking_id <> s.booking_id
           AND EXISTS (SELECT FROM lending_due o
                        WHERE o.loan_id = n.loan_id AND o.late_date = n.late_date
                          AND o.instalment = n.instalment AND o.component = n.component
                          AND o.id <> n.id AND o.mirror_of_id IS NULL
                          AND NOT EXISTS (SELECT FROM lending_due m WHERE m.mirror_of_id = o.id))
         LIMIT 1"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0018_clearer_does_not_disburse")]

    operations = [migrations.RunSQL(FUNCTION % {"query": BY_KEY}, FUNCTION % {"query": JOINED})]
