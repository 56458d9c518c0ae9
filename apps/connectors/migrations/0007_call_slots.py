from django.db import migrations, models


class Migration(migrations.Migration):
    """Places of calls under way: written twice per vendor call and worth nothing after a crash, so kept out of the log."""

    dependencies = [("connectors", "0006_custom_connectors")]

    operations = [
        migrations.CreateModel(
            name="CallSlot",
            fields=[
                ("place", models.CharField(max_length=44, primary_key=True, serialize=False)),
                ("holder", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE connectors_callslot SET UNLOGGED",
            "ALTER TABLE connectors_callslot SET LOGGED",
        ),
    ]
