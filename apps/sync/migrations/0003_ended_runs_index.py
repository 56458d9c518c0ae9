from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
        ("flows", "0001_initial"),
        ("sync", "0002_lighter_bulk_rows"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["flow", "finished_at"],
                name="run_ended_of_flow",
            ),
        ),
    ]
