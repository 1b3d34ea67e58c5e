"""A partner's session removes no event, whether there is one or not. docs/contributors/guards.md."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("repayments", "0021_month_ends_are_copies")]

    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER partner_writes_little BEFORE DELETE ON repayments_loanevent "
            "FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();",
            "DROP TRIGGER partner_writes_little ON repayments_loanevent;",
        ),
    ]
