"""Version 2 records: lists by cursor, one record, search that lags."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from sandbox.clock import parse_time
from sandbox.pipedrive import records
from sandbox.pipedrive.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]
LARGEST_PAGE = 500
KIND = "<any(organizations, persons, deals):kind>"


@VENDOR.route(f"/api/v2/{KIND}", methods=["GET"])
def list_records(call: Call, kind: str) -> Json:
    limit = int(call.args.get("limit", 100))
    if limit > LARGEST_PAGE:
        raise records.refuse(f"limit: must be at most {LARGEST_PAGE}")
    key = call.args.get("sort_by", "id")
    found = [record for record in call.account.objects(kind).values() if shown(call, kind, record)]
    found.sort(key=lambda record: (record[key], record["id"]), reverse=call.account.setting("ignores_order", False))
    if cursor := call.args.get("cursor"):
        place = parse_cursor(cursor)
        found = [record for record in found if (str(record[key]), record["id"]) >= place]
    following = None
    if len(found) > limit:
        following = base64.b64encode(f"{found[limit][key]}|{found[limit]['id']}".encode()).decode()
    return {"success": True, "data": found[:limit], "additional_data": {"next_cursor": following}}


def parse_cursor(cursor: str) -> tuple[str, int]:
    """The first record of the next page: its sort value and id."""
    try:
        value, _, object_id = base64.b64decode(cursor).decode().rpartition("|")
        return value, int(object_id)
    except ValueError:
        raise records.refuse("cursor: invalid") from None


def shown(call: Call, kind: str, record: Json) -> bool:
    since = call.args.get("updated_since")
    if since and parse_time(record["update_time"]) < parse_time(since):
        return False
    statuses = (call.args.get("status") or "").split(",") if kind == "deals" else [""]
    if record["is_deleted"]:
        return "deleted" in statuses
    return statuses == [""] or record.get("status") in statuses


@VENDOR.route(f"/api/v2/{KIND}", methods=["POST"])
def add_record(call: Call, kind: str) -> tuple[Json, int]:
    return records.create(call.account, kind, call.json), 201


@VENDOR.route(f"/api/v2/{KIND}/<int:object_id>", methods=["GET"])
def read_record(call: Call, kind: str, object_id: int) -> Json:
    return records.find(call.account, kind, str(object_id))


@VENDOR.route(f"/api/v2/{KIND}/<int:object_id>", methods=["PATCH"])
def update_record(call: Call, kind: str, object_id: int) -> Json:
    return records.update(call.account, kind, str(object_id), call.json)


@VENDOR.route(f"/api/v2/{KIND}/<int:object_id>", methods=["DELETE"])
def delete_record(call: Call, kind: str, object_id: int) -> Json:
    return records.delete(call.account, kind, str(object_id))


@VENDOR.route(f"/api/v2/{KIND}/search", methods=["GET"])
def search(call: Call, kind: str) -> Json:
    """Exact matches in custom fields; records of the last `search_lag_seconds` are not in the index yet."""
    term = call.args.get("term", "")
    if len(term) < 2:
        raise VendorError(400, "term: must be at least 2 characters")
    horizon = call.account.now() - timedelta(seconds=call.account.setting("search_lag_seconds", 0))
    found = [
        record
        for record in call.account.objects(kind).values()
        if not record["is_deleted"]
        and parse_time(record["add_time"]) <= horizon
        and any(str(value).lower() == term.lower() for value in record["custom_fields"].values())
    ]
    return {"items": [{"result_score": 1, "item": {"id": record["id"]}} for record in found]}
