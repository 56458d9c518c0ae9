"""Writing Chargebee: ids of our own where it takes them, its idempotency key where it does not."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.chargebee import streams
from apps.connectors.vendors.chargebee.wire import seconds_of

if TYPE_CHECKING:
    from apps.connectors.vendors.chargebee.connector import ChargebeeConnector

TAKEN = "duplicate_entry"


class ChargebeeSink(SingleSink, Removing):
    stream_type: ClassVar[type[streams.ChargebeeStream]]

    def __init__(self, connector: ChargebeeConnector) -> None:
        super().__init__(connector, self.stream_type(connector))

    def resolve(self, key: str) -> SourceRecord | None:
        """Nothing to ask: the same call under the same key gives the first answer again."""
        return None


class OwnIdSink(ChargebeeSink):
    """The key becomes the object's id, so there can only be one, and it can be asked for at once."""

    def resolve(self, key: str) -> SourceRecord | None:
        return self.get(own_id(key))

    def once(self, path: str, values: JsonDict, key: str) -> str:
        """Raises RecordRejected, but not because the object is there already."""
        try:
            self.connector.post(path, {"id": own_id(key), **values}, key=call_key(key, values))
        except RecordRejected as error:
            if error.code != TAKEN or self.get(own_id(key)) is None:
                raise
        return own_id(key)


class CustomerSink(OwnIdSink):
    stream_type = streams.CustomerStream
    checks: ClassVar[Any] = {"company": lambda data: data.get("company"), "email": lambda data: data.get("email")}

    def create(self, request: WriteRequest) -> str:
        fields = {name: value for name, value in self._fields(request.payload).items() if value}
        more = {"vat_number": request.payload.get("vat_number") or None}
        return self.once("customers", {**fields, **more}, request.key)

    def update(self, external_id: str, request: WriteRequest) -> None:
        """An empty text clears a field; the tax id has a call of its own."""
        fields = {name: "" if value is None else value for name, value in self._fields(request.payload).items()}
        self.connector.post(f"customers/{external_id}", fields)
        if "vat_number" in request.payload:
            billing = {"vat_number": request.payload["vat_number"] or ""}
            self.connector.post(f"customers/{external_id}/update_billing_info", billing)

    deletes_later = True

    def remove(self, external_id: str) -> None:
        """Only of a customer who never had anything: Chargebee deletes all that is theirs with them, for good.

        Its page "Delete a customer" names subscriptions, also canceled ones, invoices, credit notes, the figures of
        past reports and (unless told otherwise) the card at the payment gateway, and says that the customer themselves
        are gone some minutes later.
        """
        for name in ("subscriptions", "invoices"):
            # Any at all: where the filter is ignored, nothing is deleted either.
            if self.connector.get(name, {"customer_id[is]": external_id, "limit": 1})["list"]:
                message = f"The customer has {name}, which would be deleted for good."
                raise RecordRejected(message, code=f"has_{name}")
        self.connector.post(f"customers/{external_id}/delete", {"delete_payment_method": False})

    def _fields(self, payload: JsonDict) -> JsonDict:
        names = ("company", "email", "phone", "preferred_currency_code")
        return {
            name: payload[name]
            for name in names
            if name in payload and (name != "preferred_currency_code" or payload[name])
        }


class InvoiceSink(ChargebeeSink):
    """Charges of a customer billed at once, or pending where a draft is wanted. Chargebee never changes their lines."""

    stream_type = streams.InvoiceStream

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        values = {
            "customer_id": payload["customer_id"],
            "currency_code": payload.get("currency"),
            "po_number": payload.get("po_number"),
            "invoice_date": seconds_of(payload.get("issue_date")),
            "auto_collection": "off",
            "create_pending_invoice": True if payload.get("status") == "draft" else None,
            "charges": [
                {"amount": line["amount"]["amount"], "description": line["description"]}
                for line in payload.get("lines") or []
            ],
        }
        data = self.connector.post(
            "invoices/create_for_charge_items_and_charges", values, key=call_key(request.key, values)
        )
        invoice_id = str(data["invoice"]["id"])
        if payload.get("status") == "void":
            self.connector.post(f"invoices/{invoice_id}/void", {})
        return invoice_id

    def update(self, external_id: str, request: WriteRequest) -> None:
        payload = request.payload
        held = self.stream.get(external_id)
        if held is None:
            raise RecordRejected("Chargebee does not have this invoice any more.", code="resource_not_found")
        wanted = [line["amount"]["amount"] for line in payload.get("lines") or []]
        there = [line["amount"]["amount"] for line in held.data["lines"]]
        if payload.get("lines") is not None and sorted(wanted) != sorted(there):
            raise RecordRejected("Chargebee does not change the lines of an invoice.", code="lines_fixed")
        if payload.get("po_number") != held.data["po_number"] and "po_number" in payload:
            self.connector.post(f"invoices/{external_id}/update_details", {"po_number": payload["po_number"] or ""})
        if held.data["status"] == "pending" and payload.get("status") in ("open", "paid", "void"):
            self.connector.post(f"invoices/{external_id}/close", {})
        if payload.get("status") == "void" and held.data["status"] != "voided":
            self.connector.post(f"invoices/{external_id}/void", {})

    def is_gone(self, record: SourceRecord) -> bool:
        return record.deleted or record.data.get("status") == "voided"

    def remove(self, external_id: str) -> None:
        """Voided, so that its number stays; Chargebee refuses while there are payments."""
        self.connector.post(f"invoices/{external_id}/void", {})


