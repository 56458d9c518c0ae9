"""CRM v3 objects: list, read, create, change, and the batch forms."""

from __future__ import annotations

from typing import Any

from sandbox.account import Account
from sandbox.clock import iso_millis
from sandbox.hubspot import records
from sandbox.hubspot.schema import SINGULAR, TYPES, properties
from sandbox.hubspot.vendor import VENDOR
from sandbox.vendor import Call, VendorError, json_response

MAX_BATCH = 100
MAX_LIMIT = 100
Json = dict[str, Any]


def kind_of(name: str) -> str:
    if name not in TYPES:
        raise VendorError(400, f"Unable to infer object type from: {name}")
    return TYPES[name]


@VENDOR.route("/crm/v3/objects/<name>", methods=["GET"])
def list_objects(call: Call, name: str) -> Json:
    kind = kind_of(name)
    limit = int(call.args.get("limit", 10))
    if limit > MAX_LIMIT:
        raise VendorError(400, f"limit must be at most {MAX_LIMIT}")
    after = int(call.args.get("after") or 0)
    place = f"archived.{kind}" if call.args.get("archived") == "true" else kind
    held = call.account.objects(place)
    ids = sorted(int(i) for i in held)
    chosen = [i for i in ids if i >= after][: limit + 1]
    results = [records.render(call.account, kind, held[str(i)], wanted(call)) for i in chosen[:limit]]
    page: Json = {"results": results}
    if len(chosen) > limit:
        after_text = str(chosen[limit])
        link = f"https://api.hubapi.com/crm/v3/objects/{name}?limit={limit}&after={after_text}"
        page["paging"] = {"next": {"after": after_text, "link": link}}
    return page


def wanted(call: Call) -> list[str] | None:
    names = [part for entry in call.args.getlist("properties") for part in entry.split(",") if part]
    return names or None


@VENDOR.route("/crm/v3/objects/<name>/<object_id>", methods=["GET"])
def read_object(call: Call, name: str, object_id: str) -> Json:
    kind = kind_of(name)
    record = find(call.account, kind, object_id, call.args.get("idProperty"))
    return records.render(call.account, kind, record, wanted(call))


def find(account: Account, kind: str, object_id: str, id_property: str | None) -> Json:
    definition = properties(account, kind).get(id_property) if id_property else None
    if id_property and (definition is None or not definition["hasUniqueValue"]):
        raise VendorError(400, f"{id_property} is not a property with unique values")
    record = records.find_by(account, kind, id_property or "hs_object_id", object_id)
    if record is None:
        raise VendorError(404, "resource not found")
    return record


@VENDOR.route("/crm/v3/objects/<name>", methods=["POST"])
def create_object(call: Call, name: str) -> tuple[Json, int]:
    kind = kind_of(name)
    if not isinstance(call.json, dict) or not isinstance(call.json.get("properties"), dict):
        raise VendorError(400, "Invalid input JSON: properties must be an object")
    made = records.create_many(call.account, kind, [call.json])[0]
    return records.render(call.account, kind, made, list(made["properties"])), 201


@VENDOR.route("/crm/v3/objects/<name>/<object_id>", methods=["PATCH"])
def update_object(call: Call, name: str, object_id: str) -> Json:
    kind = kind_of(name)
    record = find(call.account, kind, object_id, call.args.get("idProperty"))
    changed = records.update_many(call.account, kind, [(record["id"], call.json["properties"])])[0]
    return records.render(call.account, kind, changed, list(changed["properties"]))


@VENDOR.route("/crm/v3/objects/<name>/<object_id>", methods=["DELETE"])
def archive_object(call: Call, name: str, object_id: str) -> tuple[None, int]:
    records.archive(call.account, kind_of(name), object_id)
    return None, 204


