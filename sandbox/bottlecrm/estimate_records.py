"""Estimates, BottleCRM's word for quotes: positions priced, totals added up."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from sandbox.account import Account
from sandbox.clock import iso_millis

Json = dict[str, Any]
FIELDS = ("title", "status", "account_id", "contact_id", "opportunity_id", "currency", "issue_date", "expiry_date")
LISTED = (
    "id",
    "estimate_number",
    "title",
    "status",
    "currency",
    "total_amount",
    "issue_date",
    "expiry_date",
    "created_at",
)


def save(account: Account, before: Json | None, data: Json) -> Json:
    now = iso_millis(account.now())
    if before is None:
        number = f"EST-{account.now():%Y%m%d}-{account.next_number('estimate', 1):04}"
        before = {"id": str(uuid.uuid4()), "estimate_number": number, "created_at": now, "custom_fields": {}}
        before |= {**dict.fromkeys(FIELDS), "status": "Draft", "currency": "USD", "line_items": []}
        before |= {"public_token": uuid.uuid4().hex}
    saved = {**before, **{name: data[name] for name in FIELDS if name in data}, "updated_at": now}
    if "line_items" in data:
        saved["line_items"] = [_line(order, line) for order, line in enumerate(data["line_items"])]
    saved["total_amount"] = f"{sum(Decimal(line['total']) for line in saved['line_items']):.2f}"
    account.put("quotes", saved["id"], saved)
    return saved


def _line(order: int, given: Json) -> Json:
    amount = f"{Decimal(given['quantity']) * Decimal(given['unit_price']):.2f}"
    prices = {"quantity": f"{Decimal(given['quantity']):.2f}", "unit_price": f"{Decimal(given['unit_price']):.2f}"}
    line = {"id": str(uuid.uuid4()), "name": given["name"], "description": given.get("description", ""), **prices}
    return {**line, "net_amount": amount, "subtotal": amount, "total": amount, "order": order}


def listed(record: Json) -> Json:
    """A row of the list: no positions, and the account by its id only."""
    return {**{name: record[name] for name in LISTED}, "account": record["account_id"], "contact": record["contact_id"]}


def detailed(account: Account, record: Json) -> Json:
    shown = {name: value for name, value in record.items() if not name.endswith("_id")}
    for name, kind in (("account", "accounts"), ("contact", "contacts"), ("opportunity", "opportunities")):
        target = account.objects(kind).get(record[f"{name}_id"] or "")
        shown[name] = {"id": target["id"], "name": target.get("name")} if target else None
    return shown
