"""A close counts loans without a policy, its exceptions are signed, and snapshots hold all that is due.

Charges and penal interest fallen due stand beside interest fallen due, so that the control totals
of every component close on the snapshots.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

SNAPSHOT = """
ALTER TABLE repayments_arrearssnapshot ADD COLUMN charge_due_minor bigint NOT NULL;
ALTER TABLE repayments_arrearssnapshot ADD COLUMN penal_due_minor bigint NOT NULL;
"""
SNAPSHOT_REVERSE = """
ALTER TABLE repayments_arrearssnapshot DROP COLUMN charge_due_minor;
ALTER TABLE repayments_arrearssnapshot DROP COLUMN penal_due_minor;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("repayments", "0003_lock_loans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(SNAPSHOT, SNAPSHOT_REVERSE),
        migrations.AddField(
            "dayrun",
            "without_policy_count",
            models.PositiveIntegerField(
                default=0, help_text="Loans computed, but with no policy for their class or provision."
            ),
        ),
        migrations.AddField("dayrunslice", "without_policy_count", models.PositiveIntegerField(default=0)),
        migrations.AddField(
            "dayrun",
            "signed_by",
            models.ForeignKey(
                blank=True,
                help_text="Who took note of the exceptions.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("dayrun", "signed_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("dayrun", "signed_reason", models.TextField(blank=True)),
        migrations.AddConstraint(
            "dayrun",
            models.CheckConstraint(
                condition=Q(signed_by__isnull=True, signed_at__isnull=True)
                | (
                    Q(state="exceptions", signed_by__isnull=False, signed_at__isnull=False)
                    & ~Q(signed_reason="")
                ),
                name="day_run_signed_in_full",
            ),
        ),
    ]
