from typing import Any

from django.db import migrations, models


def note_makers(apps: Any, schema_editor: Any) -> None:
    """The audit log knows who made the keys that are there already."""
    made = apps.get_model("audit", "AuditEvent").objects.filter(action="api_key.created")
    makers = dict(made.values_list("target_key", "actor_id"))
    for key in apps.get_model("accounts", "ApiKey").objects.filter(created_by_id=""):
        key.created_by_id = makers.get(f"api_key:{key.pk}", "")
        key.save(update_fields=["created_by_id"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_saved_views"),
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="created_by_id",
            field=models.CharField(blank=True, db_default="", max_length=64),
        ),
        migrations.RunPython(note_makers, migrations.RunPython.noop),
    ]
