"""Writing Business Central: batches whose parts stand for themselves, a mark of our own, entity tags for changes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from apps.connectors.sdk.errors import ConnectorError, FatalError, RecordRejected, TransientError
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.business_central.api import Operation, quoted
from apps.connectors.vendors.business_central.streams import BusinessCentralStream

if TYPE_CHECKING:
    from apps.connectors.vendors.business_central.connector import BusinessCentralConnector

# How often a record that somebody else is changing is looked at anew.
ATTEMPTS = 3


class BusinessCentralSink(Removing):
    """Payload keys are property names; null leaves a property as it is.

    A create carries a mark made from its key: the number of customers and projects, the external number of documents.
    It is looked up before anything is created, and the number series refuses a second one in any case.
    """

    def __init__(self, connector: BusinessCentralConnector, *, name: str, stream: type[BusinessCentralStream]) -> None:
        self.connector = connector
        self.api = connector.api
        self.stream = stream(connector, name=name)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        creates = [request for request in requests if request.external_id is None]
        updates = [request for request in requests if request.external_id is not None]
        results = {result.key: result for result in (*self._create(creates), *self._update(updates))}
        return [results[request.key] for request in requests]

    def resolve(self, key: str) -> SourceRecord | None:
        return self.stream.marked(self.mark(key)) if self.stream.entity.mark else None

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def remove(self, external_id: str) -> None:
        """Business Central keeps what has entries in the ledger, and what is posted."""
        self.api.delete(f"{self.stream.path}({external_id})")

    def mark(self, key: str) -> str:
        """The key where it fits, else a digest of it, in capitals as codes are."""
        length = self.stream.entity.mark_length
        if self.stream.entity.mark == "number":
            return "S" + hashlib.blake2b(key.encode(), digest_size=8).hexdigest().upper()
        return key if len(key) <= length else hashlib.blake2b(key.encode(), digest_size=length // 2).hexdigest()

    def request_mark(self, request: WriteRequest) -> str:
        return self.mark(request.key)

    def _create(self, requests: list[WriteRequest]) -> list[WriteResult]:
        known = self._known(requests)
        fresh = [request for request in requests if request.key not in known]
        bodies = [self._values(request, create=True) for request in fresh]
        operations = [Operation(method="POST", path=self.stream.path, body=body) for body in bodies]
        outcomes = self.api.batch(operations)
        results = [WriteResult(key=key, record=self._read_back(record)) for key, record in known.items()]
        for request, outcome in zip(fresh, outcomes, strict=True):
            results.append(self._result(request.key, str(outcome.data.get("id", "")), outcome.error))
        return results

    def _known(self, requests: list[WriteRequest]) -> dict[str, str]:
        """Key → id of what earlier attempts created."""
        if not self.stream.entity.mark:
            return {}
        found: dict[str, str] = {}
        operations = [Operation(method="GET", path=self._by_mark(request)) for request in requests]
        for request, outcome in zip(requests, self.api.batch(operations), strict=True):
            if outcome.error:
                raise outcome.error
            if outcome.data["value"]:
                found[request.key] = outcome.data["value"][0]["id"]
        return found

    def _by_mark(self, request: WriteRequest) -> str:
        condition = f"{self.stream.entity.mark} eq {quoted(self.request_mark(request))}"
        return f"{self.stream.path}?{urlencode({'$filter': condition}, quote_via=quote)}"

    def _update(self, requests: list[WriteRequest]) -> list[WriteResult]:
        return [self._update_one(request) for request in requests]

    def _update_one(self, request: WriteRequest) -> WriteResult:
        external_id = str(request.external_id)
        try:
            self._change(external_id, self._values(request, create=False))
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)
        return self._result(request.key, external_id, None)

    def _change(self, external_id: str, values: JsonDict) -> None:
        """Only over the state we looked at: a stale tag is refused, and the record read again."""
        for attempt in range(ATTEMPTS):
            current = self.stream.get(external_id)
            if current is None:
                raise RecordRejected("it is no longer in Business Central", code="not_found", status=404)
            try:
                return self.api.change(
                    f"{self.stream.path}({external_id})", values, etag=str(current.data["@odata.etag"])
                )
            except TransientError as error:
                if error.status not in (409, 412) or attempt == ATTEMPTS - 1:
                    raise
        return None

    def _values(self, request: WriteRequest, *, create: bool) -> JsonDict:
        values = {name: value for name, value in request.payload.items() if value is not None}
        entity = self.stream.entity
        return {**values, entity.mark: self.request_mark(request)} if create and entity.mark else values

    def _result(self, key: str, external_id: str, error: ConnectorError | None) -> WriteResult:
        if error is None:
            return WriteResult(key=key, record=self._read_back(external_id))
        if not isinstance(error, RecordRejected):
            raise error
        return WriteResult(key=key, error=error)

    def _read_back(self, external_id: str) -> SourceRecord:
        record = self.stream.get(external_id)
        if record is None:
            raise FatalError("Business Central does not show the record it just wrote", code="read_back")
        return record


class PersonSink(BusinessCentralSink):
    def _values(self, request: WriteRequest, *, create: bool) -> JsonDict:
        values = super()._values(request, create=create)
        return {**values, "type": "Person"} if create else values


class PaymentSink(BusinessCentralSink):
    """A line in the payment journal, applied to its invoice; posting the journal stays with the bookkeeper."""

    def _values(self, request: WriteRequest, *, create: bool) -> JsonDict:
        values = super()._values(request, create=create)
        # In a journal, money received is negative.
        return {**values, "amount": -abs(float(values["amount"]))} if "amount" in values else values
