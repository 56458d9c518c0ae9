"""Creating, changing and showing records, with version 2's strict validation."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC
from typing import Any

from sandbox.account import Account
from sandbox.vendor import VendorError

Json = dict[str, Any]
SINGULAR = {"organizations": "organization", "persons": "person", "deals": "deal"}
NAME = {"organizations": "name", "persons": "name", "deals": "title"}
TYPES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "organizations": {"name": str, "owner_id": int, "website": str},
    "persons": {"name": str, "owner_id": int, "org_id": int, "emails": list, "phones": list},
    "deals": {
        "title": str, "owner_id": int, "org_id": int, "person_id": int, "pipeline_id": int, "stage_id": int,
        "value": (int, float), "currency": str, "status": str, "expected_close_date": str, "lost_reason": str,
    },
}  # fmt: skip
REFERENCES = {"org_id": "organizations", "person_id": "persons"}
STATUSES = ("open", "won", "lost")


def refuse(message: str) -> VendorError:
    return VendorError(400, f"Validation failed: {message}")


def company_id(account: Account) -> int:
    return int(hashlib.sha256(account.name.encode()).hexdigest()[:6], 16)


def now_text(account: Account) -> str:
    return account.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def find(account: Account, kind: str, object_id: str) -> Json:
    found = account.objects(kind).get(object_id)
    if found is None:
        raise VendorError(404, f"{SINGULAR[kind].capitalize()} not found")
    return found


def create(account: Account, kind: str, data: Json) -> Json:
    if not data.get(NAME[kind]):
        raise refuse(f"{NAME[kind]}: Required")
    now = now_text(account)
    start: Json = {"id": account.next_number(kind, 1), "add_time": now, "is_deleted": False, "custom_fields": {}}
    start |= {"owner_id": data.get("owner_id") or owner(account)["id"], "org_id": None}
    if kind == "deals":
        start |= {"status": "open", "value": 0, "currency": account.setting("currency", "EUR"), "person_id": None}
        start |= {"close_time": None, "expected_close_date": None}
    if kind == "persons":
        start |= {"emails": [], "phones": []}
    return _save(account, kind, start, data, "create")


def update(account: Account, kind: str, object_id: str, data: Json) -> Json:
    record = find(account, kind, object_id)
    if record["is_deleted"]:
        raise VendorError(404, f"{SINGULAR[kind].capitalize()} not found")
    return _save(account, kind, record, data, "change")


def delete(account: Account, kind: str, object_id: str) -> Json:
    """Marked, and shown as such among deals for 30 days."""
    record = {**find(account, kind, object_id), "is_deleted": True, "update_time": now_text(account)}
    account.put(kind, object_id, record)
    _announce(account, kind, record, "delete")
    return {"id": record["id"]}


def _save(account: Account, kind: str, before: Json, data: Json, action: str) -> Json:
    values = {name: value for name, value in data.items() if name != "custom_fields"}
    for name, value in values.items():
        _require_valid(account, kind, name, value)
    custom = {**before["custom_fields"], **_custom(account, kind, data.get("custom_fields") or {})}
    # A record never changed has no time of change, until it is.
    saved = {**before, "update_time": now_text(account), **values, "custom_fields": custom}
    if kind == "deals" and saved["status"] != before.get("status"):
        saved["close_time"] = saved["update_time"] if saved["status"] != "open" else None
    if kind == "persons":
        first, _, last = saved["name"].rpartition(" ")
        saved |= {"first_name": first or last, "last_name": last if first else None}
    account.put(kind, str(saved["id"]), saved)
    _announce(account, kind, saved, action)
    return saved


def _require_valid(account: Account, kind: str, name: str, value: Any) -> None:
    known = TYPES[kind].get(name)
    if known is None:
        raise refuse(f"Unrecognized key: {name}")
    if value is None:
        return
    # Version 2 takes no number written as text.
    if not isinstance(value, known) or isinstance(value, bool):
        raise refuse(f"{name}: expected another type than {type(value).__name__}")
    if name == NAME[kind] and not value:
        raise refuse(f"{name}: must not be empty")
    if name == "status" and value not in STATUSES:
        raise refuse(f"status: must be one of {', '.join(STATUSES)}")
    if name in REFERENCES and str(value) not in account.objects(REFERENCES[name]):
        raise refuse(f"{name}: does not exist")


def _custom(account: Account, kind: str, given: Json) -> Json:
    known = account.objects(f"fields.{kind}")
    for code, value in given.items():
        if code not in known:
            raise refuse(f"custom_fields.{code}: unknown field")
        is_number = isinstance(value, int | float)
        if value is not None and is_number != (known[code]["field_type"] == "double"):
            raise refuse(f"custom_fields.{code}: expected {known[code]['field_type']}")
    return given


def add_field(account: Account, kind: str, name: str, field_type: str) -> Json:
    code = hashlib.sha1(f"{account.name}{kind}{name}".encode()).hexdigest()  # noqa: S324 - 40 letters, as Pipedrive's
    made = {"field_code": code, "field_name": name, "field_type": field_type, "is_custom_field": True}
    account.put(f"fields.{kind}", code, made)
    return made


def owner(account: Account) -> Json:
    if not account.objects("users"):
        add_user(account, {"email": "olive@acme.test", "name": "Olive"})
    return next(iter(account.objects("users").values()))


def add_user(account: Account, data: Json) -> Json:
    made = {"id": account.next_number("users", 1001), "active_flag": True, "name": data["email"], **data}
    account.put("users", str(made["id"]), made)
    return made


def _announce(account: Account, kind: str, record: Json, action: str) -> None:
    meta = {
        "action": action,
        "entity": SINGULAR[kind],
        "entity_id": str(record["id"]),
        "company_id": str(company_id(account)),
        "id": str(uuid.uuid4()),
        "timestamp": account.now().astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "version": "2.0",
        "attempt": 1,
    }
    account.emit({"meta": meta, "data": None if action == "delete" else record, "previous": None})
