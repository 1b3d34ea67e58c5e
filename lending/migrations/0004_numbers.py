"""Where the numbers people quote come from, one sequence each: WL-000001, SL-000001, APP-, FAC-, TR-, AGR-."""

from django.db import migrations

KINDS = ["wholesale", "subloan", "application", "facility", "tranche", "agreement"]


class Migration(migrations.Migration):
    dependencies = [("lending", "0003_guards")]

    operations = [
        migrations.RunSQL(f"CREATE SEQUENCE lending_number_{kind};", f"DROP SEQUENCE lending_number_{kind};")
        for kind in KINDS
    ]
