"""Writing Stripe: every call of a create is repeatable under its own idempotency key."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from apps.connectors.sdk.errors import ConnectorError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.stripe_billing.streams import (
    CustomerStream,
    InvoiceStream,
    StripeStream,
    SubscriptionStream,
)
from apps.connectors.vendors.stripe_billing.wire import seconds_of, stripe_units

if TYPE_CHECKING:
    from apps.connectors.vendors.stripe_billing.connector import StripeConnector

MARK = "sync_ref"
# What an invoice is to become, "<number of lines> <status>": tells a whole one from one left behind half way.
PLAN = "sync_plan"
# Stripe keeps idempotency keys for a day at least; an hour of margin.
KEYS_ARE_KEPT = timedelta(hours=23)
_INTERVALS = {"week": ("week", 1), "month": ("month", 1), "quarter": ("month", 3), "year": ("year", 1)}


class StripeSink(SingleSink):
    """Keys are remembered for a day; what was made is also marked in its metadata, which Stripe's search finds later.

    The search lags by up to a minute, so it is only asked whether the object is there: when it finds none, the same
    call under the same key settles it.
    """

    stream_type: ClassVar[type[StripeStream]]

    def __init__(self, connector: StripeConnector) -> None:
        self.source = self.stream_type(connector)
        super().__init__(connector, self.source)

    def resolve(self, key: str) -> SourceRecord | None:
        query = f"metadata['{MARK}']:'{key}'"
        try:
            found = self.connector.get(f"{self.source.path}/search", {"query": query, "limit": 1}).get("data") or []
        except ConnectorError as error:
            # Accounts in some countries have no search.
            if error.status in (400, 403, 404):
                return None
            raise
        marked = [item for item in found if (item.get("metadata") or {}).get(MARK) == key]
        return self.source.get(marked[0]["id"]) if marked and self.is_complete(marked[0]) else None

    def is_complete(self, item: JsonDict) -> bool:
        """Whether everything a create wanted was done, not only its first call."""
        return True


class CustomerSink(StripeSink, Removing):
    stream_type = CustomerStream
    checks: ClassVar[Any] = {"name": lambda data: data.get("name"), "email": lambda data: data.get("email")}

    def create(self, request: WriteRequest) -> str:
        given = {name: value for name, value in self._fields(request.payload).items() if value}
        metadata = {**given.pop("metadata", {}), MARK: request.key}
        return str(self.connector.post("/v1/customers", {**given, "metadata": metadata}, key=request.key)["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        """An empty text clears a field."""
        fields = {name: "" if value is None else value for name, value in self._fields(request.payload).items()}
        item = self.connector.post(f"/v1/customers/{external_id}", fields)
        if item.get("deleted"):
            raise RecordRejected("The customer was deleted in Stripe.", code="resource_missing")

    def remove(self, external_id: str) -> None:
        """Stripe cancels a deleted customer's subscriptions at once: that is never done by the way."""
        running = self.connector.get("/v1/subscriptions", {"customer": external_id, "limit": 1})
        if running.get("data"):
            raise RecordRejected("The customer has subscriptions, which would be canceled.", code="has_subscriptions")
        self.connector.delete(f"/v1/customers/{external_id}")

    def _fields(self, payload: JsonDict) -> JsonDict:
        fields: JsonDict = {name: payload[name] for name in ("name", "email", "phone") if name in payload}
        extra = {name: payload[name] or "" for name in ("number", "website") if name in payload}
        return {**fields, "metadata": extra} if extra else fields