class PaymentSink(ChargebeeSink):
    """A payment that was received elsewhere, recorded against its invoice."""

    stream_type = streams.PaymentStream

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        transaction = {
            "amount": payload["amount"]["amount"],
            "payment_method": "bank_transfer",
            "reference_number": payload.get("reference"),
            "date": seconds_of(payload.get("paid_date")),
        }
        values = {"transaction": transaction}
        path = f"invoices/{payload['invoice_id']}/record_payment"
        return str(self.connector.post(path, values, key=call_key(request.key, values))["transaction"]["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        raise RecordRejected("Chargebee does not change a recorded payment.", code="payment_fixed")

    def remove(self, external_id: str) -> None:
        """Only what was received elsewhere can be deleted; a charged card is refunded, by a person."""
        self.connector.post(f"transactions/{external_id}/delete_offline_transaction", {})


class SubscriptionSink(OwnIdSink):
    stream_type = streams.SubscriptionStream

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        if not payload.get("item_price_id"):
            raise RecordRejected("A subscription needs the connection's item price.", code="no_item_price")
        item = {"item_price_id": payload["item_price_id"], **_priced(payload)}
        values = {
            "subscription_items": [item],
            "auto_collection": "off",
            "start_date": seconds_of(payload.get("start_date")),
            "meta_data": orjson.dumps({"name": payload.get("name")}).decode(),
        }
        return self.once(f"customers/{payload['customer_id']}/subscription_for_items", values, request.key)

    def update(self, external_id: str, request: WriteRequest) -> None:
        payload, held = request.payload, self.stream.get(external_id)
        if held is None:
            raise RecordRejected("Chargebee does not have this subscription any more.", code="resource_not_found")
        is_cancelled = held.data["status"] == "cancelled"
        if payload.get("status") == "cancelled":
            if not is_cancelled:
                self.connector.post(f"subscriptions/{external_id}/cancel_for_items", {"end_of_term": False})
            return
        if is_cancelled:
            raise RecordRejected("This subscription was cancelled in Chargebee.", code="cancelled")
        values: JsonDict = {}
        if payload.get("quantity") is not None and len(held.data["items"]) == 1:
            values["subscription_items"] = [{"item_price_id": held.data["items"][0], **_priced(payload)}]
        if "name" in payload:
            values["meta_data"] = orjson.dumps({"name": payload["name"]}).decode()
        if values:
            self.connector.post(f"subscriptions/{external_id}/update_for_items", values)

    def is_gone(self, record: SourceRecord) -> bool:
        return record.deleted or record.data.get("status") == "cancelled"

    def remove(self, external_id: str) -> None:
        """Canceled at once; what was billed stays billed."""
        self.connector.post(f"subscriptions/{external_id}/cancel_for_items", {"end_of_term": False})


class UsageSink(OwnIdSink):
    stream_type = streams.UsageStream

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        if not payload.get("item_price_id"):
            raise RecordRejected("Usage needs the connection's metered item price.", code="no_item_price")
        values = {
            "item_price_id": payload["item_price_id"],
            "quantity": payload["quantity"],
            "usage_date": seconds_of(payload["usage_date"]),
            "note": payload.get("note"),
        }
        return self.once(f"subscriptions/{payload['subscription_id']}/usages", values, request.key)

    def update(self, external_id: str, request: WriteRequest) -> None:
        raise RecordRejected("Chargebee does not change recorded usage.", code="usage_fixed")

    def remove(self, external_id: str) -> None:
        """Below its subscription; Chargebee refuses for usage that is billed."""
        held = self.get(external_id)
        if held is not None:
            self.connector.post(f"subscriptions/{held.data['subscription_id']}/delete_usage", {"id": external_id})


def _priced(payload: JsonDict) -> JsonDict:
    """Whole quantities with the price of one; raises RecordRejected where that is not whole."""
    try:
        quantity = int(str(payload.get("quantity") or "1"))
    except ValueError:
        raise RecordRejected("The item price takes whole quantities only.", code="fraction") from None
    if not payload.get("amount"):
        return {"quantity": quantity}
    unit, rest = divmod(payload["amount"]["amount"], quantity)
    if rest:
        raise RecordRejected("The amount cannot be divided by the quantity.", code="indivisible")
    return {"quantity": quantity, "unit_price": unit}


def own_id(key: str) -> str:
    """Chargebee's ids hold 50 characters."""
    return f"ref-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def call_key(key: str, values: JsonDict) -> str:
    """Bound to what is sent: a corrected record must not be given the answer to the one before."""
    digest = hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return hashlib.sha256(f"{key}{digest}".encode()).hexdigest()
