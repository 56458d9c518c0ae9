"""Associations v4, as far as deals, companies and contacts need them."""

from __future__ import annotations

from typing import Any

from sandbox.account import Account
from sandbox.clock import iso_millis
from sandbox.hubspot import records
from sandbox.hubspot.objects import kind_of
from sandbox.hubspot.schema import TYPE_IDS
from sandbox.hubspot.vendor import VENDOR
from sandbox.vendor import Call, VendorError, json_response

Json = dict[str, Any]
MAX_READ = 1000
MAX_CREATE = 2000


def links(account: Account, kind: str, object_id: str, to_kind: str) -> list[Json]:
    found = account.objects("associations").get(f"{kind}:{object_id}", {}).get(to_kind, {})
    primary = records.ASSOCIATION_TYPES[kind, to_kind][0]
    return [
        {
            "toObjectId": int(to_id),
            "associationTypes": [
                {"category": "HUBSPOT_DEFINED", "typeId": t, "label": "Primary" if t == primary else None}
                for t in types
            ],
        }
        for to_id, types in found.items()
    ]


@VENDOR.route("/crm/v4/associations/<name>/<to_name>/batch/read", methods=["POST"])
def batch_read(call: Call, name: str, to_name: str) -> Any:
    kind, to_kind = kind_of(name), kind_of(to_name)
    inputs = call.json["inputs"]
    if len(inputs) > MAX_READ:
        raise VendorError(400, f"at most {MAX_READ} inputs")
    results, errors = [], []
    for entry in inputs:
        found = links(call.account, kind, str(entry["id"]), to_kind)
        if found:
            results.append({"from": {"id": str(entry["id"])}, "to": found})
        else:
            errors.append(nothing_found(kind, str(entry["id"])))
    now = iso_millis(call.account.now())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return json_response(body, 207 if errors else 200)


def nothing_found(kind: str, object_id: str) -> Json:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {TYPE_IDS[kind]} associations were found for {object_id}.",
        "context": {"fromObjectId": [object_id]},
        "errors": [],
        "links": {},
    }


@VENDOR.route("/crm/v4/associations/<name>/<to_name>/batch/associate/default", methods=["POST"])
def associate_default(call: Call, name: str, to_name: str) -> Json:
    kind, to_kind = kind_of(name), kind_of(to_name)
    inputs = call.json["inputs"]
    if len(inputs) > MAX_CREATE:
        raise VendorError(400, f"at most {MAX_CREATE} inputs")
    pairs = [((kind, str(e["from"]["id"])), (to_kind, str(e["to"]["id"]))) for e in inputs]
    for source, target in pairs:
        for end_kind, object_id in (source, target):
            if object_id not in call.account.objects(end_kind):
                raise VendorError(400, f"One or more {end_kind} do not exist: {object_id}")
    for source, target in pairs:
        records.associate(call.account, source, target)
    now = iso_millis(call.account.now())
    results = [
        {
            "from": {"id": source[1]},
            "to": {"id": target[1]},
            "associationSpec": {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": records.ASSOCIATION_TYPES[source[0], target[0]][1],
            },
        }
        for source, target in pairs
    ]
    return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}


@VENDOR.route("/crm/v4/objects/<name>/<object_id>/associations/<to_name>", methods=["GET"])
def read_one(call: Call, name: str, object_id: str, to_name: str) -> Json:
    return {"results": links(call.account, kind_of(name), object_id, kind_of(to_name))}