@VENDOR.route("/crm/v3/objects/<name>/batch/<action>", methods=["POST"])
def batch(call: Call, name: str, action: str) -> Any:
    kind = kind_of(name)
    inputs = call.json.get("inputs") if isinstance(call.json, dict) else None
    if not inputs:
        raise VendorError(400, "Invalid input JSON: inputs may not be empty")
    if len(inputs) > MAX_BATCH:
        raise VendorError(400, f"The maximum number of inputs supported is {MAX_BATCH}, received {len(inputs)}")
    if action not in ACTIONS:
        raise VendorError(404, "resource not found")
    started = iso_millis(call.account.now())
    results, errors, good_status = ACTIONS[action](call, kind, inputs)
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": started}
    body["completedAt"] = iso_millis(call.account.now())
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return json_response(body, 207 if errors else good_status)


Batch = tuple[list[Json], list[Json], int]


def batch_create(call: Call, kind: str, inputs: list[Json]) -> Batch:
    made = records.create_many(call.account, kind, inputs)
    return [records.render(call.account, kind, record, list(record["properties"])) for record in made], [], 201


def batch_update(call: Call, kind: str, inputs: list[Json]) -> Batch:
    known = call.account.objects(kind)
    errors = [missing(kind, [e["id"] for e in inputs if e["id"] not in known])] if _absent(known, inputs) else []
    present = [(entry["id"], entry["properties"]) for entry in inputs if entry["id"] in known]
    changed = records.update_many(call.account, kind, present)
    return [records.render(call.account, kind, record, list(record["properties"])) for record in changed], errors, 200


def batch_read(call: Call, kind: str, inputs: list[Json]) -> Batch:
    id_property = call.json.get("idProperty") or "hs_object_id"
    found = [records.find_by(call.account, kind, id_property, str(entry["id"])) for entry in inputs]
    absent = [entry["id"] for entry, record in zip(inputs, found, strict=True) if record is None]
    names = call.json.get("properties") or None
    results = [records.render(call.account, kind, record, names) for record in found if record is not None]
    return results, [missing(kind, absent)] if absent else [], 200


def batch_upsert(call: Call, kind: str, inputs: list[Json]) -> Batch:
    id_properties = {entry.get("idProperty") for entry in inputs}
    if len(id_properties) != 1 or len({entry["id"] for entry in inputs}) != len(inputs):
        raise VendorError(400, "Duplicate IDs found in batch input, or more than one idProperty")
    name = id_properties.pop() or "hs_object_id"
    definition = properties(call.account, kind).get(name)
    if definition is None or not definition["hasUniqueValue"]:
        raise VendorError(400, f"{name} is not a property with unique values")
    holders = {entry["id"]: records.find_by(call.account, kind, name, entry["id"]) for entry in inputs}
    values = {entry["id"]: {**entry["properties"], name: entry["id"]} for entry in inputs}
    for key, holder in holders.items():
        # Refuse the whole batch before any of it is stored.
        records.clean(call.account, kind, values[key], own_id=holder["id"] if holder else "")
    fresh = [key for key, holder in holders.items() if holder is None]
    made = records.create_many(call.account, kind, [{"properties": values[key]} for key in fresh])
    changes = [(holder["id"], values[key]) for key, holder in holders.items() if holder]
    written = [(record, True) for record in made]
    written += [(record, False) for record in records.update_many(call.account, kind, changes)]
    shown = [
        {**records.render(call.account, kind, record, list(record["properties"])), "new": new}
        for record, new in written
    ]
    return shown, [], 200


def _absent(known: Json, inputs: list[Json]) -> bool:
    return any(entry["id"] not in known for entry in inputs)


def missing(kind: str, ids: list[str]) -> Json:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {SINGULAR[kind].upper()} objects, they may be deleted or not exist.",
        "context": {"ids": [str(i) for i in ids]},
        "errors": [],
        "links": {},
    }


ACTIONS = {"create": batch_create, "update": batch_update, "read": batch_read, "upsert": batch_upsert}
