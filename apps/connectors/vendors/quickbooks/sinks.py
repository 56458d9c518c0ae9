"""Writing QuickBooks: creates one by one under a request id, changes thirty at a time with their sync tokens."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.quickbooks.documents import amount
from apps.connectors.vendors.quickbooks.streams import (
    CustomerStream,
    EstimateStream,
    InvoiceStream,
    PaymentStream,
    QuickBooksStream,
)

if TYPE_CHECKING:
    from apps.connectors.vendors.quickbooks.connector import QuickBooksConnector

BATCH = 30
STALE = "5010"
# How often a change is repeated that somebody else's came before.
ATTEMPTS = 3
LONGEST_REQUEST_ID = 50


class QuickBooksSink(Removing):
    """Creates are deduplicated by `requestid`; a batch as a whole has one too, so it is of no use for single creates.

    A change needs the object's current `SyncToken`. A refusal as stale means that somebody saved in between: the object
    is read again and only our fields are written over it ("sparse").
    """

    stream_type: ClassVar[type[QuickBooksStream]]
    # How an object is taken away: documents are deleted, or voided; names of lists are made inactive.
    removal: ClassVar[str] = "delete"

    def __init__(self, connector: QuickBooksConnector) -> None:
        self.connector = connector
        self.stream = self.stream_type(connector)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        updates = [request for request in requests if request.external_id is not None]
        changed = {result.key: result for result in self._update_all(updates)}
        return [changed.get(request.key) or self._create(request) for request in requests]

    def resolve(self, key: str) -> SourceRecord | None:
        """Nothing to ask: the same create under the same request id gives the first answer again."""
        return None

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def remove(self, external_id: str) -> None:
        """With the sync token of the moment, again where somebody saved in between."""
        for attempt in range(1, ATTEMPTS + 1):
            held = self.stream.find_all([external_id]).get(external_id)
            if held is None:
                return
            try:
                self.take_away(held)
                return
            except RecordRejected as error:
                if error.code != STALE or attempt == ATTEMPTS:
                    raise

    def take_away(self, held: JsonDict) -> None:
        body = {"Id": held["Id"], "SyncToken": held["SyncToken"]}
        self.connector.post(self.stream.entity.lower(), body, operation=self.removal)

    @abstractmethod
    def body(self, payload: JsonDict) -> JsonDict:
        """The entity's fields as QuickBooks nests them."""

    def creation(self, payload: JsonDict) -> JsonDict:
        return {name: value for name, value in self.body(payload).items() if value not in (None, "")}

    def _create(self, request: WriteRequest) -> WriteResult:
        try:
            body = self.creation(request.payload)
            data = self.connector.post(self.stream.entity.lower(), body, requestid=request_id(request.key, body))
            return WriteResult(key=request.key, record=self.written(data))
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)

    def _update_all(self, requests: list[WriteRequest]) -> list[WriteResult]:
        results: dict[str, WriteResult] = {}
        waiting = requests
        for _ in range(ATTEMPTS):
            for start in range(0, len(waiting), BATCH):
                results |= {result.key: result for result in self._update(waiting[start : start + BATCH])}
            waiting = [request for request in waiting if _is_stale(results[request.key])]
            if not waiting:
                break
        return list(results.values())

    def _update(self, requests: list[WriteRequest]) -> list[WriteResult]:
        ids = sorted({request.external_id for request in requests if request.external_id})
        held = self.stream.find_all(ids)
        known = [request for request in requests if request.external_id in held]
        gone = [_gone(request) for request in requests if request.external_id not in held]
        return [*gone, *self._send_batch(known, held)]

    def _send_batch(self, requests: list[WriteRequest], held: dict[str, JsonDict]) -> list[WriteResult]:
        if not requests:
            return []
        items = [
            {"bId": str(number), "operation": "update", self.stream.entity: self.change(request, held)}
            for number, request in enumerate(requests)
        ]
        answer = self.connector.post("batch", {"BatchItemRequest": items}).get("BatchItemResponse")
        found = {item.get("bId"): item for item in answer or []}
        if set(found) != {item["bId"] for item in items}:
            raise FatalError("QuickBooks answered a batch with other items.", code="format")
        return [self._result(request, found[str(number)]) for number, request in enumerate(requests)]

    def change(self, request: WriteRequest, held: dict[str, JsonDict]) -> JsonDict:
        assert request.external_id is not None  # noqa: S101 - only updates come here
        token = held[request.external_id]["SyncToken"]
        return {**self.body(request.payload), "Id": request.external_id, "SyncToken": token, "sparse": True}

    def written(self, data: JsonDict) -> SourceRecord:
        item = data.get(self.stream.entity)
        if not isinstance(item, dict):
            raise FatalError(f"QuickBooks answered a write without a {self.stream.entity}.", code="format")
        return self.stream.record(item)

    def _result(self, request: WriteRequest, item: JsonDict) -> WriteResult:
        fault = item.get("Fault")
        if fault is None:
            return WriteResult(key=request.key, record=self.written(item))
        errors = fault.get("Error") or [{}]
        message = "; ".join(str(error.get("Detail") or error.get("Message") or "refused") for error in errors)
        return WriteResult(key=request.key, error=RecordRejected(message, code=str(errors[0].get("code") or "")))


