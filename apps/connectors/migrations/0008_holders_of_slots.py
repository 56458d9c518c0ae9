from django.db import migrations, models


class Migration(migrations.Migration):
    """Whose session holds a place: of one that has ended the place is free at once."""

    dependencies = [("connectors", "0007_call_slots")]

    operations = [
        migrations.AddField(
            model_name="callslot",
            name="backend",
            field=models.IntegerField(default=0),
        ),
    ]
