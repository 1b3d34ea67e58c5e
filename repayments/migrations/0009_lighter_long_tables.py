"""Drop single foreign keys and indexes that a composite key or a wider index already covers: faster loads."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0002_guards"),
        ("lending", "0007_lighter_long_tables"),
        ("partners", "0004_partner_acts_as_itself"),
        ("repayments", "0008_plan_guards_afresh"),
    ]

    operations = [
        migrations.AlterField(
            model_name="allocation",
            name="loan",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allocations",
                to="lending.loan",
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="receipt",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allocations",
                to="repayments.receipt",
            ),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="booking",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="daybook.booking",
            ),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="institution",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="partners.institution",
            ),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="loan",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="receipts",
                to="lending.loan",
            ),
        ),
        migrations.AlterField(
            model_name="uploadrow",
            name="institution",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="partners.institution",
            ),
        ),
        migrations.AlterField(
            model_name="uploadrow",
            name="loan",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="lending.loan",
            ),
        ),
        migrations.AlterField(
            model_name="uploadrow",
            name="upload",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rows",
                to="repayments.upload",
            ),
        ),
    ]
