"""What the database enforces about report runs."""

from django.db import migrations

from daybook.guards import row_security


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial"), ("repayments", "0002_guards")]

    operations = [row_security("reports_reportrun"), row_security("reports_reportpart")]
