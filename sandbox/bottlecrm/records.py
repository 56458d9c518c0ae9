"""Creating, changing and showing records, with BottleCRM's validation and its silence about unknown custom fields."""

from __future__ import annotations

import re
import uuid
from typing import Any

from sandbox.account import Account
from sandbox.clock import iso_millis
from sandbox.vendor import VendorError

Json = dict[str, Any]
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
URL = re.compile(r"^https?://[^\s/]+\.[^\s]+$")
TARGETS = {"accounts": "Account", "contacts": "Contact", "opportunities": "Opportunity"}
EVENTS = {"accounts": "account", "contacts": "contact", "opportunities": "deal"}
FIELDS = {
    "accounts": ("name", "email", "phone", "website", "currency", "industry", "description", "is_active"),
    "contacts": ("first_name", "last_name", "email", "phone", "account", "title", "description", "is_active"),
    "opportunities": (
        "name", "account", "pipeline", "stage", "amount", "currency", "closed_on", "probability", "description",
        "is_active", "contacts",
    ),
}  # fmt: skip
REQUIRED = {"accounts": ("name",), "contacts": ("first_name", "last_name"), "opportunities": ("name",)}
UNIQUE = {
    "accounts": ("name", "Account already exists with this name"),
    "contacts": ("email", "Contact already exists with this email"),
    "opportunities": ("name", "Opportunity already exists with this name"),
}
STAGES = (
    ("PROSPECTING", "Prospecting", "open"),
    ("QUALIFICATION", "Qualification", "open"),
    ("PROPOSAL", "Proposal", "open"),
    ("NEGOTIATION", "Negotiation", "open"),
    ("CLOSED_WON", "Closed Won", "won"),
    ("CLOSED_LOST", "Closed Lost", "lost"),
)
KINDS = {code: kind for code, _, kind in STAGES}


def refuse(errors: Any) -> VendorError:
    return VendorError(400, errors=errors)


def org_id(account: Account) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"bottlecrm.{account.name}"))


def pipeline_id(account: Account) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"pipeline.{account.name}"))


def find(account: Account, kind: str, object_id: str) -> Json:
    found = account.objects(kind).get(object_id)
    if found is None:
        raise VendorError(404, "Not found.")
    return found


def create(account: Account, kind: str, data: Json) -> Json:
    now = iso_millis(account.now())
    start: Json = {"id": str(uuid.uuid4()), "is_active": True, "created_at": now, "custom_fields": {}}
    if kind == "opportunities":
        start |= {"pipeline": pipeline_id(account), "stage": STAGES[0][0], "contacts": [], "amount": None}
    missing = [name for name in REQUIRED[kind] if name not in data]
    if missing:
        raise refuse({name: ["This field is required."] for name in missing})
    return _save(account, kind, start, data, "created")


def update(account: Account, kind: str, object_id: str, data: Json) -> Json:
    return _save(account, kind, find(account, kind, object_id), data, "updated")


def delete(account: Account, kind: str, object_id: str) -> None:
    record = find(account, kind, object_id)
    account.remove(kind, object_id)
    _announce(account, kind, record, "deleted")


def _save(account: Account, kind: str, before: Json, data: Json, what: str) -> Json:
    values = {name: data[name] for name in FIELDS[kind] if name in data}
    _validate(account, kind, before, values)
    custom = _custom(account, kind, before["custom_fields"], data.get("custom_fields") or {})
    saved = {**before, **values, "custom_fields": custom, "updated_at": iso_millis(account.now())}
    if kind == "opportunities":
        _require_closable(saved)
        saved["amount"] = None if saved["amount"] in (None, "") else f"{float(saved['amount']):.2f}"
    account.put(kind, saved["id"], saved)
    _announce(account, kind, saved, what)
    return saved


