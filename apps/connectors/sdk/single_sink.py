"""Writing to vendors that take one record per call: each write is read back and compared, a refusal is a result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.types import JsonDict, SourceRecord, Stream, WriteRequest, WriteResult


class SingleSink(ABC):
    """`create` and `update` send one record and return its external id; the stream reads it back.

    `checks` names what is compared after the write: payload key → what the record read back shows of it. Vendors answer
    200 to values they passed over in silence.

        class Clients(SingleSink):
            checks = {"name": lambda data: data["name"]}
    """

    checks: ClassVar[Mapping[str, Callable[[JsonDict], Any]]] = {}

    def __init__(self, connector: Any, stream: Stream) -> None:
        self.connector = connector
        self.stream = stream

    @abstractmethod
    def create(self, request: WriteRequest) -> str:
        """Make the record; called again under the same key it must not make a second one where a mark exists."""

    @abstractmethod
    def update(self, external_id: str, request: WriteRequest) -> None:
        """Change the record. Raises RecordRejected."""

    @abstractmethod
    def resolve(self, key: str) -> SourceRecord | None:
        """The record created under `key`."""

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        return [self._write_one(request) for request in requests]

    def _write_one(self, request: WriteRequest) -> WriteResult:
        try:
            return WriteResult(key=request.key, record=self._written(request))
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)

    def _written(self, request: WriteRequest) -> SourceRecord:
        external_id = request.external_id
        if external_id is None:
            external_id = self.create(request)
        else:
            self.update(external_id, request)
        record = self.get(external_id)
        if record is None or record.deleted:
            raise FatalError("the vendor confirmed the write but does not show the record", code="read_back")
        self._compare(record.data, request.payload)
        return record

    def _compare(self, data: JsonDict, payload: JsonDict) -> None:
        for name, seen in self.checks.items():
            wanted = payload.get(name)
            if wanted is not None and seen(data) != wanted:
                raise RecordRejected(f"the vendor did not take the {name.replace('_', ' ')}", code="ignored")
