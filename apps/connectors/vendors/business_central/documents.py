"""Sales invoices and quotes: a head with its lines, a check of the sums, and the action that makes an invoice count."""

from __future__ import annotations

from decimal import Decimal

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.business_central.sinks import BusinessCentralSink

DRAFT = "D"
# Ours to read, not Business Central's to write.
NOTES = ("lines", "status", "total", "tax", "currencyCode")


class DocumentSink(BusinessCentralSink):
    """Head and lines go out in one request, so no half document can be left behind. The mark is the external number."""

    lines = ""

    def _create(self, requests: list[WriteRequest]) -> list[WriteResult]:
        known = self._known(requests)
        return [self._create_one(request, known.get(request.key)) for request in requests]

    def _create_one(self, request: WriteRequest, known: str | None) -> WriteResult:
        try:
            external_id = known or str(self.api.create(self.stream.path, self._values(request, create=True))["id"])
            self._finish(external_id, request)
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)
        return WriteResult(key=request.key, record=self._read_back(external_id))

    def _finish(self, external_id: str, request: WriteRequest) -> None:
        """Raises RecordRejected, and takes the draft back, when the sums differ or it may not be posted."""
        record = self._read_back(external_id)
        if record.data["status"] != "Draft":
            return
        try:
            require_sums(record.data, request.payload)
            self.release(external_id, request.payload)
        except RecordRejected:
            self.api.delete(f"{self.stream.path}({external_id})")
            raise

    def release(self, external_id: str, payload: JsonDict) -> None:
        """What makes a checked draft count. Raises RecordRejected."""

    def _values(self, request: WriteRequest, *, create: bool) -> JsonDict:
        every = super()._values(request, create=create)
        values = {name: value for name, value in every.items() if name not in NOTES}
        if not create:
            return values
        lines = [self._line(line) for line in request.payload.get("lines") or []]
        if not lines:
            raise RecordRejected("a document needs at least one line", code="required")
        currency = request.payload.get("currencyCode")
        # The books' own currency is written as none at all.
        foreign = {"currencyCode": currency} if currency and currency != self.connector.currency else {}
        return {**values, **foreign, self.lines: lines}

    def _line(self, line: JsonDict) -> JsonDict:
        return {
            "lineType": "Account",
            "lineObjectNumber": self.connector.revenue_account,
            "description": str(line["description"])[:100],
            "quantity": float(line["quantity"]),
            "unitPrice": float(line["unit_price"]),
        }


class InvoiceSink(DocumentSink):
    """Posted unless it is meant to stay a draft.

    The mark ends in what is to become of the draft: "D", or the total in cents to post it with. Whoever finds one after
    a crash knows what was wanted, and posts nothing that Business Central counts differently.
    """

    lines = "salesInvoiceLines"

    def resolve(self, key: str) -> SourceRecord | None:
        start = f"{self.mark(key)}-"
        for record in self.stream.marked_from(start):
            wanted = str(record.data["externalDocumentNumber"]).removeprefix(start)
            if wanted != DRAFT and not wanted.isdecimal():
                continue
            if record.data["status"] != "Draft" or wanted == DRAFT:
                return record
            path = f"{self.stream.path}({record.external_id})"
            if digits(str(record.data["totalAmountIncludingTax"])) != wanted:
                self.api.delete(path)
                return None
            self.api.act(path, "post")
            return self._read_back(record.external_id)
        return None

    def release(self, external_id: str, payload: JsonDict) -> None:
        if payload.get("status") != "draft":
            self.api.act(f"{self.stream.path}({external_id})", "post")

    def request_mark(self, request: WriteRequest) -> str:
        is_draft = request.payload.get("status") == "draft"
        return f"{super().request_mark(request)}-{DRAFT if is_draft else digits(request.payload['total'])}"

    def _values(self, request: WriteRequest, *, create: bool) -> JsonDict:
        if not create:
            raise RecordRejected("an invoice is not changed once it is in Business Central", code="immutable")
        return super()._values(request, create=create)


class QuoteSink(DocumentSink):
    lines = "salesQuoteLines"


def digits(amount: str) -> str:
    """An amount as a whole number of its hundredths."""
    return str(int(Decimal(amount) * 100))


def require_sums(data: JsonDict, payload: JsonDict) -> None:
    for there, here in (("totalAmountIncludingTax", "total"), ("totalTaxAmount", "tax")):
        wanted = payload.get(here)
        if wanted is not None and Decimal(str(data[there])) != Decimal(wanted):
            message = f"Business Central makes the {here} {data[there]} where {wanted} was asked for"
            raise RecordRejected(message, code="amounts_differ")
