"""Records are looked up by name, domain and address now, each by itself: the keys of what is there are made anew.

Keys come from Python (names without accents and legal forms), so each batch commits by itself: broken off, the migration
is simply run again, and what has its keys already is read and not written.
"""

import json

from django.db import connection, migrations, transaction

from apps.canonical.promoted import match_keys

ENTITIES = ["account", "contact", "resource", "project"]
BATCH = 5000
_READ = """
SELECT id, entity, data, match_keys FROM canonical_canonicalrecord
WHERE id > %s AND entity = ANY(%s) ORDER BY id LIMIT %s
"""
_WRITE = """
UPDATE canonical_canonicalrecord record SET match_keys = ARRAY(SELECT jsonb_array_elements_text(new.keys))
FROM jsonb_to_recordset(%s::jsonb) AS new(id uuid, keys jsonb) WHERE record.id = new.id
"""


def renew_keys(apps, schema_editor):
    last = "00000000-0000-0000-0000-000000000000"
    while rows := _read(last):
        last = rows[-1][0]
        made = ((row[0], match_keys(row[1], _as_dict(row[2])), row[3]) for row in rows)
        changed = [{"id": str(pk), "keys": keys} for pk, keys, held in made if keys != held]
        if changed:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_WRITE, [json.dumps(changed)])


def _read(last):
    with connection.cursor() as cursor:
        cursor.execute(_READ, [last, ENTITIES, BATCH])
        return cursor.fetchall()


def _as_dict(value):
    return value if isinstance(value, dict) else json.loads(value)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("canonical", "0004_stewardship")]

    operations = [migrations.RunPython(renew_keys, migrations.RunPython.noop, elidable=True)]
