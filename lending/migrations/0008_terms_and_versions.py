"""Everything a contract can say of its plan; later plan versions; further tranches."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0002_guards"),
        ("lending", "0007_lighter_long_tables"),
        ("partners", "0004_partner_acts_as_itself"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="due",
            name="due_component_known",
        ),
        migrations.RemoveConstraint(
            model_name="due",
            name="due_once_in_version",
        ),
        migrations.RemoveConstraint(
            model_name="schedule",
            name="schedule_principal_positive",
        ),
        migrations.AddField(
            model_name="agreement",
            name="allocation_grid",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=24),
                blank=True,
                default=list,
                help_text="Where the order is a grid: timing and component, first to last (past_due.penal, …).",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="early_fee_percent",
            field=models.DecimalField(
                decimal_places=4, default=0, help_text="Of the principal settled early.", max_digits=7
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="every_days",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Days between due dates, where the frequency is in days.", null=True
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="instalment_quantum_minor",
            field=models.PositiveIntegerField(
                default=1, help_text="Instalments are rounded to so many poisha: 1, 100, 500 or 1,000."
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="instalment_rounding",
            field=models.CharField(default="half_up", max_length=9),
        ),
        migrations.AddField(
            model_name="agreement",
            name="interest_basis",
            field=models.CharField(
                choices=[("scheduled", "As planned"), ("daily_product", "Daily product")],
                default="scheduled",
                help_text="Interest as planned, or raised at each due date on what was outstanding each day.",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="interest_to",
            field=models.CharField(default="nominal", max_length=8),
        ),
        migrations.AddField(
            model_name="agreement",
            name="residue",
            field=models.CharField(default="last", max_length=5),
        ),
        migrations.AddField(
            model_name="agreement",
            name="step_every",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="agreement",
            name="step_percent",
            field=models.DecimalField(decimal_places=4, default=0, max_digits=7),
        ),
        migrations.AddField(
            model_name="schedule",
            name="added_minor",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="Money lent on top by a further tranche, in minor units."
            ),
        ),
        migrations.AddField(
            model_name="schedule",
            name="transferred_minor",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="Overdue principal of earlier instalments moved into this plan, in minor units.",
            ),
        ),
        migrations.AddField(
            model_name="tranche",
            name="first_due_date",
            field=models.DateField(
                blank=True, help_text="First due date, where the first period is long or short.", null=True
            ),
        ),
        migrations.AddField(
            model_name="tranche",
            name="instalment_amounts",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                blank=True,
                default=list,
                help_text="Principal of each instalment of an irregular plan, in minor units.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="tranche",
            name="into_loan",
            field=models.ForeignKey(
                blank=True,
                help_text="The running loan that this money is added to; empty: it opens a loan of its own.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="further_tranches",
                to="lending.loan",
            ),
        ),
        migrations.AlterField(
            model_name="agreement",
            name="allocation_order",
            field=models.CharField(default="oldest_first", max_length=24),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="cause",
            field=models.CharField(
                choices=[
                    ("disbursement", "Disbursement"),
                    ("supplied", "Supplied by the institution"),
                    ("prepayment", "Part-prepayment"),
                    ("settlement", "Full settlement"),
                    ("reschedule", "Rescheduling"),
                    ("restructure", "Restructuring"),
                    ("moratorium", "Moratorium"),
                    ("tranche", "Further tranche"),
                    ("rate_change", "Change of rate"),
                    ("write_off", "Write-off"),
                    ("calendar", "Change of the calendar"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("early_fee_percent__gte", 0),
                    ("instalment_quantum_minor__gt", 0),
                    ("step_percent__gte", 0),
                ),
                name="agreement_terms_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="due",
            constraint=models.CheckConstraint(
                condition=models.Q(("component__in", [1, 2, 3, 4, 6, 7])), name="due_component_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="due",
            constraint=models.UniqueConstraint(
                condition=models.Q(("mirror_of__isnull", True)),
                fields=("schedule", "instalment", "component", "late_date"),
                name="due_once_in_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("principal_minor__gt", 0), ("version", 1)),
                    models.Q(
                        ("added_minor__gte", 0),
                        ("principal_minor__gte", 0),
                        ("transferred_minor__gte", 0),
                        ("version__gt", 1),
                    ),
                    _connector="OR",
                ),
                name="schedule_principal_not_negative",
            ),
        ),
    ]
