import django.db.models.functions.text
from django.db import migrations, models


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
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower("name"), name="plan_name_once"),
        ),
        migrations.AddConstraint(
            model_name="usageevent",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 0)), name="usage_not_negative"),
        ),
    ]
