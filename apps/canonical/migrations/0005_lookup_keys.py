"""Records are looked up by name, domain and address now, each by itself: the keys of what is there are made anew."""

from django.db import migrations

from apps.canonical.promoted import match_keys

ENTITIES = ("account", "contact", "resource", "project")


def renew_keys(apps, schema_editor):
    record_type = apps.get_model("canonical", "CanonicalRecord")
    batch = []
    for record in record_type.objects.filter(entity__in=ENTITIES).only("entity", "data").iterator(chunk_size=2000):
        record.match_keys = match_keys(record.entity, record.data)
        batch.append(record)
        if len(batch) == 2000:
            record_type.objects.bulk_update(batch, ["match_keys"])
            batch = []
    record_type.objects.bulk_update(batch, ["match_keys"])


class Migration(migrations.Migration):
    dependencies = [("canonical", "0004_stewardship")]

    operations = [migrations.RunPython(renew_keys, migrations.RunPython.noop, elidable=True)]
