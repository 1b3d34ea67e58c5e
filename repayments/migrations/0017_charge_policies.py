"""Limits of penal interest and of a fee for settling early, as dated policies."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from daybook.guards import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0003_heartbeats_and_notices"),
        ("repayments", "0016_judgements_and_returns_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChargePolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=24, unique=True)),
                ("reference", models.CharField(help_text="Circular or decision.", max_length=120)),
                (
                    "tier",
                    models.CharField(
                        choices=[("wholesale", "Wholesale"), ("subloan", "Sub-loan")], max_length=9
                    ),
                ),
                (
                    "applies_to",
                    models.CharField(
                        choices=[
                            ("bank", "Banks"),
                            ("finance_company", "Finance companies"),
                            ("any", "Any institution"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "scope",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10),
                        blank=True,
                        default=list,
                        help_text="Size tiers; empty for all.",
                        size=None,
                    ),
                ),
                ("from_date", models.DateField()),
                ("to_date", models.DateField(blank=True, null=True)),
                ("confidence", models.CharField(max_length=1)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("penal_cap", "Penal interest, at most"),
                            ("early_fee", "Fee for settling early, at most"),
                        ],
                        max_length=9,
                    ),
                ),
                ("percent", models.DecimalField(decimal_places=3, max_digits=6)),
                (
                    "approved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="daybook.booking",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "charge policies",
                "ordering": ["kind", "tier", "applies_to", "from_date", "code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", 0)), name="charge_policy_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("proposed_by", models.F("approved_by")), _negated=True),
                        name="charge_policy_maker_is_not_checker",
                    ),
                ],
            },
        ),
        append_only("repayments_chargepolicy"),
    ]
