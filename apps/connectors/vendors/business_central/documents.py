"""Sales invoices and quotes: a head with its lines, a check of the sums, and the action that makes an invoice count."""

from __future__ import annotations

from decimal import Decimal

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.business_central.sinks import BusinessCentralSink

DRAFT_MARK = "-D"
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
    """Posted unless it is meant to stay a draft; the mark of those ends in "-D", for whoever finds one after a crash."""

    lines = "salesInvoiceLines"

    def resolve(self, key: str) -> SourceRecord | None:
        record = super().resolve(key)
        if record is None:
            return self.stream.marked(self.mark(key) + DRAFT_MARK)
        if record.data["status"] == "Draft":
            self.api.act(f"{self.stream.path}({record.external_id})", "post")
        return self._read_back(record.external_id)

    def release(self, external_id: str, payload: JsonDict) -> None:
        if payload.get("status") != "draft":
            self.api.act(f"{self.stream.path}({external_id})", "post")

    def request_mark(self, request: WriteRequest) -> str:
        return super().request_mark(request) + (DRAFT_MARK if request.payload.get("status") == "draft" else "")

    def _values(self, request: WriteRequest, *, create: bool) -> JsonDict:
        if not create:
            raise RecordRejected("an invoice is not changed once it is in Business Central", code="immutable")
        return super()._values(request, create=create)


class QuoteSink(DocumentSink):
    lines = "salesQuoteLines"


def require_sums(data: JsonDict, payload: JsonDict) -> None:
    for there, here in (("totalAmountIncludingTax", "total"), ("totalTaxAmount", "tax")):
        wanted = payload.get(here)
        if wanted is not None and Decimal(str(data[there])) != Decimal(wanted):
            message = f"Business Central makes the {here} {data[there]} where {wanted} was asked for"
            raise RecordRejected(message, code="amounts_differ")
