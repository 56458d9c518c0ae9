"""What the tests of the ERP vendors share: records in canonical words, and one write as the engine makes it."""

from __future__ import annotations

from typing import Any

from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.entities import ENTITIES, validate_entity
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.core import expressions


def mapped(manifest: ConnectorManifest, stream: str, record: SourceRecord | None) -> JsonDict:
    """Canonical fields without the empty ones, checked against the entity; references under `refs`."""
    assert record is not None
    spec = manifest.stream(stream)
    names = {f"ref_{name}": ref["id"] for name, ref in spec.refs.items()}
    context = {"record": record.data, "connection": {}, "settings": {}}
    values = expressions.compile({**spec.fields, **names}).evaluate(context)
    refs = {name: values.pop(f"ref_{name}") for name in spec.refs}
    given = {name: value for name, value in values.items() if value is not None}
    validate_entity(spec.entity, given)
    return {**given, "refs": {name: value for name, value in refs.items() if value}}


def payload(manifest: ConnectorManifest, sink: str, record: JsonDict, **refs: str | None) -> JsonDict:
    """What the engine hands to a sink."""
    spec = manifest.sink(sink)
    complete = {**dict.fromkeys(ENTITIES[spec.entity].__struct_fields__), "lines": [], **record}
    context = {"record": complete, "refs": {**dict.fromkeys(spec.refs), **refs}, "settings": {}, "connection": {}}
    return expressions.compile(spec.fields).evaluate(context)


def write(
    connector: Connector, sink: str, key: str, record: JsonDict, *, external_id: str | None = None, **refs: Any
) -> WriteResult:
    values = payload(connector.manifest, sink, record, **refs)
    request = WriteRequest(key=key, payload=values, external_id=external_id)
    return connector.sink(sink).write([request])[0]


def made(result: WriteResult) -> SourceRecord:
    assert result.error is None, result.error
    assert result.record is not None
    return result.record


def euros(minor: int) -> JsonDict:
    return {"amount": minor, "currency": "EUR"}
