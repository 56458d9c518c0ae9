"""Secrets of connections and OAuth apps: sealed on the way in, opened only for a call that is about to be made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson
from django.conf import settings

from apps.connectors.models import Connection, Credential
from apps.core.crypto import Place, Sealer
from apps.core.ids import uuid7
from apps.core.planes import require_tenant_schema


class Secrets(dict[str, str]):
    """Opened secrets. Their text form shows names only, so that no log line, error or debugger prints a value."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self))})"

    __str__ = __repr__


def sealer() -> Sealer:
    return Sealer(settings.CREDENTIAL_KEYS)


def place_of(table: str, row: object, field: str) -> Place:
    return Place(schema=require_tenant_schema(), table=table, row=str(row), field=field)


def credential_place(credential: Credential) -> Place:
    return place_of("connectors_credential", credential.pk, "sealed")


def store_secrets(
    *,
    connection: Connection,
    secrets: Mapping[str, str],
    now: datetime,
    expires_at: datetime | None = None,
    access_ends_at: datetime | None = None,
) -> Credential:
    """This function will replace the connection's secrets as a whole. Writes no audit event: its callers do."""
    credential = Credential.objects.filter(connection=connection).first()
    if credential is None:
        credential = Credential(id=uuid7(), connection=connection, version=0)
    keys = sealer()
    credential.sealed = keys.seal(orjson.dumps(dict(secrets)), credential_place(credential))
    credential.key_id = keys.current_key_id
    credential.version += 1
    credential.expires_at, credential.access_ends_at = expires_at, access_ends_at
    credential.updated_at = now
    credential.save()
    return credential


def find_credential(connection: Connection) -> Credential | None:
    return Credential.objects.filter(connection_id=connection.pk).first()


def open_credential(credential: Credential | None) -> Secrets:
    """The secrets; empty when nothing has been stored yet. Raises SealBroken for a row that was changed or moved."""
    if credential is None:
        return Secrets()
    opened = sealer().open(bytes(credential.sealed), credential_place(credential))
    return Secrets(orjson.loads(opened))


def open_secrets(connection: Connection) -> Secrets:
    """Like `open_credential`, for a connection."""
    return open_credential(find_credential(connection))