class ListSink(QuickBooksSink):
    """Names of lists cannot be deleted: they are made inactive, which is what "delete" does on QuickBooks' own pages."""

    def is_gone(self, record: SourceRecord) -> bool:
        return record.deleted or record.data.get("Active") is False

    def take_away(self, held: JsonDict) -> None:
        """Who still owes stays: the API refuses that too ("Delete List Has Balance Error", seen in an issue of
        quickbooks-ruby), while QuickBooks' own pages offer to book the rest away. What Intuit says of it is unconfirmed.
        """
        if held.get("Balance"):
            raise RecordRejected("The customer has an open balance.", code="open_balance")
        body = {"Id": held["Id"], "SyncToken": held["SyncToken"], "sparse": True, "Active": False}
        self.connector.post(self.stream.entity.lower(), body)


class CustomerSink(ListSink):
    stream_type = CustomerStream

    def body(self, payload: JsonDict) -> JsonDict:
        fields: JsonDict = {name: payload[name] for name in ("DisplayName", "Active") if payload.get(name) is not None}
        for ours, theirs, part in _CONTACT_FIELDS:
            if ours in payload:
                fields[theirs] = {part: payload[ours] or ""}
        return fields

    def creation(self, payload: JsonDict) -> JsonDict:
        """A currency can only be chosen for a new customer."""
        parts = {theirs: part for _, theirs, part in _CONTACT_FIELDS}
        fields = super().creation(payload)
        shown = {name: value for name, value in fields.items() if name not in parts or value[parts[name]]}
        shown.pop("Active", None)
        return {**shown, **reference("CurrencyRef", payload.get("Currency"))}


_CONTACT_FIELDS = (
    ("Email", "PrimaryEmailAddr", "Address"),
    ("Phone", "PrimaryPhone", "FreeFormNumber"),
    ("Website", "WebAddr", "URI"),
)


class DocumentSink(QuickBooksSink):
    """Invoices and estimates: header fields as they are, lines sold as one item."""

    header: ClassVar[tuple[str, ...]]

    def body(self, payload: JsonDict) -> JsonDict:
        fields = {name: payload[name] for name in self.header if payload.get(name) not in (None, "")}
        fields |= reference("CustomerRef", payload.get("CustomerId"))
        if payload.get("Lines") is not None:
            item, tax = payload.get("ItemId") or "1", payload.get("TaxCode")
            fields["Line"] = [document_line(line, item, tax) for line in payload["Lines"]]
        return fields

    def creation(self, payload: JsonDict) -> JsonDict:
        return {**super().creation(payload), **reference("CurrencyRef", payload.get("Currency"))}

    def change(self, request: WriteRequest, held: dict[str, JsonDict]) -> JsonDict:
        """A document made out to a customer's job stays with the job."""
        fields = super().change(request, held)
        wanted = (fields.get("CustomerRef") or {}).get("value")
        if wanted == self.stream.customer_of(held[fields["Id"]]):
            fields["CustomerRef"] = held[fields["Id"]]["CustomerRef"]
        return fields


