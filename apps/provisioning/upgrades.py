"""Bringing every schema to the migrations this code has.

What is up to date costs one look, not a run of the migrations: a thousand partners must not make each deploy minutes long.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import get_public_schema_name

from apps.core.bulk import fetch_rows
from apps.core.planes import public_plane, tenant_plane
from apps.flows.services.templates import load_templates, shipped_versions
from apps.provisioning.schema_template import migrate_schema
from apps.tenants.models import Partner

AT_ONCE = 100
_RECORDED = (
    "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'django_migrations' AND relkind = 'r'"
)
_EXPECTED = "WITH expected AS MATERIALIZED (SELECT * FROM unnest(%(apps)s::text[], %(names)s::text[]) AS e(app, name))"
_MISSING = """
SELECT '{name}' AS schema WHERE EXISTS (SELECT 1 FROM expected e WHERE NOT EXISTS (
    SELECT 1 FROM {schema}.django_migrations m WHERE m.app = e.app AND m.name = e.name))
"""
_TEMPLATE_MISSING = """
SELECT '{name}' AS schema WHERE EXISTS (SELECT 1 FROM expected e WHERE NOT EXISTS (
    SELECT 1 FROM {schema}.flows_integrationtemplateversion v JOIN {schema}.flows_integrationtemplate t
    ON t.id = v.template_id WHERE t.key = e.app AND v.number = e.name))
"""


def upgrade_schemas() -> list[str]:
    """This function will migrate public and every partner's schema that lacks a migration; returns those it migrated."""
    with public_plane():
        public = get_public_schema_name()
        upgraded = []
        if public not in _recorded() or schemas_behind([public]):
            call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
            upgraded.append(public)
        for schema in schemas_behind(Partner.objects.order_by("schema_name").values_list("schema_name", flat=True)):
            migrate_schema(schema)
            upgraded.append(schema)
        return upgraded


def load_released_templates(now: datetime) -> list[str]:
    """This function will add newly shipped template versions at every partner that lacks one; returns their schemas."""
    with public_plane():
        ready = Partner.objects.exclude(provisioned_at=None).exclude(schema_name=get_public_schema_name())
        partners = list(ready.order_by("schema_name").values_list("schema_name", flat=True))
        expected = shipped_versions()
        values = {"apps": [key for key, _ in expected], "names": [number for _, number in expected]}
        known = _recorded()
        behind = _looked_up([schema for schema in partners if schema in known], _TEMPLATE_MISSING, values)
    for schema in behind:
        with tenant_plane(schema):
            load_templates(now=now)
    return behind


def schemas_behind(schemas: Iterable[str]) -> list[str]:
    """Those of the schemas that exist and lack a migration."""
    known = _recorded()
    existing = [schema for schema in schemas if schema in known]
    expected = sorted(MigrationLoader(None).disk_migrations)
    values = {"apps": [app for app, _ in expected], "names": [name for _, name in expected]}
    return _looked_up(existing, _MISSING, values)


def _recorded() -> set[str]:
    """Schemas with a list of migrations; a partner's that has none yet is still being made."""
    return {row[0] for row in fetch_rows(_RECORDED, [])}


def _looked_up(schemas: list[str], look: str, values: dict[str, list[str]]) -> list[str]:
    batches = [schemas[start : start + AT_ONCE] for start in range(0, len(schemas), AT_ONCE)]
    return [schema for batch in batches for schema in _behind(batch, look, values)]


def _behind(schemas: list[str], look: str, values: dict[str, list[str]]) -> list[str]:
    quote = connection.ops.quote_name
    # Schema names are ours: letters, digits and underscores.
    looks = [look.format(name=schema, schema=quote(schema)) for schema in schemas]
    return [row[0] for row in fetch_rows(f"{_EXPECTED} {' UNION ALL '.join(looks)}", values)]
