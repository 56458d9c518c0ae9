"""The canonical vocabulary mappings must speak: entity → field → kind, and the references between entities.

Kinds: `text`, `money`, `date`, `datetime`, `integer`, `boolean`, `quantity` (decimal string), `lines`, or the allowed
values of a status.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Kind = str | tuple[str, ...]

FIELDS: Mapping[str, Mapping[str, Kind]] = {
    "account": dict.fromkeys(
        ("name", "number", "domain", "email", "phone", "website", "currency", "tax_id", "status"), "text"
    ),
    "contact": dict.fromkeys(("name", "first_name", "last_name", "email", "phone"), "text"),
    "opportunity": {
        "name": "text",
        "stage": ("open", "won", "lost"),
        "amount": "money",
        "close_date": "date",
        "owner_email": "text",
        "payment_status": ("none", "invoiced", "part_paid", "paid"),
        "invoice_number": "text",
        "invoiced_amount": "money",
        "paid_amount": "money",
    },
    "project": {
        "name": "text",
        "code": "text",
        "status": ("planned", "open", "on_hold", "closed"),
        "budget": "money",
        "start_date": "date",
        "end_date": "date",
    },
    "task": {"name": "text", "status": ("open", "done"), "estimate_seconds": "integer"},
    "resource": {"name": "text", "email": "text", "status": ("active", "inactive")},
    "time_entry": {
        "work_date": "date",
        "duration_seconds": "integer",
        "description": "text",
        "status": ("draft", "submitted", "approved"),
        "billable": "boolean",
    },
    "invoice": {
        "number": "text",
        "reference": "text",
        "status": ("draft", "open", "paid", "void"),
        "issue_date": "date",
        "due_date": "date",
        "currency": "text",
        **dict.fromkeys(("subtotal", "tax", "total", "amount_paid", "amount_due"), "money"),
        "lines": "lines",
    },
    "payment": {"amount": "money", "paid_date": "date", "method": "text", "reference": "text"},
}
REFS: Mapping[str, frozenset[str]] = {
    "account": frozenset(),
    "contact": frozenset({"account"}),
    "opportunity": frozenset({"account", "contact"}),
    "project": frozenset({"account", "opportunity"}),
    "task": frozenset({"project", "resource"}),
    "resource": frozenset(),
    "time_entry": frozenset({"project", "task", "resource"}),
    "invoice": frozenset({"account", "project"}),
    "payment": frozenset({"invoice"}),
}
# What a record cannot be without; a mapping that leaves one empty has its record refused.
REQUIRED: Mapping[str, frozenset[str]] = {
    "account": frozenset({"name"}),
    "contact": frozenset({"name"}),
    "opportunity": frozenset({"name", "stage"}),
    "project": frozenset({"name", "status"}),
    "task": frozenset({"name", "status"}),
    "resource": frozenset({"name", "status"}),
    "time_entry": frozenset({"work_date", "duration_seconds", "status", "billable"}),
    "invoice": frozenset({"status", "currency", "total"}),
    "payment": frozenset({"amount", "paid_date"}),
}
LINE_FIELDS: Mapping[str, Kind] = {
    "description": "text",
    "quantity": "quantity",
    "unit_price": "money",
    "amount": "money",
}
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
QUANTITY = re.compile(r"-?\d+(\.\d+)?")


def problem(kind: Kind, value: Any) -> str | None:
    """Why `value` is not of that kind; None when it is (null always is)."""
    if value is None:
        return None
    if isinstance(kind, tuple):
        return None if value in kind else f"{value!r} is none of {', '.join(kind)}"
    if kind == "lines":
        return _line_problem(value)
    return None if _CHECKS[kind](value) else f"{value!r} is not {kind}"


def _line_problem(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"{value!r} is not a list"
    for line in value:
        strange = set(line) - set(LINE_FIELDS)
        if strange:
            return f"unknown line field {sorted(strange)[0]!r}"
        found = next((p for name, item in line.items() if (p := problem(LINE_FIELDS[name], item))), None)
        if found:
            return found
    return None


def _is_money(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"amount", "currency"}
        and type(value["amount"]) is int
        and bool(re.fullmatch(r"[A-Z]{3}", str(value["currency"])))
    )


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "money": _is_money,
    "date": lambda value: isinstance(value, str) and bool(DATE.fullmatch(value)),
    "datetime": lambda value: isinstance(value, str) and bool(DATETIME.fullmatch(value)),
    "integer": lambda value: type(value) is int,
    "boolean": lambda value: isinstance(value, bool),
    "quantity": lambda value: isinstance(value, str) and bool(QUANTITY.fullmatch(value)),
}
