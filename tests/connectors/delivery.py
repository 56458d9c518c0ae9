"""What the tests of the delivery vendors share: everything of a stream, records in canonical words, one write."""

from __future__ import annotations

from typing import Any

from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.entities import ENTITIES, validate_entity
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.core import expressions


def read_all(
    connector: Connector, stream: str, checkpoint: JsonDict | None = None, size: int = 100
) -> tuple[list[SourceRecord], JsonDict]:
    """The records of a whole pass and the checkpoint it ends with."""
    pages = list(connector.stream(stream).read(checkpoint=checkpoint, page_size=size))
    return [record for page in pages for record in page.records], pages[-1].checkpoint


def mapped(connector: Connector, stream: str, record: SourceRecord) -> JsonDict:
    """Canonical fields, checked against the entity's schema, without empty ones; refs under `refs`."""
    spec = connector.manifest.stream(stream)
    names = {f"ref_{name}": ref["id"] for name, ref in spec.refs.items()}
    context = {"record": record.data, "connection": dict(connector.context.settings), "settings": {}}
    values = expressions.compile({**spec.fields, **names}).evaluate(context)
    refs = {name: values.pop(f"ref_{name}") for name in spec.refs}
    fields = {name: value for name, value in values.items() if value is not None}
    validate_entity(spec.entity, fields)
    return {**fields, "refs": {name: value for name, value in refs.items() if value is not None}}


def payload(connector: Connector, sink: str, record: JsonDict, **refs: str) -> JsonDict:
    """What the sink's mapping makes of a canonical record."""
    spec = connector.manifest.sink(sink)
    names = [*ENTITIES[spec.entity].__struct_fields__]
    context = {
        "record": {**dict.fromkeys(names), **record},
        "refs": {**dict.fromkeys(spec.refs), **refs},
        "settings": {},
        "connection": dict(connector.context.settings),
    }
    return expressions.compile(spec.fields).evaluate(context)


def write(
    connector: Connector, sink: str, key: str, record: JsonDict, into: str | None = None, **refs: Any
) -> WriteResult:
    request = WriteRequest(key=key, external_id=into, payload=payload(connector, sink, record, **refs))
    return connector.sink(sink).write([request])[0]


def written(result: WriteResult) -> SourceRecord:
    assert result.error is None, result.error
    assert result.record is not None
    return result.record
