"""Writing Xero: batches in which every element succeeds or fails on its own."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.xero.streams import API, ContactStream, InvoiceStream, PaymentStream, XeroStream

if TYPE_CHECKING:
    from apps.connectors.vendors.xero.connector import XeroConnector

LONGEST_CONTACT_NUMBER = 50


class XeroSink(Removing):
    """PUT creates, POST changes. A create carries its key as a mark the vendor can be asked for (`mark_field`)."""

    stream_type: ClassVar[type[XeroStream]]
    mark_field: ClassVar[str]

    def __init__(self, connector: XeroConnector) -> None:
        self.connector = connector
        self.stream = self.stream_type(connector)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        creates = [request for request in requests if request.external_id is None]
        updates = [request for request in requests if request.external_id is not None]
        results = {r.key: r for r in (*self._send("PUT", creates), *self._send("POST", updates))}
        return [results[request.key] for request in requests]

    def resolve(self, key: str) -> SourceRecord | None:
        mark = self.mark(key)
        found = self.stream.find_where(f'{self.mark_field}=="{mark}"')
        if found is not None and found.data.get(self.mark_field) != mark:
            raise FatalError(f"Xero ignored the filter on {self.mark_field}.", code="filter_ignored")
        return found

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def mark(self, key: str) -> str:
        return key

    def remove(self, external_id: str) -> None:
        """A payment; only its status can be set, and by itself."""
        self.set_status(external_id, {"Status": "DELETED"})

    def is_gone(self, record: SourceRecord) -> bool:
        return record.deleted or record.data.get("Status") == "VOIDED" or record.data.get("ContactStatus") == "ARCHIVED"

    def set_status(self, external_id: str, status: JsonDict) -> None:
        """Xero deletes nothing by a call of its own: a record is told to be archived, deleted or void."""
        path = f"{API}/{self.stream.path}/{external_id}"
        self.connector.client.post(path, json=status, headers=self.connector.tenant_header())

    @abstractmethod
    def element(self, request: WriteRequest) -> JsonDict:
        """One element of the call's list, as Xero nests it."""

    def _send(self, method: str, requests: list[WriteRequest]) -> list[WriteResult]:
        if not requests:
            return []
        body = {self.stream.path: [self.element(request) for request in requests]}
        try:
            data = self.connector.client.request(
                method,
                f"{API}/{self.stream.path}",
                params={"summarizeErrors": "false"},
                json=body,
                headers={**self.connector.tenant_header(), "idempotency-key": idempotency_key(requests, body)},
            )
        except RecordRejected as error:
            if len(requests) == 1:
                return [WriteResult(key=requests[0].key, error=error)]
            # The whole call was refused and nothing stored: alone, each element gets its own answer.
            return [result for request in requests for result in self._send(method, [request])]
        return self._results(requests, data)

    def _results(self, requests: list[WriteRequest], data: Any) -> list[WriteResult]:
        elements = data.get(self.stream.path) if isinstance(data, dict) else None
        if not isinstance(elements, list) or len(elements) != len(requests):
            raise FatalError("Xero answered a batch with another number of elements.", code="format")
        return [self._result(request, element) for request, element in zip(requests, elements, strict=True)]

    def _result(self, request: WriteRequest, element: JsonDict) -> WriteResult:
        messages = [str(error.get("Message", "")) for error in element.get("ValidationErrors") or []]
        if messages or element.get("StatusAttributeString") == "ERROR":
            message = "; ".join(messages) or "Xero refused this record without a reason."
            return WriteResult(key=request.key, error=RecordRejected(message, code="ValidationException"))
        return WriteResult(key=request.key, record=self.stream.record(element))


