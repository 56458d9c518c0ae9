"""Stripe's documents made plain: expanded links back to ids, net amounts, what one interval of a subscription costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.connectors.sdk.types import JsonDict
from apps.connectors.vendors.stripe_billing.wire import minor_units, moment

_INTERVALS = {
    ("week", 1): "week",
    ("month", 1): "month",
    ("month", 3): "quarter",
    ("year", 1): "year",
    ("month", 12): "year",
}


def identity(value: Any) -> str | None:
    """A link is an id, or the whole object where it was expanded."""
    return value.get("id") if isinstance(value, dict) else value


def invoice(item: JsonDict, lines: list[JsonDict]) -> JsonDict:
    """Discounts are no lines at Stripe: one is added, so that the lines give the net amount."""
    currency = item["currency"].upper()
    tax = item.get("tax") or 0
    reduction = sum(entry["amount"] for entry in item.get("total_discount_amounts") or [])
    shown = [line(entry) for entry in lines]
    if reduction:
        shown.append(_line("Discount", "1", -reduction, -reduction, currency))
    due = item["amount_remaining"] if item["status"] != "void" else 0
    amounts = {"net": item["total"] - tax, "tax": tax, "total": item["total"], "paid": item["amount_paid"], "due": due}
    issued = (item.get("status_transitions") or {}).get("finalized_at") or item["created"]
    return {
        **{name: item.get(name) for name in ("id", "number", "status", "description", "metadata")},
        **{name: money(amount, currency) for name, amount in amounts.items()},
        "currency": currency,
        "issued_at": moment(issued),
        "due_at": moment(item.get("due_date")),
        "customer": identity(item.get("customer")),
        "subscription": identity(item.get("subscription")),
        "lines": shown,
    }


def line(item: JsonDict) -> JsonDict:
    """Stripe knows whole quantities only; ours are kept beside the line."""
    currency = item["currency"].upper()
    kept = (item.get("metadata") or {}).get("quantity")
    quantity = kept or str(item.get("quantity") if item.get("quantity") is not None else 1)
    pieces = Decimal(quantity)
    price = (item.get("price") or {}).get("unit_amount") if not kept else None
    if price is None:
        price = int((Decimal(item["amount"]) / pieces).to_integral_value()) if pieces else 0
    return _line(item.get("description") or "", quantity, price, item["amount"], currency)


def _line(description: str, quantity: str, price: int, amount: int, currency: str) -> JsonDict:
    values = {"description": description, "quantity": quantity}
    return {**values, "unit_price": money(price, currency), "amount": money(amount, currency)}


def payment(item: JsonDict) -> JsonDict:
    currency = item["currency"].upper()
    return {
        "id": item["id"],
        "amount": money(item["amount"] - item["amount_refunded"], currency),
        "paid_at": moment(item["created"]),
        "method": (item.get("payment_method_details") or {}).get("type"),
        "reference": item.get("receipt_number") or identity(item.get("payment_intent")),
        "invoice": identity(item.get("invoice")),
    }


def subscription(item: JsonDict) -> JsonDict:
    """The amount of one interval over all items; unknown where one is metered or priced in tiers."""
    entries = item["items"]["data"]
    prices = [entry.get("price") or entry.get("plan") or {} for entry in entries]
    first = prices[0] if prices else {}
    rhythm = first.get("recurring") or first
    parts = [
        None if price.get("unit_amount") is None else price["unit_amount"] * (entry.get("quantity") or 1)
        for price, entry in zip(prices, entries, strict=True)
    ]
    known = [part for part in parts if part is not None]
    is_known = bool(parts) and len(known) == len(parts)
    is_paused = bool(item.get("pause_collection")) and item["status"] == "active"
    return {
        "id": item["id"],
        "name": (item.get("metadata") or {}).get("name") or first.get("nickname") or item["id"],
        "status": "paused" if is_paused else item["status"],
        "amount": money(sum(known), first["currency"].upper()) if is_known else None,
        "quantity": str(entries[0].get("quantity") or 1) if len(entries) == 1 else None,
        "interval": _INTERVALS.get((str(rhythm.get("interval")), int(rhythm.get("interval_count") or 1))),
        "started_at": moment(item.get("start_date")),
        "ended_at": moment(item.get("ended_at") or item.get("cancel_at")),
        "next_at": moment(item.get("current_period_end"))
        if item["status"] in ("active", "trialing", "past_due")
        else None,
        "customer": identity(item.get("customer")),
        "items": [{"id": entry["id"], "quantity": entry.get("quantity")} for entry in entries],
    }


def quote(item: JsonDict, lines: list[JsonDict]) -> JsonDict:
    currency = (item.get("currency") or "usd").upper()
    offered = (item.get("status_transitions") or {}).get("finalized_at") or item["created"]
    shown = [{**line({**entry, "amount": entry["amount_subtotal"]})} for entry in lines]
    return {
        **{name: item.get(name) for name in ("id", "number", "status", "description")},
        "currency": currency,
        "total": money(item["amount_total"], currency),
        "issued_at": moment(offered),
        "expires_at": moment(item.get("expires_at")),
        "customer": identity(item.get("customer")),
        "lines": shown,
    }


def money(amount: int, currency: str) -> JsonDict:
    return {"amount": minor_units(amount, currency), "currency": currency}
