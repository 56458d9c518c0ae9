from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0008_all_authors_of_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="author_ids",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="releaserules",
            name="end_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="releaserules",
            name="end_asked_by_ids",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="releaserules",
            name="end_asked_by_label",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
    ]
