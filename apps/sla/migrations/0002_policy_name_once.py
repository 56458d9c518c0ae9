import django.db.models.functions.text
from django.db import migrations, models


def name_apart(apps, schema_editor):
    """Of several with one name, all but the first get a number: the constraint that follows allows no two."""
    policy_type = apps.get_model("sla", "SlaPolicy")
    taken = {name.lower() for name in policy_type.objects.values_list("name", flat=True)}
    seen = set()
    for row in policy_type.objects.order_by("pk"):
        if row.name.lower() in seen:
            number = 2
            while f"{row.name[:70]} ({number})".lower() in taken:
                number += 1
            row.name = f"{row.name[:70]} ({number})"
            taken.add(row.name.lower())
            row.save(update_fields=["name"])
        seen.add(row.name.lower())


class Migration(migrations.Migration):
    dependencies = [
        ("sla", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="slapolicy",
            name="name",
            field=models.CharField(max_length=80),
        ),
        migrations.RunPython(name_apart, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="slapolicy",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="sla_policy_name_once"
            ),
        ),
    ]
