"""Writing in batches: creates as upserts on the unique `sync_ref`, updates by record id, then read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from apps.connectors.sdk.errors import ConnectorError, FatalError, RecordRejected
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.hubspot.currencies import DealCurrencies
from apps.connectors.vendors.hubspot.objects import SYNC_REF, CrmObject
from apps.connectors.vendors.hubspot.streams import HubSpotStream

if TYPE_CHECKING:
    from apps.connectors.vendors.hubspot.connector import HubSpotConnector

BATCH_SIZE = 100
LINK_PREFIX = "associated_"


class Written(msgspec.Struct, frozen=True):
    """What one request came to: the record's id, or why it was refused."""

    record_id: str = ""
    error: ConnectorError | None = None


class HubSpotSink:
    """`sync_ref` is unique in the portal, so an upsert repeated after a lost answer finds the record it made.

    Payload keys are property names; `associated_<object>` holds the id of a record to associate. Null leaves a property
    as it is, "" clears it. `payment_currency` is only compared.
    """

    def __init__(self, connector: HubSpotConnector, *, crm_object: CrmObject) -> None:
        self.connector = connector
        self.object = crm_object
        self.stream = HubSpotStream(connector, crm_object=crm_object)
        self._known: set[str] = set()

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        self._require_properties()
        outcomes: dict[str, Written] = {}
        for start in range(0, len(requests), BATCH_SIZE):
            outcomes |= self._send(requests[start : start + BATCH_SIZE])
        outcomes |= self._associate(requests, outcomes)
        return self._read_back(requests, outcomes)

    def _send(self, requests: list[WriteRequest]) -> dict[str, Written]:
        """At most a batch; what became of each request by its key."""
        outcomes: dict[str, Written] = {}
        if self.object.currency:
            currencies = DealCurrencies(self.connector, writable=self.object.currency in self._known)
            outcomes = {key: Written(error=error) for key, error in currencies.refusals(requests).items()}
            requests = [currencies.sendable(request) for request in requests if request.key not in outcomes]
        creates = [request for request in requests if request.external_id is None]
        updates = [request for request in requests if request.external_id is not None]
        outcomes |= self._upsert(creates) if creates else {}
        return outcomes | (self._update(updates) if updates else {})

    def resolve(self, key: str) -> SourceRecord | None:
        self._require_properties()
        return self.stream.find_by(SYNC_REF, key)

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def delete(self, external_id: str) -> None:
        """Archive: the portal keeps it restorable for 90 days."""
        try:
            self.connector.client.delete(f"/crm/v3/objects/{self.object.name}/{external_id}")
        except RecordRejected as error:
            if error.status != 404:  # gone already
                raise

    def _upsert(self, requests: list[WriteRequest]) -> dict[str, Written]:
        inputs = [
            {"id": request.key, "idProperty": SYNC_REF, "properties": {**properties(request), SYNC_REF: request.key}}
            for request in requests
        ]
        try:
            results = self._batch("upsert", inputs)["results"]
        except RecordRejected as error:
            return self._one_by_one(requests, error)
        # Answers come in no promised order; the mark tells which is which.
        by_key = {entry["properties"].get(SYNC_REF): entry["id"] for entry in results}
        return {request.key: _found(by_key.get(request.key)) for request in requests}

    def _update(self, requests: list[WriteRequest]) -> dict[str, Written]:
        inputs = [{"id": request.external_id, "properties": properties(request)} for request in requests]
        try:
            results = self._batch("update", inputs)["results"]
        except RecordRejected as error:
            return self._one_by_one(requests, error)
        changed = {entry["id"] for entry in results}
        gone = RecordRejected("the record no longer exists in HubSpot", code="OBJECT_NOT_FOUND", status=404)
        return {
            request.key: Written(str(request.external_id)) if request.external_id in changed else Written(error=gone)
            for request in requests
        }

    def _one_by_one(self, requests: list[WriteRequest], error: RecordRejected) -> dict[str, Written]:
        """HubSpot refuses a whole batch for one bad record: find the one, and let the others through."""
        if len(requests) == 1:
            return {requests[0].key: Written(error=error)}
        outcomes: dict[str, Written] = {}
        for request in requests:
            outcomes |= self._upsert([request]) if request.external_id is None else self._update([request])
        return outcomes

    def _batch(self, action: str, inputs: list[JsonDict]) -> JsonDict:
        path = f"/crm/v3/objects/{self.object.name}/batch/{action}"
        answer: JsonDict = self.connector.client.post(path, json={"inputs": inputs})
        return answer

    def _associate(self, requests: list[WriteRequest], outcomes: dict[str, Written]) -> dict[str, Written]:
        """Make the associations; returns the requests whose association was refused."""
        refused: dict[str, Written] = {}
        for target in self.object.links:
            pairs = {
                request.key: {"from": {"id": outcomes[request.key].record_id}, "to": {"id": str(target_id)}}
                for request in requests
                if (target_id := request.payload.get(f"{LINK_PREFIX}{target}")) and not outcomes[request.key].error
            }
            refused |= self._link(target, pairs)
        return refused

    def _link(self, target: str, pairs: dict[str, JsonDict]) -> dict[str, Written]:
        if not pairs:
            return {}
        path = f"/crm/v4/associations/{self.object.name}/{target}/batch/associate/default"
        try:
            self.connector.client.post(path, json={"inputs": list(pairs.values())})
        except RecordRejected as error:
            if len(pairs) == 1:
                return {key: Written(error=error) for key in pairs}
            return {k: v for key, pair in pairs.items() for k, v in self._link(target, {key: pair}).items()}
        return {}

    def _read_back(self, requests: list[WriteRequest], outcomes: dict[str, Written]) -> list[WriteResult]:
        ids = list(dict.fromkeys(outcome.record_id for outcome in outcomes.values() if not outcome.error))
        records: dict[str, SourceRecord] = {}
        for start in range(0, len(ids), BATCH_SIZE):
            records |= self.stream.get_many(ids[start : start + BATCH_SIZE])
        return [self._result(request, outcomes[request.key], records) for request in requests]

    def _result(self, request: WriteRequest, outcome: Written, records: dict[str, SourceRecord]) -> WriteResult:
        record = records.get(outcome.record_id)
        if outcome.error or record is None:
            lost = FatalError("HubSpot confirmed the write but does not show the record", code="read_back")
            return WriteResult(key=request.key, error=outcome.error or lost)
        return WriteResult(key=request.key, record=record)

    def _require_properties(self) -> None:
        """Create our custom properties that the portal lacks, once per sink."""
        if self._known:
            return
        known = {p["name"] for p in self.connector.client.get(f"/crm/v3/properties/{self.object.name}")["results"]}
        for definition in self.object.custom:
            if definition["name"] not in known:
                self._create_property(definition)
        self._known = known

    def _create_property(self, definition: JsonDict) -> None:
        try:
            self.connector.client.post(f"/crm/v3/properties/{self.object.name}", json=definition)
        except RecordRejected as error:
            # Another worker of this customer was faster.
            if error.status != 409:
                raise


def properties(request: WriteRequest) -> dict[str, str]:
    """The payload as HubSpot takes it: text values, nothing for null, associations elsewhere."""
    return {
        name: str(value)
        for name, value in request.payload.items()
        if value is not None and not name.startswith(LINK_PREFIX)
    }


def _found(record_id: str | None) -> Written:
    if record_id is None:
        return Written(error=RecordRejected("HubSpot did not confirm this record", code="not_confirmed"))
    return Written(record_id)
