"""One Chargebee site: objects with versions and stamps, the forms they are made from, the events they cause."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from sandbox.account import Account
from sandbox.vendor import VendorError

JsonDict = dict[str, Any]
_NAME = re.compile(r"^(\w+)(?:\[(\w+)\])?(?:\[(\d+)\])?$")
TAX_PERCENT = 20


def refuse(code: str, message: str, *, param: str = "", status: int = 400) -> VendorError:
    return VendorError(status, message, code=code, param=param)


def parse(form: Any) -> JsonDict:
    """`charges[amount][0]=5&po_number=x` → {"charges": [{"amount": "5"}], "po_number": "x"}."""
    found: JsonDict = {}
    for name, value in form.items(multi=True):
        match = _NAME.match(name)
        if not match:
            raise refuse("param_wrong_value", f"{name} : is not a valid parameter", param=name)
        field, part, index = match.groups()
        if part is None:
            found[field] = value
        elif index is None:
            found.setdefault(field, {})[part] = value
        else:
            entries = found.setdefault(field, [])
            entries.extend({} for _ in range(int(index) + 1 - len(entries)))
            entries[int(index)][part] = value
    return found


def known(values: JsonDict, names: set[str]) -> JsonDict:
    for name in values:
        if name not in names:
            raise refuse("param_wrong_value", f"{name} : unknown parameter", param=name)
    return values


def whole(values: JsonDict, name: str, default: int | None = None) -> int:
    given = values.get(name)
    if given is None and default is not None:
        return default
    if not re.fullmatch(r"-?\d+", str(given)):
        raise refuse("param_wrong_value", f"{name} : should be a valid integer", param=name)
    return int(str(given))


class Site:
    """Deleted objects stay and say so; lists leave them out unless they are asked for."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.now = int(account.now().timestamp())
        self.currency = str(account.setting("currency", "EUR"))

    def find(self, kind: str, object_id: Any) -> JsonDict | None:
        return copy.deepcopy(self.account.objects(kind).get(str(object_id)))

    def require(self, kind: str, object_id: Any, *, param: str = "id") -> JsonDict:
        found = self.find(kind, object_id)
        if found is None or found["deleted"]:
            raise refuse("resource_not_found", f"{param} : {object_id} not found", param=param, status=404)
        return found

    def new_id(self, kind: str, values: JsonDict | None = None) -> str:
        wanted = (values or {}).get("id")
        if wanted and len(wanted) > 50:
            raise refuse("param_wrong_value", "id : maximum 50 characters", param="id")
        if wanted and self.find(kind, wanted) is not None:
            raise refuse("duplicate_entry", f"id : The value {wanted} is already present.", param="id")
        return str(wanted or f"{kind[:3]}_{self.account.next_number(kind):08d}")

    def save(self, kind: str, item: JsonDict, event: str) -> JsonDict:
        item = {**item, "object": kind, "updated_at": self.now, "resource_version": self.account.next_number("version")}
        item.setdefault("deleted", False)
        self.account.put(kind, item["id"], item)
        self.emit(event, {kind: item})
        return item

    def emit(self, name: str, content: JsonDict) -> None:
        number = self.account.next_number("event")
        event = {
            "id": f"ev_{number:010d}",
            "object": "event",
            "occurred_at": self.now,
            "source": "api",
            "api_version": "v2",
        }
        self.account.emit(
            {**event, "event_type": name, "webhook_status": "scheduled", "content": copy.deepcopy(content)}
        )


def save_customer(site: Site, values: JsonDict, current: JsonDict | None = None) -> JsonDict:
    names = {"first_name", "last_name", "email", "phone", "company", "preferred_currency_code"}
    known(values, names | ({"id", "vat_number"} if current is None else set()))
    if values.get("email") and "@" not in values["email"]:
        raise refuse("param_wrong_value", "email : invalid format", param="email")
    blank = {"auto_collection": "off", "net_term_days": 0, "created_at": site.now, "taxability": "taxable",
             "preferred_currency_code": site.currency}  # fmt: skip
    item = current or {"id": site.new_id("customer", values), **blank}
    item |= {name: value for name, value in values.items() if name != "id"}
    # Empty values are not shown at all.
    item = {name: value for name, value in item.items() if value != ""}
    return site.save("customer", item, "customer_changed" if current else "customer_created")


def save_billing(site: Site, values: JsonDict, current: JsonDict) -> JsonDict:
    known(values, {"vat_number"})
    item = {name: value for name, value in {**current, **values}.items() if value != ""}
    return site.save("customer", item, "customer_changed")


