"""What an object of a connected system looks like now: its fields, custom ones too, and its first records."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.cache import cache

from apps.connectors.models import Connection
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.fields import FieldDescription, describe_samples
from apps.connectors.services.opening import open_connector
from apps.core.actor import Actor

KEPT_SECONDS = 300
SAMPLES = 5


class SampleRecord(msgspec.Struct, frozen=True):
    external_id: str
    data: dict[str, Any]


class ObjectShape(msgspec.Struct, frozen=True, kw_only=True):
    """`problem` is why the system showed nothing, in words."""

    fields: list[FieldDescription] = []
    samples: list[SampleRecord] = []
    problem: str = ""


def discover_object(*, actor: Actor, connection: Connection, stream: str, is_fresh: bool = False) -> ObjectShape:
    """This function will ask the system for an object's fields and first records; the answer is kept for minutes.

    Records are shown to people who may see payloads only; to others the fields alone.
    """
    key = f"object-shape:{connection.pk}:{stream}"
    kept = None if is_fresh else cache.get(key)
    shape = msgspec.json.decode(kept, type=ObjectShape) if kept else _ask(connection, stream)
    if not kept and not shape.problem:
        cache.set(key, msgspec.json.encode(shape), KEPT_SECONDS)
    return shape if actor.can("payloads.view") else msgspec.structs.replace(shape, samples=[])


def _ask(connection: Connection, stream: str) -> ObjectShape:
    try:
        connector = open_connector(connection)
        try:
            return _look(connector, stream)
        finally:
            connector.close()
    except ConnectorError as error:
        return ObjectShape(problem=error.message)


def _look(connector: Connector, stream: str) -> ObjectShape:
    page = next(iter(connector.stream(stream).read(checkpoint=None, page_size=SAMPLES)), None)
    records = [SampleRecord(r.external_id, r.data) for r in (page.records if page else []) if not r.deleted][:SAMPLES]
    told = connector.describe(stream)
    known = {field.path for field in told if field.path}
    seen = [field for field in describe_samples(record.data for record in records) if field.path not in known]
    return ObjectShape(fields=[*told, *seen], samples=records)
