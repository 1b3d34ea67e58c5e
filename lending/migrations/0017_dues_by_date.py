"""Find the dues that come into the control totals on a day without reading all of them.

The expression is the one of the totals (repayments/services/close_totals.py): principal counts from its
effective date, everything else when it is effective and has fallen due.
"""

from django.db import migrations

INDEX = """
CREATE INDEX lending_due_counts_on ON lending_due
    ((CASE WHEN component = 4 THEN effective_date ELSE greatest(effective_date, late_date) END));
CREATE INDEX lending_schedule_beyond_loan ON lending_schedule (loan_id)
    WHERE capitalised_minor <> 0 OR added_minor <> 0 OR transferred_minor <> 0;
ALTER TABLE lending_due SET (autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_freeze_min_age = 1000000);
ALTER TABLE lending_standing SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);
"""
INDEX_REVERSE = """
ALTER TABLE lending_standing RESET (fillfactor, autovacuum_vacuum_scale_factor);
ALTER TABLE lending_due RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor,
    autovacuum_freeze_min_age);
DROP INDEX lending_schedule_beyond_loan;
DROP INDEX lending_due_counts_on;
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0016_penal_rate_guards")]

    operations = [migrations.RunSQL(INDEX, INDEX_REVERSE)]