class InvoiceSink(DocumentSink):
    stream_type = InvoiceStream
    # The number stays in its series, worth nothing.
    removal = "void"
    header = ("DocNumber", "TxnDate", "DueDate")

    def is_gone(self, record: SourceRecord) -> bool:
        return record.deleted or record.data.get("Status") == "void"

    def take_away(self, held: JsonDict) -> None:
        if amount(held.get("Balance")) != amount(held.get("TotalAmt")):
            raise RecordRejected("The invoice has payments, which voiding would set free.", code="has_payments")
        super().take_away(held)

    def _update(self, requests: list[WriteRequest]) -> list[WriteResult]:
        voids = [request for request in requests if request.payload.get("Status") == "void"]
        others = [request for request in requests if request.payload.get("Status") != "void"]
        return [*(self._void(request) for request in voids), *(super()._update(others) if others else [])]

    def _void(self, request: WriteRequest) -> WriteResult:
        """Voiding is an operation of its own; an invoice that is void already stays as it is."""
        external_id = request.external_id or ""
        held = self.stream.find_all([external_id]).get(external_id)
        if held is None:
            return _gone(request)
        record = self.stream.record(held)
        if record.data["Status"] == "void":
            return WriteResult(key=request.key, record=record)
        body = {"Id": external_id, "SyncToken": held["SyncToken"]}
        try:
            return WriteResult(
                key=request.key, record=self.written(self.connector.post("invoice", body, operation="void"))
            )
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)


class EstimateSink(DocumentSink):
    stream_type = EstimateStream
    header = ("DocNumber", "TxnDate", "ExpirationDate", "TxnStatus", "PrivateNote")


class PaymentSink(QuickBooksSink):
    stream_type = PaymentStream

    def body(self, payload: JsonDict) -> JsonDict:
        fields = {name: payload[name] for name in ("TxnDate", "PaymentRefNum") if payload.get(name)}
        if payload.get("TotalAmt") is not None:
            fields["TotalAmt"] = float(payload["TotalAmt"])
        return fields

    def creation(self, payload: JsonDict) -> JsonDict:
        """The customer is the invoice's. Raises RecordRejected when there is no such invoice any more."""
        invoice = self.connector.get(f"invoice/{payload['InvoiceId']}").get("Invoice") or {}
        customer = (invoice.get("CustomerRef") or {}).get("value")
        return {**super().creation(payload), **reference("CustomerRef", customer), **_paying(payload)}

    def change(self, request: WriteRequest, held: dict[str, JsonDict]) -> JsonDict:
        """Lines are written as a whole, and a payment must name its customer again even when it is sparse."""
        fields = super().change(request, held)
        customer = held[fields["Id"]]["CustomerRef"]
        is_allocated = request.payload.get("InvoiceId") and "TotalAmt" in fields
        return {**fields, "CustomerRef": customer, **(_paying(request.payload) if is_allocated else {})}


def _paying(payload: JsonDict) -> JsonDict:
    link = {"TxnId": payload["InvoiceId"], "TxnType": "Invoice"}
    return {"Line": [{"Amount": float(payload["TotalAmt"]), "LinkedTxn": [link]}]}


def document_line(line: JsonDict, item: str, tax_code: str | None) -> JsonDict:
    """Intuit wants JSON numbers; a decimal text of up to 15 digits is printed back unchanged from a float."""
    detail: JsonDict = {"ItemRef": {"value": item}, **reference("TaxCodeRef", tax_code)}
    for name in ("Qty", "UnitPrice"):
        if line.get(name) not in (None, ""):
            detail[name] = float(line[name])
    shown: JsonDict = {
        "DetailType": "SalesItemLineDetail",
        "Amount": float(line["Amount"]),
        "SalesItemLineDetail": detail,
    }
    return {**shown, "Description": line["Description"]} if line.get("Description") else shown


def reference(name: str, value: Any) -> JsonDict:
    return {name: {"value": str(value)}} if value else {}


def request_id(key: str, body: JsonDict) -> str:
    """The intent's key bound to what is sent, in the 50 characters Intuit allows.

    A repeated id gets the first answer, also when that was a refusal: a corrected record must not be given the old one.
    """
    content = key.encode() + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:LONGEST_REQUEST_ID]


def _is_stale(result: WriteResult) -> bool:
    return isinstance(result.error, RecordRejected) and result.error.code == STALE


def _gone(request: WriteRequest) -> WriteResult:
    return WriteResult(
        key=request.key, error=RecordRejected("QuickBooks does not have this record any more.", code="610")
    )
