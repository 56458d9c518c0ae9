from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connectors", "0002_unlogged_budget")]

    operations = [
        migrations.AddField(
            model_name="customconnector",
            name="author_ids",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
