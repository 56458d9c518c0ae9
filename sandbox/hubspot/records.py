"""Creating, changing and rendering CRM records, with HubSpot's validation and its lagging search index."""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import Any

from sandbox.account import Account
from sandbox.clock import iso_millis, parse_time
from sandbox.hubspot.schema import DEFAULT_RETURNED, MODIFIED, SINGULAR, TYPE_IDS, properties
from sandbox.vendor import VendorError

Json = dict[str, Any]
FIRST_ID = 400_000_000_001
DATE_ONLY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
# (from, to) → (primary type id or None, plain type id)
ASSOCIATION_TYPES = {
    ("deals", "companies"): (5, 341),
    ("companies", "deals"): (6, 342),
    ("contacts", "companies"): (1, 279),
    ("companies", "contacts"): (2, 280),
    ("deals", "contacts"): (None, 3),
    ("contacts", "deals"): (None, 4),
    ("quotes", "deals"): (None, 64),
    ("deals", "quotes"): (None, 63),
    ("quotes", "line_items"): (None, 67),
    ("line_items", "quotes"): (None, 68),
    ("quotes", "contacts"): (None, 69),
    ("contacts", "quotes"): (None, 70),
    ("quotes", "companies"): (None, 71),
    ("companies", "quotes"): (None, 72),
}
# record id → [(when, version the search index still shows or None)]
Unindexed = dict[str, list[tuple[datetime, Json | None]]]


def create_many(account: Account, kind: str, inputs: list[Json]) -> list[Json]:
    """All or none: a refused input raises before anything is stored."""
    taken: set[tuple[str, str]] = set()
    cleaned = [clean(account, kind, entry["properties"], taken=taken) for entry in inputs]
    first = account.next_number("record", FIRST_ID, len(inputs))
    made = [_new(account, kind, str(first + index), values) for index, values in enumerate(cleaned)]
    _store(account, kind, made, before={})
    for record, entry in zip(made, inputs, strict=True):
        for link in entry.get("associations") or []:
            _link(account, kind, record["id"], link)
        _announce(account, kind, record["id"], "creation")
    return made


def update_many(account: Account, kind: str, changes: list[tuple[str, Json]]) -> list[Json]:
    known = account.objects(kind)
    taken: set[tuple[str, str]] = set()
    cleaned = [(known[i], clean(account, kind, values, own_id=i, taken=taken)) for i, values in changes]
    now = iso_millis(account.now())
    changed = [_changed(kind, record, values, now) for record, values in cleaned]
    _store(account, kind, changed, before={record["id"]: record for record, _ in cleaned})
    for record, values in cleaned:
        for name, value in values.items():
            _announce(account, kind, record["id"], "propertyChange", propertyName=name, propertyValue=value)
    return changed


def archive(account: Account, kind: str, object_id: str) -> None:
    """Away from lists and search, and shown among the archived, without its associations."""
    record = account.objects(kind).get(object_id)
    if record is None:
        raise VendorError(404, "resource not found")
    now = iso_millis(account.now())
    for place, index in account.scratch.items():
        if place[:2] == ("unique", kind):
            index.pop(record["properties"].get(place[2], ""), None)
    account.remove(kind, object_id)
    account.remove("associations", f"{kind}:{object_id}")
    account.put(f"archived.{kind}", object_id, {**record, "archived": True, "archivedAt": now, "updatedAt": now})
    _announce(account, kind, object_id, "deletion")