class ContactSink(XeroSink):
    stream_type = ContactStream
    mark_field = "ContactNumber"

    def mark(self, key: str) -> str:
        """ContactNumber is Xero's field for ids of other systems, shown nowhere; it holds 50 characters."""
        return key if len(key) <= LONGEST_CONTACT_NUMBER else hashlib.sha256(key.encode()).hexdigest()[:40]

    def remove(self, external_id: str) -> None:
        archived = {"ContactID": external_id, "ContactStatus": "ARCHIVED"}
        self.set_status(external_id, {"Contacts": [archived]})

    def element(self, request: WriteRequest) -> JsonDict:
        fields = dict(request.payload)
        phone = fields.pop("Phone", None)
        currency = fields.pop("DefaultCurrency", None)
        status = fields.pop("ContactStatus", None)
        if request.external_id is None:
            fields = {key: value for key, value in fields.items() if value not in (None, "")}
            fields["ContactNumber"] = self.mark(request.key)
        else:
            # An empty text clears a field; null would leave the old value.
            fields = {key: "" if value is None else value for key, value in fields.items()}
            fields["ContactID"] = request.external_id
            # Archiving is for what exists; nobody is brought back from the archive by a write.
            fields |= {"ContactStatus": status} if status == "ARCHIVED" else {}
        if currency:
            fields["DefaultCurrency"] = currency
        if phone or (request.external_id and "Phone" in request.payload):
            fields["Phones"] = [
                {"PhoneType": "DEFAULT", "PhoneNumber": phone or "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
            ]
        return fields


class InvoiceSink(XeroSink):
    stream_type = InvoiceStream
    mark_field = "Reference"

    def remove(self, external_id: str) -> None:
        """A draft is deleted, an approved invoice voided; Xero keeps those with payments."""
        held = self.stream.get(external_id)
        is_draft = held is not None and held.data["Status"] in ("DRAFT", "SUBMITTED")
        undone = {"InvoiceID": external_id, "Status": "DELETED" if is_draft else "VOIDED"}
        self.set_status(external_id, {"Invoices": [undone]})

    def element(self, request: WriteRequest) -> JsonDict:
        fields = {key: value for key, value in request.payload.items() if value not in (None, "")}
        account, tax_type = fields.pop("AccountCode", None), fields.pop("TaxType", None)
        if "ContactID" in fields:
            fields["Contact"] = {"ContactID": fields.pop("ContactID")}
        if "LineItems" in fields:
            fields["LineAmountTypes"] = "Exclusive"
            fields["LineItems"] = [invoice_line(line, account, tax_type) for line in fields["LineItems"]]
        if request.external_id is not None:
            return {**fields, "InvoiceID": request.external_id}
        return {"Type": "ACCREC", **fields, "Reference": self.mark(request.key)}


class PaymentSink(XeroSink):
    """Payments received elsewhere, recorded against their invoice; Xero lets nobody change them, only reverse them."""

    stream_type = PaymentStream
    mark_field = "Reference"

    def element(self, request: WriteRequest) -> JsonDict:
        payload = request.payload
        return {
            "Invoice": {"InvoiceID": payload["InvoiceID"]},
            "Account": {"Code": payload["AccountCode"]},
            "Amount": float(payload["Amount"]),
            "Date": payload["Date"],
            "Reference": self.mark(request.key),
        }


def invoice_line(line: JsonDict, account: str | None, tax_type: str | None) -> JsonDict:
    shown = {key: value for key, value in line.items() if value not in (None, "")}
    for name in ("Quantity", "UnitAmount", "LineAmount"):
        if name in shown:
            # Xero wants JSON numbers; a decimal text of up to 15 digits is printed back unchanged from a float.
            shown[name] = float(shown[name])
    if account:
        shown.setdefault("AccountCode", account)
    if tax_type:
        shown.setdefault("TaxType", tax_type)
    return shown


def idempotency_key(requests: list[WriteRequest], body: JsonDict) -> str:
    """The intent's key bound to what is sent.

    Xero repeats the first answer to a key, also a refusal: a corrected record must not get the old one. Twice the same
    call gives the same key; after Xero forgot it, `resolve` finds the object by its mark.
    """
    digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"{requests[0].key}-{digest[:32]}" if len(requests) == 1 else digest
