"""Name the month ends to Django, so that grants know the table as ours."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("repayments", "0019_growth"),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthEndSnapshot",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "business_date",
                        "loan_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("business_date", models.DateField()),
                ("loan_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("institution_id", models.BigIntegerField()),
                ("agreement_id", models.BigIntegerField()),
                ("programme_id", models.BigIntegerField()),
                ("cluster_id", models.BigIntegerField(help_text="0: none.")),
                (
                    "tier",
                    models.CharField(
                        choices=[("wholesale", "Wholesale"), ("subloan", "Sub-loan")], max_length=9
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[("computed", "Computed"), ("failed", "Carried from the day before")],
                        max_length=8,
                    ),
                ),
                ("disbursed_minor", models.BigIntegerField()),
                ("outstanding_minor", models.BigIntegerField(help_text="Principal of the plan not settled.")),
                (
                    "interest_due_minor",
                    models.BigIntegerField(help_text="Interest fallen due and not settled."),
                ),
                ("charge_due_minor", models.BigIntegerField(help_text="Charges fallen due and not settled.")),
                (
                    "penal_due_minor",
                    models.BigIntegerField(help_text="Penal interest fallen due and not settled."),
                ),
                ("overdue_charge_minor", models.BigIntegerField()),
                ("overdue_penal_minor", models.BigIntegerField()),
                ("overdue_interest_minor", models.BigIntegerField()),
                ("overdue_principal_minor", models.BigIntegerField()),
                ("advance_minor", models.BigIntegerField()),
                ("overdue_since", models.DateField(null=True)),
                ("days_past_due", models.IntegerField()),
                ("months_overdue", models.IntegerField()),
                ("bucket", models.SmallIntegerField(help_text="calc.arrears.Bucket")),
                (
                    "loan_class",
                    models.SmallIntegerField(
                        help_text="calc.classification.LoanClass, indicative; -1: no policy."
                    ),
                ),
                (
                    "classification_policy_id",
                    models.BigIntegerField(help_text="0: no policy; -1: two fit equally well."),
                ),
                (
                    "provision_policy_id",
                    models.BigIntegerField(help_text="0: no policy; -1: two fit equally well."),
                ),
                (
                    "suspense_minor",
                    models.BigIntegerField(help_text="Interest due that is not income while classified."),
                ),
                ("security_minor", models.BigIntegerField(help_text="Eligible security.")),
                (
                    "base_minor",
                    models.BigIntegerField(help_text="0 and without meaning where there is no policy."),
                ),
                (
                    "provision_minor",
                    models.BigIntegerField(help_text="0 and without meaning where there is no policy."),
                ),
                (
                    "written_off_minor",
                    models.BigIntegerField(
                        default=0, help_text="Memo balance: written off and not recovered."
                    ),
                ),
                (
                    "rescheduled_count",
                    models.SmallIntegerField(default=0, help_text="Reschedulings and restructurings."),
                ),
                (
                    "reported_class",
                    models.SmallIntegerField(
                        default=-1, help_text="Class in the latest locked quarter-end return; -1: in none."
                    ),
                ),
                (
                    "class_basis",
                    models.SmallIntegerField(
                        default=0, help_text="calc.classification.Basis: what decided the indicative class."
                    ),
                ),
            ],
            options={
                "db_table": "repayments_monthendsnapshot",
                "ordering": ["business_date", "loan_id"],
                "abstract": False,
                "managed": False,
            },
        ),
    ]
