"""The REST paths: lists by limit and offset (contacts the newest first, others by random id), one record, custom fields, pipelines."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.bottlecrm import records
from sandbox.bottlecrm.records import TARGETS
from sandbox.bottlecrm.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]
DETAIL = {"accounts": "account_obj", "contacts": "contact_obj", "opportunities": "opportunity_obj"}
SINGULAR = {"accounts": "Account", "contacts": "Contact", "opportunities": "Opportunity"}
DEFAULT_LIMIT = 10


def kind_of(name: str) -> str:
    if name not in TARGETS:
        raise VendorError(404, "Not found.")
    return name


@VENDOR.route("/api/org/settings/", methods=["GET"])
def settings(call: Call) -> Json:
    currency = call.account.setting("currency", "EUR")
    return {"id": records.org_id(call.account), "name": call.account.name, "default_currency": currency}


@VENDOR.route("/api/custom-fields/", methods=["GET"])
def list_definitions(call: Call) -> Json:
    return {"definitions": list(records.definitions(call.account, call.args["target_model"]).values()), "totals": None}


@VENDOR.route("/api/custom-fields/", methods=["POST"])
def add_definition(call: Call) -> tuple[Json, int]:
    if not call.account.setting("is_admin", True):
        raise VendorError(403, errors="Admin access required")
    return records.add_definition(call.account, call.json), 201


@VENDOR.route("/api/opportunities/pipelines/", methods=["GET"])
def pipelines(call: Call) -> Json:
    stages = [{"id": code, "code": code, "label": label, "kind": kind} for code, label, kind in records.STAGES]
    pipeline = {"id": records.pipeline_id(call.account), "name": "Sales", "is_default": True, "stages": stages}
    return {"pipelines": [pipeline]}


@VENDOR.route("/api/<name>/", methods=["GET"])
def list_records(call: Call, name: str) -> Json:
    kind = kind_of(name)
    limit, offset = int(call.args.get("limit") or DEFAULT_LIMIT), int(call.args.get("offset") or 0)
    order = "created_at" if kind == "contacts" else "id"
    found = sorted(call.account.objects(kind).values(), key=lambda record: record[order], reverse=True)
    chosen = [record for record in found if matches(call, record)]
    if kind == "accounts":
        halves = [[record for record in chosen if record["is_active"] is state] for state in (True, False)]
        active, closed = ([records.show(call.account, kind, r) for r in half[offset:][:limit]] for half in halves)
        return {
            "per_page": 10,
            "active_accounts": {"offset": None, "open_accounts": active, "open_accounts_count": len(halves[0])},
            "closed_accounts": {"offset": None, "close_accounts": closed, "close_accounts_count": len(halves[1])},
        }
    shown = [records.show(call.account, kind, record) for record in chosen[offset:][:limit]]
    return {"per_page": 10, "count": len(chosen), "results" if kind == "contacts" else "opportunities": shown}


def matches(call: Call, record: Json) -> bool:
    """Filters it does not know are ignored without a word."""
    state = call.args.get("is_active")
    if state in ("true", "false") and record["is_active"] != (state == "true"):
        return False
    wanted = {} if call.account.setting("ignores_filters") else call.args
    custom = {key.removeprefix("cf_"): value for key, value in wanted.items() if key.startswith("cf_") and value}
    return all(record["custom_fields"].get(key) == value for key, value in custom.items())


@VENDOR.route("/api/<name>/", methods=["POST"])
def create_record(call: Call, name: str) -> Json:
    made = records.create(call.account, kind_of(name), call.json)
    return {"error": False, "message": f"{SINGULAR[name]} Created Successfully", "id": made["id"]}


@VENDOR.route("/api/<name>/<object_id>/", methods=["GET"])
def read_record(call: Call, name: str, object_id: str) -> Json:
    kind = kind_of(name)
    return {DETAIL[kind]: records.show(call.account, kind, records.find(call.account, kind, plain_id(object_id)))}


@VENDOR.route("/api/<name>/<object_id>/", methods=["PATCH"])
def update_record(call: Call, name: str, object_id: str) -> Json:
    records.update(call.account, kind_of(name), plain_id(object_id), call.json)
    return {"error": False, "message": f"{SINGULAR[name]} Updated Successfully"}


@VENDOR.route("/api/<name>/<object_id>/", methods=["DELETE"])
def delete_record(call: Call, name: str, object_id: str) -> Json:
    records.delete(call.account, kind_of(name), plain_id(object_id))
    return {"error": False, "message": f"{SINGULAR[name]} Deleted Successfully."}


def plain_id(object_id: str) -> str:
    """Ids in any form a UUID can be written in; anything else is no address at all."""
    try:
        return str(uuid.UUID(object_id))
    except ValueError:
        raise VendorError(404, "Not found.") from None
