"""Reading Chargebee: lists filtered by modification, deleted objects included, cursors that stand still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.passes import Batch, PassStream
from apps.connectors.sdk.types import JsonDict, SourceRecord
from apps.connectors.vendors.chargebee.wire import moment, money

if TYPE_CHECKING:
    from apps.connectors.vendors.chargebee.connector import ChargebeeConnector

_INTERVALS = {
    ("week", 1): "week",
    ("month", 1): "month",
    ("month", 3): "quarter",
    ("month", 12): "year",
    ("year", 1): "year",
}


class ChargebeeStream(PassStream):
    """`resource` is the name in the wrapper around every object: `{"list": [{"customer": {…}}]}`."""

    resource: ClassVar[str]
    list_params: ClassVar[dict[str, str]] = {"sort_by[asc]": "updated_at", "include_deleted": "true"}
    connector: ChargebeeConnector

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        params: dict[str, Any] = {**self.list_params, "limit": size, "offset": place.get("offset")}
        if since is not None:
            # "after" excludes the second itself.
            params["updated_at[after]"] = int(since.timestamp()) - 1
        data = self.connector.get(f"{self.resource}s", params)
        offset = data.get("next_offset")
        return Batch(records=self._records(data), place={"offset": offset} if offset else None)

    def get(self, external_id: str) -> SourceRecord | None:
        data = self.connector.find(f"{self.resource}s/{external_id}")
        item = data.get(self.resource) if data else None
        if not isinstance(item, dict) or item.get("deleted") or not self.belongs(item):
            return None
        return self.record(item)

    def record(self, item: JsonDict) -> SourceRecord:
        stamp = item.get("updated_at")
        return SourceRecord(
            external_id=str(item["id"]),
            data=self.plain(item),
            modified_at=datetime.fromtimestamp(stamp, tz=UTC) if stamp else None,
            url=self._page(str(item["id"])),
            deleted=bool(item.get("deleted")) or self.is_undone(item),
        )

    def belongs(self, item: JsonDict) -> bool:
        return True

    def is_undone(self, item: JsonDict) -> bool:
        return False

    def plain(self, item: JsonDict) -> JsonDict:
        return item

    def _records(self, data: JsonDict) -> list[SourceRecord]:
        try:
            items = [entry[self.resource] for entry in data["list"]]
            return [self.record(item) for item in items if self.belongs(item)]
        except (KeyError, TypeError) as error:
            raise FatalError(f"Chargebee's answer is not as described: {error}", code="format") from error

    def _page(self, external_id: str) -> str:
        return (
            f"{self.connector.client.base_url}/d/{self.resource}s/{external_id}"
            if self.connector.is_vendor_host
            else ""
        )


class CustomerStream(ChargebeeStream):
    resource = "customer"

    def plain(self, item: JsonDict) -> JsonDict:
        person = " ".join(filter(None, (item.get("first_name"), item.get("last_name"))))
        return {**item, "name": item.get("company") or person or item.get("email") or item["id"]}


class InvoiceStream(ChargebeeStream):
    resource = "invoice"

    def plain(self, item: JsonDict) -> JsonDict:
        currency, tax = item["currency_code"], item.get("tax") or 0
        net = item["total"] - tax
        settled = (item.get("amount_paid") or 0) + (item.get("credits_applied") or 0)
        amounts = {"net": net, "tax": tax, "total": item["total"], "paid": settled, "due": item.get("amount_due") or 0}
        return {
            **{name: item.get(name) for name in ("id", "status", "po_number", "customer_id", "subscription_id")},
            **{name: money(amount, currency) for name, amount in amounts.items()},
            "currency": currency,
            "issued_at": moment(item.get("date")),
            "due_at": moment(item.get("due_date")),
            "lines": lines(item.get("line_items") or [], net, currency),
        }


class PaymentStream(ChargebeeStream):
    resource = "transaction"

    def belongs(self, item: JsonDict) -> bool:
        """Refunds, authorizations and attempts are transactions too."""
        return item["type"] == "payment" and item["status"] in ("success", "voided")

    def is_undone(self, item: JsonDict) -> bool:
        return bool(item["status"] == "voided" or (item["amount"] and _refunded(item) >= item["amount"]))

    def plain(self, item: JsonDict) -> JsonDict:
        """A payment of several invoices belongs to none of them."""
        invoices = {link["invoice_id"] for link in item.get("linked_invoices") or []}
        return {
            "id": item["id"],
            "amount": money(item["amount"] - _refunded(item), item["currency_code"]),
            "paid_at": moment(item["date"]),
            "method": item.get("payment_method"),
            "reference": item.get("reference_number") or item.get("id_at_gateway"),
            "invoice_id": invoices.pop() if len(invoices) == 1 else None,
        }


class SubscriptionStream(ChargebeeStream):
    resource = "subscription"

    def plain(self, item: JsonDict) -> JsonDict:
        """The amount of one term over all items; unknown where one is metered or priced in tiers."""
        items, currency = item.get("subscription_items") or [], item["currency_code"]
        amounts = [entry.get("amount") for entry in items]
        known = [amount for amount in amounts if amount is not None]
        rhythm = (str(item.get("billing_period_unit")), int(item.get("billing_period") or 0))
        plan = next((entry for entry in items if entry.get("item_type") == "plan"), items[0] if items else {})
        quantity = plan.get("quantity_in_decimal") or plan.get("quantity")
        return {
            **{name: item.get(name) for name in ("id", "status", "customer_id")},
            "name": _meta(item).get("name") or plan.get("item_price_id") or item["id"],
            "amount": money(sum(known), currency) if items and len(known) == len(amounts) else None,
            "quantity": str(quantity) if quantity is not None else None,
            "interval": _INTERVALS.get(rhythm),
            "started_at": moment(item.get("started_at") or item.get("start_date")),
            "ended_at": moment(item.get("cancelled_at")),
            "next_at": moment(item.get("next_billing_at")),
            "items": [entry.get("item_price_id") for entry in items],
        }


class QuoteStream(ChargebeeStream):
    resource = "quote"
    # Quotes can be filtered by modification but not sorted by it; the cursor stands still all the same.
    list_params: ClassVar[dict[str, str]] = {"sort_by[asc]": "date", "include_deleted": "true"}

    def plain(self, item: JsonDict) -> JsonDict:
        currency = item["currency_code"]
        net = item["total"] - sum(entry.get("amount") or 0 for entry in item.get("taxes") or [])
        return {
            **{name: item.get(name) for name in ("id", "status", "name", "customer_id")},
            "currency": currency,
            "total": money(item["total"], currency),
            "issued_at": moment(item.get("date")),
            "expires_at": moment(item.get("valid_till")),
            "lines": lines(item.get("line_items") or [], net, currency),
        }


class UsageStream(ChargebeeStream):
    resource = "usage"
    list_params: ClassVar[dict[str, str]] = {"sort_by[asc]": "updated_at"}

    def get(self, external_id: str) -> SourceRecord | None:
        """A usage alone can only be asked for below its subscription; the list knows it by its id."""
        data = self.connector.get("usages", {"id[is]": external_id, "limit": 1})
        return next((record for record in self._records(data) if record.external_id == external_id), None)

    def plain(self, item: JsonDict) -> JsonDict:
        return {**item, "used_at": moment(item["usage_date"])}


def lines(items: list[JsonDict], net: int, currency: str) -> list[JsonDict]:
    """Discounts and rounding are no lines at Chargebee: one more line makes them give the net amount."""
    shown = [_line(item, currency) for item in items]
    rest = net - sum(item["amount"] for item in items)
    if rest:
        values = {"description": "Discounts and rounding", "quantity": "1"}
        shown.append({**values, "unit_price": money(rest, currency), "amount": money(rest, currency)})
    return shown


def _line(item: JsonDict, currency: str) -> JsonDict:
    quantity = item.get("quantity_in_decimal") or item.get("quantity")
    price = item["unit_amount"] if item.get("unit_amount") is not None else item["amount"]
    return {
        "description": item.get("description") or "",
        "quantity": str(1 if quantity is None else quantity),
        "unit_price": money(price, currency),
        "amount": money(item["amount"], currency),
    }


def _refunded(item: JsonDict) -> int:
    return sum(
        refund["txn_amount"] for refund in item.get("linked_refunds") or [] if refund.get("txn_status") == "success"
    )


def _meta(item: JsonDict) -> JsonDict:
    found = item.get("meta_data")
    return found if isinstance(found, dict) else {}
