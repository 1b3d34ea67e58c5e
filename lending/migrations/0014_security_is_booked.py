"""A security is dated, booked and signed by two people, so that it can be told as of any date.

The table was empty until now (nothing wrote it), so it is made anew.
"""

import django.db.models.deletion
import djmoney.models.fields
from django.conf import settings
from django.db import migrations, models

from daybook.guards import append_only, own_institution, row_security

GUARDS = """
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON lending_security
    FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();
ALTER TABLE lending_security ADD CONSTRAINT lending_security_id_loan UNIQUE (id, loan_id);
ALTER TABLE lending_security ADD CONSTRAINT lending_security_replaces_own_loan
    FOREIGN KEY (replaces_id, loan_id) REFERENCES lending_security (id, loan_id);
"""
REVERSE = """
ALTER TABLE lending_security DROP CONSTRAINT lending_security_replaces_own_loan;
ALTER TABLE lending_security DROP CONSTRAINT lending_security_id_loan;
DROP TRIGGER partner_writes_little ON lending_security;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0002_guards"),
        ("lending", "0013_cancellation_guards"),
        ("partners", "0004_partner_acts_as_itself"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.DeleteModel(name="Security"),
        migrations.CreateModel(
            name="Security",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("deposit", "Cash or deposit under lien"),
                            ("government_paper", "Government paper"),
                            ("guarantee", "Guarantee of the Government or Bangladesh Bank"),
                            ("gold", "Gold"),
                            ("land", "Land and buildings"),
                            ("goods", "Goods and machinery"),
                            ("other", "Other"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    models.CharField(help_text="What it is: deed, deposit receipt, number.", max_length=60),
                ),
                (
                    "value_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("BDT", "Bangladeshi Taka"), ("USD", "US Dollar")],
                        default="BDT",
                        editable=False,
                        max_length=3,
                    ),
                ),
                ("value", djmoney.models.fields.MoneyField(decimal_places=2, max_digits=19)),
                ("eligible_percent", models.DecimalField(decimal_places=2, max_digits=5)),
                ("valued_date", models.DateField()),
                ("from_date", models.DateField()),
                (
                    "to_date",
                    models.DateField(
                        blank=True, help_text="Last day the valuation counts; empty: without end.", null=True
                    ),
                ),
                ("is_withdrawn", models.BooleanField(default=False)),
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
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.institution",
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="securities",
                        to="lending.loan",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="lending.security",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "securities",
                "ordering": ["loan_id", "from_date", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("eligible_percent__gte", 0), ("eligible_percent__lte", 100), ("value__gt", 0)
                        ),
                        name="security_value_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_date__isnull", True),
                            ("to_date__gte", models.F("from_date")),
                            _connector="OR",
                        ),
                        name="security_ends_after_it_begins",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_withdrawn", False), ("replaces__isnull", False), _connector="OR"
                        ),
                        name="security_withdraws_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("made_by", models.F("approved_by")), _negated=True),
                        name="security_maker_is_not_checker",
                    ),
                ],
            },
        ),
        own_institution("lending_security", "loan_id", "lending_loan"),
        row_security("lending_security"),
        append_only("lending_security"),
        migrations.RunSQL(GUARDS, REVERSE),
    ]
