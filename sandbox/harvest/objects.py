"""What Harvest keeps: which values each object takes, what it refuses, and how references are shown."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from sandbox.account import Account
from sandbox.harvest.vendor import Row, refused, stamp


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """`defaults` are the values a new one has, `required` must be given, `refs` name other objects by id, `unique` is a
    value (within the `within` object) that no two may share."""

    defaults: Row
    required: tuple[str, ...] = ()
    refs: dict[str, str] = {}
    unique: str = ""
    within: str = ""


RATES: Row = {"hourly_rate": None, "budget": None}
APPROVAL: Row = {
    "is_locked": False, "locked_reason": None, "approval_status": "unsubmitted", "is_closed": False, "is_billed": False,
}  # fmt: skip
KINDS: dict[str, Kind] = {
    "clients": Kind(
        defaults={"name": "", "is_active": True, "address": None, "statement_key": "key", "currency": "EUR"},
        required=("name",), unique="name",
    ),
    "contacts": Kind(
        defaults={
            "title": None, "first_name": "", "last_name": None, "email": None, "phone_office": "", "phone_mobile": "",
            "fax": "",
        },
        required=("first_name",), refs={"client": "clients"},
    ),
    "users": Kind(
        defaults={
            "first_name": "", "last_name": "", "email": "", "telephone": "", "timezone": "Berlin", "is_active": True,
            "is_contractor": False, "weekly_capacity": 126000, "default_hourly_rate": 100.0, "cost_rate": 50.0,
            "roles": [], "access_roles": ["member"],
        },
        required=("first_name", "last_name", "email"), unique="email",
    ),
    "projects": Kind(
        defaults={
            "name": "", "code": None, "is_active": True, "is_billable": True, "is_fixed_fee": False, "bill_by": "none",
            "hourly_rate": None, "budget": None, "budget_by": "none", "cost_budget": None, "fee": None, "notes": None,
            "starts_on": None, "ends_on": None,
        },
        required=("name", "is_billable", "bill_by", "budget_by"), refs={"client": "clients"},
        unique="name", within="client",
    ),
    "tasks": Kind(
        defaults={"name": "", "billable_by_default": True, "default_hourly_rate": None, "is_default": False, "is_active": True},
        required=("name",), unique="name",
    ),
    "task_assignments": Kind(
        defaults={"is_active": True, "billable": True, **RATES},
        refs={"project": "projects", "task": "tasks"}, unique="task_id", within="project",
    ),
    "user_assignments": Kind(
        defaults={"is_active": True, "is_project_manager": False, "use_default_rates": True, **RATES},
        refs={"project": "projects", "user": "users"}, unique="user_id", within="project",
    ),
    "time_entries": Kind(
        defaults={
            "spent_date": "", "hours": 0.0, "notes": None, "billable": True, "is_running": False,
            "external_reference": None, "billable_rate": 100.0, "cost_rate": 50.0, **APPROVAL,
        },
        required=("spent_date",), refs={"user": "users", "project": "projects", "task": "tasks", "invoice": "invoices"},
    ),
    "expenses": Kind(
        defaults={
            "spent_date": "", "notes": None, "total_cost": 0.0, "units": 1.0, "billable": True,
            "expense_category": {"id": 1, "name": "Travel", "unit_price": None, "unit_name": None}, **APPROVAL,
        },
        required=("spent_date",), refs={"user": "users", "project": "projects", "invoice": "invoices"},
    ),
    "invoices": Kind(
        defaults={
            "number": "", "purchase_order": "", "amount": 0.0, "due_amount": 0.0, "state": "draft", "currency": "EUR",
            "subject": "", "notes": "", "issue_date": None, "due_date": None, "line_items": [],
        },
        required=("number",), refs={"client": "clients"},
    ),
}  # fmt: skip
OPTIONAL_REFS = ("invoice",)


def make(account: Account, kind: str, data: Row) -> Row:
    """References are given as `<name>_id`. Values it does not know are passed over in silence, as Harvest does."""
    described = KINDS[kind]
    values = {**described.defaults, **known(described, data)}
    for name in described.refs:
        values[f"{name}_id"] = reference(account, described, name, data)
    check(account, kind, values, data)
    now = stamp(account)
    row = {"id": account.next_number(kind, 1001), **settled(kind, values), "created_at": now, "updated_at": now}
    account.put(kind, str(row["id"]), row)
    return row


def change(account: Account, kind: str, row: Row, data: Row) -> Row:
    described = KINDS[kind]
    if row.get("is_locked"):
        raise refused("This record is locked")
    moved = {f"{name}_id": int(data[f"{name}_id"]) for name in described.refs if data.get(f"{name}_id")}
    values = {**row, **known(described, data), **moved}
    check(account, kind, values, values)
    row = {**settled(kind, values), "updated_at": stamp(account)}
    account.put(kind, str(row["id"]), row)
    return row


def known(described: Kind, data: Row) -> Row:
    return {name: data[name] for name in described.defaults if name in data}


def reference(account: Account, described: Kind, name: str, data: Row) -> int | None:
    given = data.get(f"{name}_id")
    if given is None:
        if name in OPTIONAL_REFS:
            return None
        raise refused(f"{name.capitalize()} can't be blank")
    if str(given) not in account.objects(described.refs[name]):
        raise refused(f"{name.capitalize()} must exist")
    return int(given)


def check(account: Account, kind: str, values: Row, given: Row) -> None:
    described = KINDS[kind]
    for name in described.required:
        if given.get(name) in (None, ""):
            raise refused(f"{name.replace('_', ' ').capitalize()} can't be blank")
    for row in account.objects(kind).values() if described.unique else ():
        within = f"{described.within}_id"
        same = str(row[described.unique]).lower() == str(values[described.unique]).lower()
        if same and row["id"] != values.get("id") and (not described.within or row[within] == values[within]):
            raise refused(f"{described.unique.removesuffix('_id').capitalize()} has already been taken")


def settled(kind: str, values: Row) -> Row:
    """Hours are kept to the hundredth; a rate of one's own is dropped while the defaults are in use."""
    if kind == "time_entries":
        hours = Decimal(str(values["hours"])).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        return {**values, "hours": float(hours)}
    if kind == "user_assignments" and values["use_default_rates"]:
        return {**values, "hourly_rate": None}
    return values