def new_invoice(site: Site, values: JsonDict) -> JsonDict:
    known(values, {"customer_id", "currency_code", "po_number", "invoice_date", "auto_collection", "create_pending_invoice",
                   "charges", "discount"})  # fmt: skip
    customer = site.require("customer", values.get("customer_id"), param="customer_id")
    currency = values.get("currency_code") or site.currency
    if currency not in site.account.setting("currencies", ["EUR", "USD"]):
        raise refuse("param_wrong_value", f"currency_code : {currency} is not enabled", param="currency_code")
    charges = values.get("charges") or []
    if not charges:
        raise refuse("param_wrong_value", "charges : at least one charge is needed", param="charges")
    lines = [_line(number, whole(charge, "amount"), charge.get("description")) for number, charge in enumerate(charges)]
    reduction = whole(values, "discount", 0)
    net = sum(line["amount"] for line in lines) - reduction
    tax = net * TAX_PERCENT // 100 if site.account.setting("taxed") else 0
    is_pending = values.get("create_pending_invoice") == "true"
    item = {
        "id": str(site.account.next_number("invoice")), "customer_id": customer["id"], "recurring": False,
        "status": "pending" if is_pending else "payment_due", "price_type": "tax_exclusive",
        "date": whole(values, "invoice_date", site.now), "due_date": whole(values, "invoice_date", site.now) + 30 * 86_400,
        "net_term_days": 30, "currency_code": currency, "sub_total": net + reduction, "tax": tax, "total": net + tax,
        "amount_paid": 0, "amount_adjusted": 0, "write_off_amount": 0, "credits_applied": 0, "amount_due": net + tax,
        "line_items": lines, "linked_payments": [], "first_invoice": False, "term_finalized": True, "is_gifted": False,
        **({"po_number": values["po_number"]} if values.get("po_number") else {}),
        **({"discounts": [{"amount": reduction, "entity_type": "document_level_coupon"}]} if reduction else {}),
    }  # fmt: skip
    return site.save("invoice", item, "invoice_generated")


def change_invoice(site: Site, values: JsonDict, invoice: JsonDict, step: str) -> JsonDict:
    if step == "update_details":
        known(values, {"po_number", "vat_number", "comment"})
        return site.save("invoice", {**invoice, **{n: v for n, v in values.items() if v != ""}}, "invoice_updated")
    if step == "close":
        if invoice["status"] != "pending":
            raise refuse("invalid_state_for_request", "The invoice is not pending.", status=409)
        return site.save("invoice", {**invoice, "status": "payment_due"}, "invoice_updated")
    if invoice["status"] == "voided" or invoice["linked_payments"]:
        raise refuse("invalid_state_for_request", "The invoice is already voided or has payments.", status=409)
    return site.save(
        "invoice", {**invoice, "status": "voided", "voided_at": site.now, "amount_due": 0}, "invoice_updated"
    )


def record_payment(site: Site, values: JsonDict, invoice: JsonDict) -> tuple[JsonDict, JsonDict]:
    """The invoice and the transaction; one event tells of both."""
    known(values, {"transaction", "comment"})
    given = values.get("transaction") or {}
    amount = whole(given, "amount", invoice["amount_due"])
    if invoice["status"] not in ("payment_due", "not_paid", "posted") or amount > invoice["amount_due"]:
        raise refuse("invalid_state_for_request", "The amount is more than what is due.", status=409)
    transaction = new_transaction(
        site,
        {**given, "amount": amount, "currency_code": invoice["currency_code"], "customer_id": invoice["customer_id"],
         "linked_invoices": [{"invoice_id": invoice["id"], "applied_amount": amount, "applied_at": site.now}]},
    )  # fmt: skip
    due = invoice["amount_due"] - amount
    link = {"txn_id": transaction["id"], "applied_amount": amount, "txn_status": "success"}
    paid = {
        "amount_paid": invoice["amount_paid"] + amount,
        "amount_due": due,
        "status": "paid" if due == 0 else invoice["status"],
    }
    item = {**invoice, **paid, "linked_payments": [*invoice["linked_payments"], link]}
    return site.save("invoice", item, "payment_succeeded"), transaction


