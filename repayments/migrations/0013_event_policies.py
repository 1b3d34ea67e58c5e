"""Limits of rescheduling and writing off as dated rows; names and amount of an event as text and figure."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0002_guards"),
        ("partners", "0004_partner_acts_as_itself"),
        ("repayments", "0012_close_requests"),
    ]

    operations = [
        migrations.AddField(
            model_name="loanevent",
            name="amount_minor",
            field=models.BigIntegerField(
                default=0,
                help_text="What it moves, in minor units: the approver's authority is measured against it.",
            ),
        ),
        migrations.AddField(
            model_name="loanevent",
            name="decided_by_name",
            field=models.CharField(blank=True, default="", max_length=160),
        ),
        migrations.AddField(
            model_name="loanevent",
            name="made_by_name",
            field=models.CharField(
                default="",
                help_text="Kept as text: a partner does not see the foundation's users.",
                max_length=160,
            ),
        ),
        migrations.CreateModel(
            name="ReschedulePolicy",
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
                    "event",
                    models.CharField(
                        choices=[("reschedule", "Rescheduling"), ("restructure", "Restructuring")],
                        max_length=12,
                    ),
                ),
                ("least", models.DecimalField(decimal_places=2, default=0, max_digits=19)),
                ("below", models.DecimalField(blank=True, decimal_places=2, max_digits=19, null=True)),
                ("times", models.PositiveSmallIntegerField(help_text="How often at most.")),
                (
                    "special_times",
                    models.PositiveSmallIntegerField(
                        help_text="How often at most as a special case, which the reason must argue."
                    ),
                ),
                (
                    "tenor_months",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        help_text="Longest term from the event, grace included, by time.",
                        size=None,
                    ),
                ),
                (
                    "down_payment_percent",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DecimalField(decimal_places=3, max_digits=6),
                        help_text="Of what is outstanding, by time.",
                        size=None,
                    ),
                ),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="daybook.booking"
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
                "verbose_name_plural": "reschedule policies",
                "ordering": ["tier", "applies_to", "from_date", "code"],
            },
        ),
        migrations.CreateModel(
            name="WriteOffPolicy",
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
                    "notice_days",
                    models.PositiveSmallIntegerField(default=0, help_text="Working days of notice."),
                ),
                (
                    "months_in_bad",
                    models.PositiveSmallIntegerField(default=0, help_text="Months in the class bad or loss."),
                ),
                ("is_partial_allowed", models.BooleanField(default=False)),
                (
                    "provision_percent",
                    models.DecimalField(
                        decimal_places=3, help_text="Of what is written off, held before it is.", max_digits=6
                    ),
                ),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="daybook.booking"
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
                "verbose_name_plural": "write-off policies",
                "ordering": ["tier", "applies_to", "from_date", "code"],
            },
        ),
        migrations.AddConstraint(
            model_name="reschedulepolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("proposed_by", models.F("approved_by")), _negated=True),
                name="reschedule_policy_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="reschedulepolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("special_times__gte", models.F("times"))),
                name="reschedule_policy_special_times_not_fewer",
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoffpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("proposed_by", models.F("approved_by")), _negated=True),
                name="write_off_policy_maker_is_not_checker",
            ),
        ),
    ]
