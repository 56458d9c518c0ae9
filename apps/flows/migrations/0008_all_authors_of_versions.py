from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0007_policies_in_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="integrationrevision",
            name="author_ids",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="integrationtemplateversion",
            name="author_ids",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
