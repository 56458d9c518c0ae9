from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def note_integrations(apps: Any, schema_editor: Any) -> None:
    """What was compared before was compared with what replaces the interface today, as far as anybody knows."""
    runs = apps.get_model("modernization", "ParallelRun").objects
    owner = apps.get_model("modernization", "LegacyInterface").objects.filter(pk=models.OuterRef("interface_id"))
    runs.update(integration_id=models.Subquery(owner.values("integration_id")[:1]))


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0003_who_could_agree"),
        ("modernization", "0003_who_asked"),
    ]

    operations = [
        migrations.AddField(
            model_name="parallelrun",
            name="integration",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="flows.integration"
            ),
        ),
        migrations.RunPython(note_integrations, migrations.RunPython.noop),
    ]
