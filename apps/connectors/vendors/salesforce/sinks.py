"""Writing in collections of 200: creates as upserts on the unique mark, updates by id, then read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.connectors.sdk.errors import ConnectorError, FatalError, RecordRejected, TransientError
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.salesforce.objects import CURRENCY, SYNC_REF, SalesforceObject
from apps.connectors.vendors.salesforce.streams import SalesforceStream

if TYPE_CHECKING:
    from apps.connectors.vendors.salesforce.connector import SalesforceConnector

COLLECTIONS = "/services/data/v60.0/composite/sobjects"
BATCH_SIZE = 200
INITIAL = "initial_"
PAYMENT_CURRENCY = "payment_currency"
CREATE_ONLY = "INVALID_FIELD_FOR_INSERT_UPDATE"
GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})


class SalesforceSink(Removing):
    """The mark is unique, so an upsert repeated after a lost answer finds the record it made.

    Payload keys are field names; `payment_currency` is only compared; `initial_<field>` goes into a create only, where the field itself has no value. Null
    leaves a field as it is, "" clears it. Within a collection every record succeeds or fails on its own.
    """

    def __init__(self, connector: SalesforceConnector, *, salesforce_object: SalesforceObject) -> None:
        self.connector = connector
        self.object = salesforce_object
        self.stream = SalesforceStream(connector, salesforce_object=salesforce_object)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        outcomes: dict[str, str | ConnectorError] = {}
        creates = [request for request in requests if request.external_id is None]
        updates = [request for request in requests if request.external_id is not None]
        for start in range(0, len(creates), BATCH_SIZE):
            outcomes |= self._upsert(creates[start : start + BATCH_SIZE])
        for start in range(0, len(updates), BATCH_SIZE):
            outcomes |= self._send(COLLECTIONS, updates[start : start + BATCH_SIZE])
        return self._read_back(requests, outcomes)

    def resolve(self, key: str) -> SourceRecord | None:
        return self.stream.find_all(SYNC_REF, [key]).get(key)

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def remove(self, external_id: str) -> None:
        """To the recycle bin, for fifteen days."""
        path = f"/services/data/v60.0/sobjects/{self.object.sobject}/{external_id}"
        self.connector.client.delete(path, expects_json=False)

    def _upsert(self, requests: list[WriteRequest]) -> dict[str, str | ConnectorError]:
        outcomes = self._send(f"{COLLECTIONS}/{self.object.sobject}/{SYNC_REF}", requests)
        refused = [key for key, outcome in outcomes.items() if getattr(outcome, "code", "") == CREATE_ONLY]
        # An upsert repeated after a lost answer is an update, and fields that only a create may set refuse it.
        made = self.stream.find_all(SYNC_REF, refused) if refused else {}
        return {**outcomes, **{key: record.external_id for key, record in made.items()}}

    def _send(self, path: str, requests: list[WriteRequest]) -> dict[str, str | ConnectorError]:
        """What became of each request: the record's id, or why it was refused."""
        refused = {request.key: problem for request in requests if (problem := self._foreign_currency(request))}
        sent = [request for request in requests if request.key not in refused]
        if not sent:
            return dict(refused)
        body = {"allOrNone": False, "records": [self._element(request) for request in sent]}
        answer = self.connector.client.patch(path, json=body)
        if not isinstance(answer, list) or len(answer) != len(sent):
            raise FatalError("Salesforce answered fewer results than records", code="format")
        return {**refused, **{request.key: _outcome(result) for request, result in zip(sent, answer, strict=True)}}

    def _element(self, request: WriteRequest) -> JsonDict:
        """`attributes` must come first: Salesforce cannot read the record otherwise."""
        element: JsonDict = {"attributes": {"type": self.object.sobject}}
        if request.external_id is None:
            element[SYNC_REF] = request.key
        else:
            element["id"] = request.external_id
        for name, value in self._values(request).items():
            element[name] = None if value == "" else value
        return element

    def _values(self, request: WriteRequest) -> JsonDict:
        values = {k: v for k, v in request.payload.items() if v is not None and not k.startswith(INITIAL)}
        if request.external_id is None:
            first = {k.removeprefix(INITIAL): v for k, v in request.payload.items() if k.startswith(INITIAL)}
            values = {**{name: value for name, value in first.items() if value is not None}, **values}
        values.pop(PAYMENT_CURRENCY, None)
        if not self.connector.has_currencies:
            values.pop(CURRENCY, None)
        return values

    def _foreign_currency(self, request: WriteRequest) -> ConnectorError | None:
        """Salesforce would take dollars for euros without a word: amounts are plain numbers in the record's currency."""
        own, paid_in = request.payload.get(CURRENCY), request.payload.get(PAYMENT_CURRENCY)
        kept = own if self.connector.has_currencies else self.connector.currency
        for given in (own, paid_in):
            if given and kept and given != kept:
                message = f"this Salesforce {'opportunity' if own == kept else 'org'} keeps {kept}, not {given}"
                return RecordRejected(message, code="currency")
        return None

    def _read_back(self, requests: list[WriteRequest], outcomes: dict[str, str | ConnectorError]) -> list[WriteResult]:
        ids = list(dict.fromkeys(outcome for outcome in outcomes.values() if isinstance(outcome, str)))
        records: dict[str, SourceRecord] = {}
        for start in range(0, len(ids), BATCH_SIZE):
            records |= self.stream.get_many(ids[start : start + BATCH_SIZE])
        return [_result(request, outcomes[request.key], records) for request in requests]


def _outcome(result: JsonDict) -> str | ConnectorError:
    if result["success"]:
        return str(result["id"])
    errors = result["errors"]
    code = errors[0]["statusCode"] if errors else ""
    message = "; ".join(error["message"] for error in errors) or "Salesforce refused the record"
    if code == "UNABLE_TO_LOCK_ROW":
        return TransientError(message, code=code)
    return RecordRejected(message, code=code, status=404 if code in GONE else 400)


def _result(request: WriteRequest, outcome: str | ConnectorError, records: dict[str, SourceRecord]) -> WriteResult:
    if isinstance(outcome, ConnectorError):
        return WriteResult(key=request.key, error=outcome)
    if outcome not in records:
        error = FatalError("Salesforce confirmed the write but does not show the record", code="read_back")
        return WriteResult(key=request.key, error=error)
    return WriteResult(key=request.key, record=records[outcome])