def clean(
    account: Account, kind: str, values: Json, *, own_id: str = "", taken: set[tuple[str, str]] | None = None
) -> dict[str, str]:
    """The values as HubSpot stores them (text). Raises its validation errors."""
    known = properties(account, kind)
    found = {}
    for name, value in values.items():
        if name not in known:
            raise invalid(f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST", name)
        if known[name]["modificationMetadata"]["readOnlyValue"]:
            raise invalid(f'"{name}" is a read only property; its value cannot be set.', "READ_ONLY_VALUE", name)
        found[name] = _stored(known[name], value)
        if known[name]["hasUniqueValue"] and found[name]:
            _require_unique(account, kind, name, found[name], own_id, taken)
    return found


def _stored(definition: Json, value: Any) -> str:
    text = "" if value is None else ("true" if value is True else "false" if value is False else str(value))
    name, type_ = definition["name"], definition["type"]
    if not text:
        return ""
    if type_ == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise invalid(f"{text} was not a valid number.", "INVALID_NUMBER", name)
    if type_ == "enumeration" and text not in {option["value"] for option in definition["options"]}:
        raise invalid(f"{text} was not one of the allowed options", "INVALID_OPTION", name)
    if type_ == "datetime":
        return _stored_time(name, text)
    return text


def _stored_time(name: str, text: str) -> str:
    if DATE_ONLY.match(text):
        return f"{text}T00:00:00Z"
    try:
        moment = datetime.fromtimestamp(int(text) / 1000).astimezone() if text.isdigit() else parse_time(text)
    except ValueError:
        raise invalid(f"{text} was not a valid date.", "INVALID_DATE", name) from None
    return iso_millis(moment)


def _require_unique(
    account: Account, kind: str, name: str, value: str, own_id: str, taken: set[tuple[str, str]] | None
) -> None:
    holder = find_by(account, kind, name, value)
    if holder is not None and holder["id"] != own_id:
        label = SINGULAR[kind].capitalize()
        message = f"{label} already exists. Existing ID: {holder['id']}"
        if name == "email":
            raise VendorError(409, message)
        raise invalid(f'Cannot set {name} to "{value}": {message}', "CONFLICTING_UNIQUE_VALUE", name)
    if taken is not None:
        if (name, value) in taken:
            raise invalid(f'Duplicate value "{value}" for {name} in the batch', "CONFLICTING_UNIQUE_VALUE", name)
        taken.add((name, value))


def find_by(account: Account, kind: str, name: str, value: str) -> Json | None:
    """The record with this value of a unique property (strongly consistent, unlike search)."""
    if name == "hs_object_id":
        return account.objects(kind).get(value)
    index = _index(account, kind, name)
    return account.objects(kind).get(index.get(value, ""))


def _index(account: Account, kind: str, name: str) -> dict[str, str]:
    """Unique value → record id."""
    place = ("unique", kind, name)
    if place not in account.scratch:
        records = account.objects(kind).values()
        account.scratch[place] = {r["properties"][name]: r["id"] for r in records if r["properties"].get(name)}
    found: dict[str, str] = account.scratch[place]
    return found


def invalid(message: str, code: str, name: str) -> VendorError:
    detail = {"message": message, "code": code, "context": {"propertyName": [name]}}
    return VendorError(400, f"Property values were not valid: {message}", errors=[detail])


def _new(account: Account, kind: str, object_id: str, values: dict[str, str]) -> Json:
    now = iso_millis(account.now())
    record = {"id": object_id, "properties": {}, "createdAt": now, "updatedAt": now, "archived": False}
    return _changed(kind, record, {"createdate": now, "hs_object_id": object_id, **values}, now)


def _changed(kind: str, record: Json, values: dict[str, str], now: str) -> Json:
    merged = {**record["properties"], **values, MODIFIED[kind]: now}
    merged = {name: value for name, value in merged.items() if value != ""}
    if kind == "line_items" and "price" in merged:
        merged["amount"] = f"{float(merged['price']) * float(merged.get('quantity', 1)):g}"
    if kind == "quotes":
        merged.setdefault("hs_createdate", now)
        merged.setdefault("hs_status", "DRAFT")
    if kind == "deals":
        stage = merged.get("dealstage", "")
        merged["hs_is_closed_won"] = "true" if stage == "closedwon" else "false"
        merged["hs_is_closed_lost"] = "true" if stage == "closedlost" else "false"
        merged["hs_is_closed"] = "true" if stage in ("closedwon", "closedlost") else "false"
    return {**record, "properties": merged, "updatedAt": now}


def _store(account: Account, kind: str, made: list[Json], *, before: dict[str, Json]) -> None:
    for place, index in account.scratch.items():
        if place[:2] == ("unique", kind):
            _reindex(index, place[2], made, before)
    account.put_many(kind, [(record["id"], record) for record in made])
    if account.setting("search_lag_seconds", 0):
        now = account.now()
        for record in made:
            _unindexed(account, kind).setdefault(record["id"], []).append((now, before.get(record["id"])))


def _reindex(index: dict[str, str], name: str, made: list[Json], before: dict[str, Json]) -> None:
    for record in made:
        old = before.get(record["id"], {"properties": {}})["properties"].get(name)
        if old:
            index.pop(old, None)
        if record["properties"].get(name):
            index[record["properties"][name]] = record["id"]


def _unindexed(account: Account, kind: str) -> Unindexed:
    found: Unindexed = account.scratch.setdefault(("unindexed", kind), {})
    return found


def searchable(account: Account, kind: str) -> list[Json]:
    """The records as the search index shows them: changes of the last `search_lag_seconds` are not in it yet."""
    waiting = _unindexed(account, kind)
    if not waiting:
        return list(account.objects(kind).values())
    horizon = account.ago(account.setting("search_lag_seconds", 0))
    shown = dict(account.objects(kind))
    for object_id, versions in list(waiting.items()):
        pending = [version for at, version in versions if at > horizon]
        if not pending:
            del waiting[object_id]
        elif pending[0] is None:
            shown.pop(object_id, None)
        else:
            shown[object_id] = pending[0]
    return list(shown.values())


def has_unindexed(account: Account, kind: str) -> bool:
    return bool(_unindexed(account, kind))


def render(account: Account, kind: str, record: Json, wanted: list[str] | None) -> Json:
    """The record with the wanted (else the default) properties; known ones without a value are null."""
    known = properties(account, kind)
    names = [name for name in dict.fromkeys(wanted or DEFAULT_RETURNED[kind]) if name in known]
    names += [n for n in ("hs_object_id", "createdate", MODIFIED[kind]) if n not in names]
    values = {name: record["properties"].get(name) for name in names}
    url = f"https://app.hubspot.com/contacts/1/record/{TYPE_IDS[kind]}/{record['id']}"
    return {**record, "properties": values, "url": url}


def associate(account: Account, source: tuple[str, str], target: tuple[str, str]) -> None:
    """Link two records both ways; the first company of a record becomes its primary one."""
    for (kind, object_id), (to_kind, to_id) in ((source, target), (target, source)):
        links = dict(account.objects("associations").get(f"{kind}:{object_id}", {}))
        others = dict(links.get(to_kind, {}))
        primary, plain = ASSOCIATION_TYPES[kind, to_kind]
        is_first = primary is not None and not any(primary in types for types in others.values())
        others[to_id] = sorted({*others.get(to_id, []), plain, *([primary] if is_first and primary else [])})
        links[to_kind] = others
        account.put("associations", f"{kind}:{object_id}", links)
    for kind, object_id in (source, target):
        _touch(account, kind, object_id)


def _touch(account: Account, kind: str, object_id: str) -> None:
    record = account.objects(kind)[object_id]
    touched = _changed(kind, record, {}, iso_millis(account.now()))
    _store(account, kind, [touched], before={object_id: record})


def _link(account: Account, kind: str, object_id: str, link: Json) -> None:
    type_id = link["types"][0]["associationTypeId"]
    for (from_kind, to_kind), ids in ASSOCIATION_TYPES.items():
        if from_kind == kind and type_id in ids:
            if str(link["to"]["id"]) not in account.objects(to_kind):
                raise VendorError(400, f"No {SINGULAR[to_kind]} with ID {link['to']['id']} exists")
            associate(account, (kind, object_id), (to_kind, str(link["to"]["id"])))
            return
    raise VendorError(400, f"{type_id} is not a valid association type between the objects")


def create_owner(account: Account, data: Json) -> Json:
    number = account.next_number("owner", 88_000_001)
    now = iso_millis(account.now())
    owner: Json = {"id": str(number), "type": "PERSON", "firstName": "", "lastName": "", "userId": number}
    owner |= {"userIdIncludingInactive": number, "createdAt": now, "updatedAt": now, "archived": False, **data}
    account.put("owners", owner["id"], owner)
    return owner


def _announce(account: Account, kind: str, object_id: str, what: str, **details: Any) -> None:
    event = {
        "eventId": account.next_number("event", 1_000_001) if account.setting("webhook") else 0,
        "subscriptionId": 1,
        "portalId": portal_id(account),
        "appId": 1,
        "occurredAt": int(account.now().timestamp() * 1000),
        "subscriptionType": f"{SINGULAR[kind]}.{what}",
        "attemptNumber": 0,
        "objectId": int(object_id),
        "changeSource": "CRM_UI",
        **details,
    }
    account.emit(event)


def portal_id(account: Account) -> int:
    """A stable number per account name."""
    return 10_000_000 + zlib.crc32(account.name.encode()) % 90_000_000
