"""More terms of agreements, their ending, and proposals that a second person decides."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0002_guards"),
        ("lending", "0009_versions_add_up"),
        ("partners", "0004_partner_acts_as_itself"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Proposal",
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
                            ("end", "End the agreement"),
                            ("allotment", "Allotment"),
                            ("terms", "New terms"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                        ],
                        default="proposed",
                        max_length=8,
                    ),
                ),
                ("values", models.JSONField(default=dict)),
                ("reason", models.TextField(blank=True)),
                ("made_date", models.DateField()),
                ("decided_date", models.DateField(blank=True, null=True)),
                ("decision_reason", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="agreement",
            name="ended_date",
            field=models.DateField(
                blank=True, help_text="No money may be drawn from this day on.", null=True
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="interest_grace_months",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="First months to which the kind of grace applies, where that is not all of the grace.",
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="interest_quantum_minor",
            field=models.PositiveIntegerField(
                db_default=1,
                default=1,
                help_text="Interest is rounded to so many poisha: 1, 100, 500 or 1,000.",
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="interest_rounding",
            field=models.CharField(db_default="half_up", default="half_up", max_length=9),
        ),
        migrations.AddField(
            model_name="allotment",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="allotment",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="agreement",
            name="contract_mode",
            field=models.CharField(
                choices=[
                    ("interest", "Interest"),
                    ("murabaha", "Murabaha"),
                    ("ijara", "Ijara"),
                    ("mudaraba", "Mudaraba"),
                    ("musharaka", "Musharaka"),
                ],
                default="interest",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_quantum_minor__gt", 0)),
                name="agreement_interest_quantum_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_date__isnull", False), ("state", "ended")),
                    models.Q(models.Q(("state", "ended"), _negated=True), ("ended_date__isnull", True)),
                    _connector="OR",
                ),
                name="agreement_ended_has_its_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="allotment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_by__isnull", True), ("made_by__isnull", True)),
                    models.Q(
                        ("approved_by__isnull", False),
                        ("made_by__isnull", False),
                        models.Q(("made_by", models.F("approved_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="allotment_maker_is_not_checker",
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="agreement",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proposals",
                to="lending.agreement",
            ),
        ),
        migrations.AddField(
            model_name="proposal",
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
            model_name="proposal",
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
            model_name="proposal",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="programme",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proposals",
                to="lending.programme",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agreement__isnull", True), ("kind", "terms"), ("programme__isnull", False)),
                    models.Q(
                        models.Q(("kind", "terms"), _negated=True),
                        ("agreement__isnull", False),
                        ("programme__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="proposal_has_its_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="proposal_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_by__isnull", True), ("state", "proposed")),
                    models.Q(
                        models.Q(("state", "proposed"), _negated=True),
                        ("decided_by__isnull", False),
                        ("decided_date__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="proposal_decided_in_full",
            ),
        ),
    ]