class InvoiceSink(StripeSink, Removing):
    """A draft, its items, then finalized: from then on Stripe changes neither lines nor due date."""

    stream_type = InvoiceStream

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        header = {
            "customer": payload["customer"],
            "auto_advance": False,
            "collection_method": "send_invoice",
            "pending_invoice_items_behavior": "exclude",
            **self._header(payload),
            "metadata": {
                MARK: request.key,
                PLAN: f"{len(payload.get('lines') or [])} {payload.get('status') or 'draft'}",
            },
        }
        if not header.get("due_date"):
            header["days_until_due"] = 30
        invoice_id = str(self.connector.post("/v1/invoices", header, key=request.key, step="draft")["id"])
        try:
            self._add_lines(invoice_id, payload, key=request.key)
            self._advance(invoice_id, "draft", payload.get("status"), key=request.key)
        except RecordRejected:
            self.connector.delete(f"/v1/invoices/{invoice_id}")
            raise
        return invoice_id

    def update(self, external_id: str, request: WriteRequest) -> None:
        payload, held = request.payload, self.connector.get(f"/v1/invoices/{external_id}")
        if held["status"] == "draft":
            self.connector.post(f"/v1/invoices/{external_id}", self._header(payload))
            if payload.get("lines") is not None:
                self._replace_lines(held, payload)
        elif payload.get("lines") is not None and not self._has_lines(held, payload):
            raise RecordRejected(
                "Stripe has finalized this invoice: its lines cannot change.", code="invoice_not_editable"
            )
        elif "description" in payload:
            self.connector.post(f"/v1/invoices/{external_id}", {"description": payload["description"] or ""})
        self._advance(external_id, held["status"], payload.get("status"))

    def is_complete(self, item: JsonDict) -> bool:
        """A draft left behind half way is finished by repeating the calls while Stripe remembers their keys.

        After that the repeat would make a second one, so the first is taken away.
        """
        lines, _, wanted = str((item.get("metadata") or {}).get(PLAN, "")).partition(" ")
        if item["status"] != "draft":
            return True
        if wanted == "draft" and len(InvoiceStream(self.connector).lines_of(item)) == int(lines):
            return True
        if item["created"] < (self.connector.context.now() - KEYS_ARE_KEPT).timestamp():
            self.connector.delete(f"/v1/invoices/{item['id']}")
        return False

    def is_gone(self, record: SourceRecord) -> bool:
        return record.deleted or record.data.get("status") == "void"

    def remove(self, external_id: str) -> None:
        """A draft is deleted, a finalized one voided; Stripe refuses both for what is paid."""
        held = self.connector.get(f"/v1/invoices/{external_id}")
        if held["status"] == "draft":
            self.connector.delete(f"/v1/invoices/{external_id}")
        else:
            self.connector.post(f"/v1/invoices/{external_id}/void", {})

    def _header(self, payload: JsonDict) -> JsonDict:
        header = {"description": payload.get("description"), "due_date": seconds_of(payload.get("due_date"))}
        return {name: value for name, value in header.items() if value}

    def _advance(self, invoice_id: str, held: str, wanted: str | None, *, key: str = "") -> None:
        """From draft through open to paid (elsewhere) or void, as far as wanted and allowed; never back."""
        place = f"/v1/invoices/{invoice_id}"
        if held == "draft" and wanted in ("open", "paid", "void"):
            self.connector.post(f"{place}/finalize", {"auto_advance": False}, key=key, step="finalize")
            held = "open"
        if held == "open" and wanted == "paid":
            self.connector.post(f"{place}/pay", {"paid_out_of_band": True}, key=key, step="pay")
        if held in ("open", "uncollectible") and wanted == "void":
            self.connector.post(f"{place}/void", {}, key=key, step="void")

    def _add_lines(self, invoice_id: str, payload: JsonDict, *, key: str = "") -> None:
        place = {"customer": payload["customer"], "invoice": invoice_id}
        for number, line in enumerate(payload.get("lines") or []):
            self.connector.post("/v1/invoiceitems", {**place, **invoice_item(line)}, key=key, step=f"line{number}")

    def _replace_lines(self, held: JsonDict, payload: JsonDict) -> None:
        if self._has_lines(held, payload):
            return
        for line in InvoiceStream(self.connector).lines_of(held):
            if line.get("invoice_item"):
                self.connector.delete(f"/v1/invoiceitems/{line['invoice_item']}")
        self._add_lines(held["id"], {**payload, "customer": payload.get("customer") or held["customer"]})

    def _has_lines(self, held: JsonDict, payload: JsonDict) -> bool:
        lines = InvoiceStream(self.connector).lines_of(held)
        there = sorted((line.get("description") or "", int(line["amount"])) for line in lines)
        wanted = sorted((line["description"], stripe_units(line["amount"])) for line in payload["lines"])
        return there == wanted


def invoice_item(line: JsonDict) -> JsonDict:
    """Whole pieces with their price; for 3.25 hours Stripe has only the amount, and the quantity is kept beside it."""
    amount, price = stripe_units(line["amount"]), stripe_units(line["unit_price"])
    pieces = Decimal(str(line["quantity"]))
    item: JsonDict = {"currency": str(line["amount"]["currency"]).lower(), "description": line["description"]}
    if pieces == pieces.to_integral_value() and pieces > 0 and price * int(pieces) == amount:
        return {**item, "quantity": int(pieces), "unit_amount": price}
    return {**item, "amount": amount, "metadata": {"quantity": f"{pieces.normalize():f}"}}


class SubscriptionSink(StripeSink, Removing):
    stream_type = SubscriptionStream

    def is_gone(self, record: SourceRecord) -> bool:
        return record.deleted or record.data.get("status") == "canceled"

    def remove(self, external_id: str) -> None:
        """Canceled at once; what was billed stays billed."""
        self.connector.delete(f"/v1/subscriptions/{external_id}")

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        if not payload.get("product") or not payload.get("amount") or not payload.get("interval"):
            raise RecordRejected(
                "A subscription needs an amount, an interval and the connection's product.", code="incomplete"
            )
        interval, count = _INTERVALS[payload["interval"]]
        quantity = _whole(payload.get("quantity"))
        unit, rest = divmod(stripe_units(payload["amount"]), quantity)
        if rest:
            raise RecordRejected("The amount cannot be divided by the quantity.", code="indivisible")
        price = {
            "currency": str(payload["amount"]["currency"]).lower(),
            "product": payload["product"],
            "recurring": {"interval": interval, "interval_count": count},
            "unit_amount": unit,
        }
        values = {
            "customer": payload["customer"],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "items": [{"price_data": price, "quantity": quantity}],
            "metadata": {"name": payload.get("name"), MARK: request.key},
        }
        return str(self.connector.post("/v1/subscriptions", values, key=request.key)["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        """Name and quantity change; cancelling is at once. A price stays: Stripe changes it by another price."""
        payload, place = request.payload, f"/v1/subscriptions/{external_id}"
        held = self.connector.get(place)
        if held["status"] == "canceled":
            if payload.get("status") != "cancelled":
                raise RecordRejected("Stripe has canceled this subscription for good.", code="canceled")
            return
        if payload.get("status") == "cancelled":
            self.connector.delete(place)
            return
        items = held["items"]["data"]
        values: JsonDict = {"metadata": {"name": payload.get("name") or ""}} if "name" in payload else {}
        if payload.get("quantity") is not None and len(items) == 1:
            values["items"] = [{"id": items[0]["id"], "quantity": _whole(payload["quantity"])}]
        if values:
            self.connector.post(place, values)


def _whole(quantity: Any) -> int:
    pieces = Decimal(str(quantity or 1))
    if pieces != pieces.to_integral_value() or pieces < 1:
        raise RecordRejected("Stripe takes whole quantities only.", code="fraction")
    return int(pieces)
