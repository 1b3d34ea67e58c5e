"""Drop single foreign keys and indexes that a composite key or a wider index already covers: faster loads."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lending", "0006_partner_keeps_to_its_steps"),
    ]

    operations = [
        migrations.AlterField(
            model_name="due",
            name="loan",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="dues",
                to="lending.loan",
            ),
        ),
        migrations.AlterField(
            model_name="due",
            name="schedule",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="dues",
                to="lending.schedule",
            ),
        ),
    ]