def show(account: Account, kind: str, row: Row) -> Row:
    shown = {name: value for name, value in row.items() if not name.endswith("_id")}
    for name, other in KINDS[kind].refs.items():
        shown[name] = short(account, other, row[f"{name}_id"])
    if kind in ("time_entries", "expenses"):
        project = account.objects("projects")[str(row["project_id"])]
        shown["client"] = short(account, "clients", project["client_id"])
        shown["user_assignment"] = part(account, "user_assignments", row, "user_id")
    if kind == "time_entries":
        shown["task_assignment"] = part(account, "task_assignments", row, "task_id")
    return shown


def short(account: Account, kind: str, object_id: int | None) -> Row | None:
    if object_id is None:
        return None
    row = account.objects(kind)[str(object_id)]
    if kind == "invoices":
        return {"id": row["id"], "number": row["number"]}
    name = f"{row['first_name']} {row['last_name']}" if kind == "users" else row["name"]
    more: dict[str, Any] = {"clients": {"currency": row.get("currency")}, "projects": {"code": row.get("code")}}
    return {"id": row["id"], "name": name, **more.get(kind, {})}


def part(account: Account, kind: str, row: Row, what: str) -> Row | None:
    """The assignment that a piece of work belongs to."""
    rows = account.objects(kind).values()
    found = next((a for a in rows if a["project_id"] == row["project_id"] and a[what] == row[what]), None)
    return {"id": found["id"], "is_active": found["is_active"]} if found else None