def _validate(account: Account, kind: str, before: Json, values: Json) -> None:
    errors: dict[str, list[str]] = {}
    for name in REQUIRED[kind]:
        if name in values and not values[name]:
            errors[name] = ["This field may not be blank."]
    name, message = UNIQUE[kind]
    if values.get(name) and _is_taken(account, kind, name, values[name], before["id"]):
        errors[name] = [message]
    if values.get("email") and not EMAIL.match(values["email"]):
        errors["email"] = ["Enter a valid email address."]
    if values.get("website") and not URL.match(values["website"]):
        errors["website"] = ["Enter a valid URL."]
    if values.get("account") and values["account"] not in account.objects("accounts"):
        errors["account"] = ["No such account."]
    if values.get("stage") and values["stage"] not in KINDS:
        errors["stage"] = ["That is not a stage of this deal's pipeline."]
    if values.get("amount") and not re.fullmatch(r"-?\d+(\.\d{1,2})?", str(values["amount"])):
        errors["amount"] = ["A valid number is required."]
    if errors:
        raise refuse(errors)


def _is_taken(account: Account, kind: str, name: str, value: str, own_id: str) -> bool:
    others = (record for record in account.objects(kind).values() if record["id"] != own_id)
    return any((record.get(name) or "").lower() == value.lower() for record in others)


def _require_closable(deal: Json) -> None:
    kind = KINDS[deal["stage"]]
    errors = {}
    if kind != "open" and not deal.get("closed_on"):
        errors["closed_on"] = ["A deal cannot be closed without the date it closed on."]
    if kind == "won" and not deal.get("amount"):
        errors["amount"] = ["A won deal has to record what it was worth."]
    if errors:
        raise refuse(errors)


def definitions(account: Account, target: str) -> dict[str, Json]:
    found = account.objects("custom_fields").values()
    return {entry["key"]: entry for entry in found if entry["target_model"] == target}


def add_definition(account: Account, data: Json) -> Json:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", data.get("key") or ""):
        raise refuse({"key": ["key must be a lowercase slug starting with a letter (a-z, 0-9, _)"]})
    if data["key"] in definitions(account, data["target_model"]):
        raise refuse({"non_field_errors": ["The fields org, target_model, key must make a unique set."]})
    made = {"id": str(uuid.uuid4()), "options": None, "is_required": False, "is_active": True, **data}
    account.put("custom_fields", made["id"], made)
    return made


def _custom(account: Account, kind: str, held: Json, given: Json) -> Json:
    """Values without an active definition are dropped, and nobody is told."""
    known = definitions(account, TARGETS[kind])
    found, errors = dict(held), {}
    for key, value in given.items():
        definition = known.get(key)
        if definition is None or not definition["is_active"]:
            continue
        options = [option["value"] for option in definition["options"] or []]
        if value in (None, ""):
            found.pop(key, None)
        elif definition["field_type"] == "dropdown" and value not in options:
            errors[key] = f"must be one of {sorted(options)}"
        elif definition["field_type"] == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
            errors[key] = "must be a number"
        else:
            found[key] = float(value) if definition["field_type"] == "number" else value
    if errors:
        raise refuse({"custom_fields": errors})
    return found


def show(account: Account, kind: str, record: Json) -> Json:
    """As its own lists and pages show it: links as small objects, and text that changes with the clock."""
    shown = {**dict.fromkeys(FIELDS[kind]), **record, "org": {"id": org_id(account), "name": account.name}}
    if kind == "contacts":
        return shown
    del shown["updated_at"]
    if kind == "accounts":
        return {**shown, "rollups": None, "created_by": None}
    company = account.objects("accounts").get(record.get("account") or "")
    people = [account.objects("contacts")[person] for person in record["contacts"]]
    kept = ("id", "first_name", "last_name", "email")
    owner = {"id": "1", "user_details": {"email": account.setting("owner", "admin@firm.test")}}
    return {
        **shown,
        "account": {"id": company["id"], "name": company["name"]} if company else None,
        "contacts": [{name: person.get(name) for name in kept} for person in people],
        "stage_kind": KINDS[record["stage"]],
        "assigned_to": [owner] if account.setting("owner") else [],
        "created_on_arrow": f"{account.now().second} seconds ago",
    }


def _announce(account: Account, kind: str, record: Json, what: str) -> None:
    payload = {
        "id": str(uuid.uuid4()),
        "event": f"{EVENTS[kind]}.{what}",
        "created_at": account.now().isoformat(),
        "org_id": org_id(account),
        "data": {"id": record["id"], "name": record.get("name"), "updated_at": record["updated_at"]},
    }
    account.emit(payload)
