"""One Stripe account's objects: ids, creation seconds, events, and what belongs to an invoice."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.account import Account
from sandbox.stripe_billing.forms import JsonDict, refuse, unknown

PREFIXES = {
    "customer": "cus", "invoice": "in", "invoiceitem": "ii", "subscription": "sub", "subscription_item": "si",
    "charge": "ch", "quote": "qt", "event": "evt", "price": "price", "line_item": "il",
}  # fmt: skip
TAX_PERCENT = 20


class Book:
    """Newest first is the order of every list."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.now = int(account.now().timestamp())
        self.currency = str(account.setting("currency", "eur"))

    def new_id(self, kind: str) -> str:
        return f"{PREFIXES[kind]}_{self.account.next_number(kind):014d}"

    def all(self, kind: str) -> list[JsonDict]:
        return list(reversed(self.account.objects(kind).values()))

    def find(self, kind: str, object_id: Any) -> JsonDict | None:
        return copy.deepcopy(self.account.objects(kind).get(str(object_id)))

    def require(self, kind: str, object_id: Any, *, param: str = "id", status: int = 404) -> JsonDict:
        found = self.find(kind, object_id)
        if found is None or found.get("deleted"):
            raise unknown(kind, str(object_id), param=param, status=status)
        return found

    def save(self, item: JsonDict, event: str = "") -> JsonDict:
        self.account.put(item["object"], item["id"], item)
        if event:
            self.tell(event, item)
        return item

    def tell(self, name: str, item: JsonDict) -> None:
        event = {
            "id": self.new_id("event"),
            "object": "event",
            "api_version": "2019-12-03",
            "created": self.now,
            # The object as it was then; readers who trust it will be wrong soon.
            "data": {"object": copy.deepcopy(item)},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": name,
        }
        self.account.put("event", event["id"], event)
        self.account.emit(event)

    def price(self, values: JsonDict, *, recurring: JsonDict | None = None) -> JsonDict:
        amount = values.get("unit_amount")
        return {
            "id": self.new_id("price"), "object": "price", "active": True, "billing_scheme": "per_unit",
            "created": self.now, "currency": values.get("currency", self.currency), "livemode": False, "lookup_key": None,
            "metadata": {}, "nickname": values.get("nickname"), "product": values.get("product", "prod_sandbox"),
            "recurring": recurring, "tax_behavior": "unspecified", "tiers_mode": None, "transform_quantity": None,
            "type": "recurring" if recurring else "one_time",
            "unit_amount": None if amount is None else int(amount),
            "unit_amount_decimal": None if amount is None else str(amount),
        }  # fmt: skip

    def lines_of(self, invoice: JsonDict) -> list[JsonDict]:
        items = [item for item in self.account.objects("invoiceitem").values() if item["invoice"] == invoice["id"]]
        return [_line(item) for item in items]

    def totaled(self, invoice: JsonDict) -> JsonDict:
        """The invoice with what follows from its items, and its first ten lines."""
        lines = self.lines_of(invoice)
        subtotal = sum(line["amount"] for line in lines)
        reduction = invoice.get("discount_amount", 0)
        tax = (subtotal - reduction) * TAX_PERCENT // 100 if self.account.setting("taxed") else None
        total = subtotal - reduction + (tax or 0)
        remaining = 0 if invoice["status"] == "paid" else total - invoice["amount_paid"]
        shown = {name: value for name, value in invoice.items() if name != "discount_amount"}
        return {
            **shown,
            "subtotal": subtotal, "tax": tax, "total": total, "amount_due": total, "amount_remaining": remaining,
            "total_discount_amounts": [{"amount": reduction, "discount": "di_1"}] if reduction else [],
            "lines": listing(lines[:10], f"/v1/invoices/{invoice['id']}/lines", has_more=len(lines) > 10),
        }  # fmt: skip

    def show(self, item: JsonDict) -> JsonDict:
        """An object as Stripe answers it."""
        if item["object"] == "invoice":
            return self.totaled(item)
        if item["object"] == "quote":
            return {name: value for name, value in item.items() if name != "line_items"}
        return {name: value for name, value in item.items() if name != "tax_ids"}

    def expanded(self, item: JsonDict, paths: list[str]) -> JsonDict:
        """Raises VendorError for what cannot be expanded."""
        shown = self.show(item)
        for path in paths:
            if path in ("tax_ids", "line_items") and path in item:
                shown[path] = listing(item[path], f"/v1/{item['object']}s/{item['id']}/{path}", has_more=False)
            elif path in ("customer", "subscription") and path in shown:
                shown[path] = self.show(self.require(path, shown[path])) if shown[path] else None
            else:
                raise refuse(f"This property cannot be expanded ({path}).", param="expand")
        return shown


def listing(items: list[JsonDict], url: str, *, has_more: bool) -> JsonDict:
    return {"object": "list", "data": items, "has_more": has_more, "url": url}


def _line(item: JsonDict) -> JsonDict:
    names = (
        "amount",
        "currency",
        "description",
        "discountable",
        "metadata",
        "period",
        "price",
        "quantity",
        "tax_rates",
    )
    return {
        **{name: item[name] for name in names},
        "id": item["id"].replace("ii_", "il_"), "object": "line_item", "discount_amounts": [], "discounts": [],
        "invoice_item": item["id"], "livemode": False, "proration": False, "proration_details": None,
        "subscription": None, "tax_amounts": [], "type": "invoiceitem",
    }  # fmt: skip
