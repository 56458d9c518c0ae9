"""Writing what a definition describes: one record a call, each read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.declared.definition import ObjectPart, WritePart
from apps.connectors.sdk.declared.streams import DeclaredStream
from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.paginators import dig
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest

if TYPE_CHECKING:
    from apps.connectors.sdk.declared.connector import DeclaredConnector


class DeclaredSink(SingleSink):
    stream: DeclaredStream

    def __init__(self, connector: DeclaredConnector, *, part: ObjectPart) -> None:
        super().__init__(connector, DeclaredStream(connector, part=part))
        self.part = part

    def create(self, request: WriteRequest) -> str:
        assert self.part.create is not None  # noqa: S101 - the manifest claims no create otherwise
        body = dict(request.payload)
        if self.part.mark:
            body[self.part.mark.field] = request.key
        answer = self._send(self.part.create, body, key=request.key)
        made = dig(answer, self.part.create.id)
        if made in (None, ""):
            raise FatalError(f"The answer to the create names nothing at “{self.part.create.id}”.", code="format")
        return str(made)

    def update(self, external_id: str, request: WriteRequest) -> None:
        assert self.part.update is not None  # noqa: S101 - the manifest claims no update otherwise
        self._send(self.part.update, dict(request.payload), key=request.key, external_id=external_id)

    def resolve(self, key: str) -> SourceRecord | None:
        """Looked up by the mark; compared here too, since systems ignore filters they do not know."""
        if self.part.mark is None:
            return None
        found = self.stream.find(self.part.mark.find, key)
        return next((record for record in found if dig(record.data, self.part.mark.field) == key), None)

    def _send(self, writing: WritePart, body: JsonDict, *, key: str, external_id: str = "") -> Any:
        path = self.connector.path(writing.path, id=external_id)
        headers = {writing.idempotency_header.lower(): key} if writing.idempotency_header else {}
        wrapped = {writing.wrap: body} if writing.wrap else body
        return self.connector.client.request(writing.method, path, json=wrapped, headers=headers)
