"""Events of a running loan, and who proposed and decided them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0002_guards"),
        ("lending", "0008_terms_and_versions"),
        ("partners", "0004_partner_acts_as_itself"),
        ("repayments", "0009_lighter_long_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LoanEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("prepayment", "Part-prepayment"),
                            ("settlement", "Full settlement"),
                            ("reschedule", "Rescheduling"),
                            ("restructure", "Restructuring"),
                            ("moratorium", "Moratorium"),
                            ("rate_change", "Change of rate"),
                            ("write_off", "Write-off"),
                            ("waiver", "Waiver"),
                            ("refund", "Refund of an advance"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("approved", "Approved and booked"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[("wholesale", "Wholesale"), ("subloan", "Sub-loan")], max_length=9
                    ),
                ),
                ("effective_date", models.DateField()),
                (
                    "valid_until",
                    models.DateField(
                        blank=True, help_text="Last day a settlement quotation holds.", null=True
                    ),
                ),
                ("parameters", models.JSONField(default=dict)),
                ("preview", models.JSONField(default=dict)),
                ("preview_digest", models.CharField(blank=True, max_length=64)),
                ("reason", models.TextField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision_reason", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="LoanEventLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "amount_minor",
                    models.BigIntegerField(
                        default=0, help_text="Prepaid, waived, written off or refunded, in minor units."
                    ),
                ),
            ],
            options={
                "ordering": ["event_id", "loan_id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="allocation",
            name="allocation_component_known",
        ),
        migrations.RemoveConstraint(
            model_name="allocation",
            name="allocation_advance_has_no_instalment",
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(("component__in", [1, 2, 3, 4, 6, 7, 8, 9])),
                name="allocation_component_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("component__in", [6, 7, 8, 9]), ("instalment", 0)),
                    models.Q(("component__lt", 6), ("instalment__gt", 0)),
                    _connector="OR",
                ),
                name="allocation_advance_has_no_instalment",
            ),
        ),
        migrations.AddField(
            model_name="loanevent",
            name="booking",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="daybook.booking",
            ),
        ),
        migrations.AddField(
            model_name="loanevent",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="loanevent",
            name="institution",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: loans of several institutions.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="partners.institution",
            ),
        ),
        migrations.AddField(
            model_name="loanevent",
            name="loan",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: every loan of a scope, as its lines name them.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="lending.loan",
            ),
        ),
        migrations.AddField(
            model_name="loanevent",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="loaneventline",
            name="event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="repayments.loanevent"
            ),
        ),
        migrations.AddField(
            model_name="loaneventline",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="partners.institution"
            ),
        ),
        migrations.AddField(
            model_name="loaneventline",
            name="loan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="event_lines", to="lending.loan"
            ),
        ),
        migrations.AddField(
            model_name="loaneventline",
            name="receipt",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="repayments.receipt",
            ),
        ),
        migrations.AddField(
            model_name="loaneventline",
            name="schedule",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="lending.schedule",
            ),
        ),
        migrations.AddIndex(
            model_name="loanevent",
            index=models.Index(fields=["loan", "state"], name="repayments__loan_id_6cd79e_idx"),
        ),
        migrations.AddConstraint(
            model_name="loanevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="loan_event_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="loanevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="loan_event_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="loanevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_by__isnull", True), ("state__in", ["proposed", "withdrawn"])),
                    models.Q(("decided_by__isnull", False), ("state__in", ["approved", "rejected"])),
                    _connector="OR",
                ),
                name="loan_event_decided_by_someone",
            ),
        ),
        migrations.AddConstraint(
            model_name="loanevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "approved"), _negated=True),
                    ("booking__isnull", False),
                    _connector="OR",
                ),
                name="loan_event_approved_is_booked",
            ),
        ),
        migrations.AddConstraint(
            model_name="loanevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")), fields=("loan",), name="loan_event_one_open_a_loan"
            ),
        ),
        migrations.AddConstraint(
            model_name="loaneventline",
            constraint=models.UniqueConstraint(fields=("event", "loan"), name="loan_event_line_once"),
        ),
    ]
