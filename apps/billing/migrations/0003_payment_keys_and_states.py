import django.db.models.functions.text
from django.db import migrations, models


def name_apart(apps, schema_editor):
    """Of several with one name, all but the first get a number: the constraint that follows allows no two."""
    plan_type = apps.get_model("billing", "Plan")
    taken = {name.lower() for name in plan_type.objects.values_list("name", flat=True)}
    seen = set()
    for row in plan_type.objects.order_by("pk"):
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
        ("billing", "0002_immutable"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="status_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="status_reason",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="payment",
            name="key",
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AlterField(
            model_name="payment",
            name="method",
            field=models.CharField(
                choices=[("bank_transfer", "Bank transfer"), ("card", "Card"), ("cash", "Cash"), ("other", "Other")],
                max_length=40,
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("paid_amount__gte", 0), ("paid_amount__lte", models.F("total_amount"))),
                name="paid_at_most_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(fields=("invoice", "key"), name="payment_once_per_key"),
        ),
        migrations.RunPython(name_apart, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower("name"), name="plan_name_once"),
        ),
        migrations.AddConstraint(
            model_name="usageevent",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 0)), name="usage_not_negative"),
        ),
    ]