def new_transaction(site: Site, values: JsonDict) -> JsonDict:
    item = {
        "id": site.new_id("transaction"), "type": values.get("type", "payment"), "status": values.get("status", "success"),
        "payment_method": values.get("payment_method", "card"), "gateway": "not_applicable", "currency_code": site.currency,
        "linked_invoices": [], "linked_refunds": [], **{n: v for n, v in values.items() if n not in ("amount", "date")},
        "amount": int(values["amount"]), "date": whole(values, "date", site.now),
    }  # fmt: skip
    return site.save("transaction", item, "transaction_created")


def save_subscription(site: Site, values: JsonDict, customer_id: str, current: JsonDict | None = None) -> JsonDict:
    known(values, {"id", "subscription_items", "auto_collection", "start_date", "meta_data"})
    if current is not None and current["status"] == "cancelled":
        raise refuse("invalid_state_for_request", "The subscription is cancelled.", status=409)
    items = [_subscription_item(entry) for entry in values.get("subscription_items") or []]
    if current is None and not items:
        raise refuse("param_wrong_value", "subscription_items : is needed", param="subscription_items")
    item = current or {
        "id": site.new_id("subscription", values), "customer_id": site.require("customer", customer_id)["id"],
        "status": "active", "billing_period": 1, "billing_period_unit": "month", "currency_code": site.currency,
        "created_at": site.now, "started_at": whole(values, "start_date", site.now), "next_billing_at": site.now + 30 * 86_400,
    }  # fmt: skip
    if items:
        item["subscription_items"] = items
    if values.get("meta_data"):
        item["meta_data"] = json.loads(values["meta_data"])
    return site.save("subscription", item, "subscription_changed" if current else "subscription_created")


def cancel_subscription(site: Site, values: JsonDict, current: JsonDict) -> JsonDict:
    known(values, {"end_of_term"})
    if current["status"] == "cancelled":
        raise refuse("invalid_state_for_request", "The subscription is cancelled already.", status=409)
    gone = {name: value for name, value in current.items() if name != "next_billing_at"}
    return site.save(
        "subscription", {**gone, "status": "cancelled", "cancelled_at": site.now}, "subscription_cancelled"
    )


def new_usage(site: Site, values: JsonDict, subscription_id: str) -> JsonDict:
    known(values, {"id", "item_price_id", "quantity", "usage_date", "note", "dedupe_option"})
    subscription = site.require("subscription", subscription_id, param="subscription_id")
    if not re.fullmatch(r"\d+(\.\d+)?", str(values.get("quantity"))):
        raise refuse("param_wrong_value", "quantity : should be a number", param="quantity")
    item = {
        "id": site.new_id("usage", values), "subscription_id": subscription["id"], "item_price_id": values["item_price_id"],
        "quantity": str(values["quantity"]), "usage_date": whole(values, "usage_date"), "source": "api", "created_at": site.now,
        **({"note": values["note"]} if values.get("note") else {}),
    }  # fmt: skip
    return site.save("usage", item, "usage_created")


def new_quote(site: Site, values: JsonDict) -> JsonDict:
    """Quotes are made by users only."""
    customer = site.require("customer", values["customer_id"])
    lines = [_line(number, line["amount"], line["description"]) for number, line in enumerate(values["charges"])]
    total = sum(line["amount"] for line in lines)
    item = {
        "id": site.new_id("quote"), "customer_id": customer["id"], "status": values.get("status", "open"),
        "operation_type": "onetime_invoice", "date": site.now, "valid_till": site.now + 30 * 86_400,
        "currency_code": site.currency, "sub_total": total, "total": total, "amount_due": total, "line_items": lines,
        "taxes": [], **({"name": values["name"]} if values.get("name") else {}),
    }  # fmt: skip
    return site.save("quote", item, "quote_created")


def _line(number: int, amount: int, description: str | None) -> JsonDict:
    return {"id": f"li_{number}", "object": "line_item", "quantity": 1, "unit_amount": amount, "amount": amount,
            "description": description or "", "entity_type": "adhoc", "is_taxed": False, "tax_amount": 0,
            "discount_amount": 0, "item_level_discount_amount": 0}  # fmt: skip


def _subscription_item(entry: JsonDict) -> JsonDict:
    known(entry, {"item_price_id", "quantity", "unit_price"})
    quantity, metered = whole(entry, "quantity", 1), str(entry.get("item_price_id", "")).startswith("metered")
    price = whole(entry, "unit_price", 5000)
    amounts = {} if metered else {"quantity": quantity, "unit_price": price, "amount": quantity * price}
    return {"item_price_id": entry["item_price_id"], "item_type": "plan", **amounts}
