"""A manifest's mappings as the engine evaluates them, and whole passes over a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from apps.connectors.sdk.entities import ENTITIES, validate_entity
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.types import JsonDict, SourceRecord, Stream
from apps.core import expressions


@dataclass(frozen=True)
class Mappings:
    """`connection`: the settings of the connection that the expressions may name."""

    manifest: ConnectorManifest
    connection: JsonDict = field(default_factory=dict)

    def source(self, stream: str, record: JsonDict) -> JsonDict:
        """The canonical fields, checked against the entity's published shape."""
        spec = self.manifest.stream(stream)
        fields = expressions.compile(spec.fields).evaluate({"record": record, "connection": self.connection})
        validate_entity(spec.entity, {name: value for name, value in fields.items() if value is not None})
        return fields

    def refs(self, stream: str, record: JsonDict) -> JsonDict:
        ids = {name: ref["id"] for name, ref in self.manifest.stream(stream).refs.items()}
        return expressions.compile(ids).evaluate({"record": record})

    def sink(self, sink: str, record: JsonDict, refs: JsonDict, connection: JsonDict | None = None) -> JsonDict:
        spec = self.manifest.sink(sink)
        complete = dict.fromkeys(ENTITIES[spec.entity].__struct_fields__) | record
        named = self.connection if connection is None else connection
        context = {"record": complete, "refs": refs, "settings": {}, "connection": named}
        return expressions.compile(spec.fields).evaluate(context)


def read_all(stream: Stream, checkpoint: Any = None, page_size: int = 100) -> tuple[list[SourceRecord], Any]:
    """The records of a whole pass and the checkpoint it ends with."""
    pages = list(stream.read(checkpoint=checkpoint, page_size=page_size))
    return [record for page in pages for record in page.records], pages[-1].checkpoint
