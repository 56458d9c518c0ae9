"""sObject collections: up to 200 records in a call, each with a result of its own, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.salesforce import records
from sandbox.salesforce.rows import plain, upsert
from sandbox.salesforce.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]
LARGEST = 200
PATH = "/services/data/<version>/composite/sobjects"


@VENDOR.route(PATH, methods=["POST"])
def create_many(call: Call, version: str) -> list[Json]:
    return each(call, lambda entry: _result(records.create(call.account, type_of(entry), plain(entry))))


@VENDOR.route(PATH, methods=["PATCH"])
def update_many(call: Call, version: str) -> list[Json]:
    def change(entry: Json) -> Json:
        values = plain(entry)
        row_id = values.pop("id", None) or values.pop("Id", "")
        return _result(records.update(call.account, type_of(entry), row_id, values))

    return each(call, change)


@VENDOR.route(f"{PATH}/<sobject>/<name>", methods=["PATCH"])
def upsert_many(call: Call, version: str, sobject: str, name: str) -> list[Json]:
    keys = [entry.get(name) for entry in entries(call)]

    def save(entry: Json) -> Json:
        if type_of(entry) != sobject:
            raise VendorError(400, f"records must be of type {sobject}", code="INVALID_TYPE")
        values = plain(entry)
        key = values.pop(name, None)
        if not key or keys.count(key) > 1:
            code = "DUPLICATE_EXTERNAL_ID" if key else "MISSING_ARGUMENT"
            raise VendorError(400, f"{name} not specified or given twice", code=code)
        row, created = upsert(call, sobject, name, key, values)
        return {**_result(row), "created": created}

    return [{"created": False, **result} for result in each(call, save)]


@VENDOR.route(PATH, methods=["DELETE"])
def delete_many(call: Call, version: str) -> list[Json]:
    def remove(row_id: str) -> Json:
        sobject = next((name for name, prefix in records.PREFIXES.items() if row_id.startswith(prefix)), "Account")
        return _result(records.delete(call.account, sobject, row_id))

    return [_attempt(remove, row_id) for row_id in call.args.get("ids", "").split(",")]


def entries(call: Call) -> list[Json]:
    body = call.json if isinstance(call.json, dict) else {}
    found = body.get("records")
    if not isinstance(found, list) or not found:
        raise VendorError(400, "The request body is not well formed", code="JSON_PARSER_ERROR")
    if len(found) > LARGEST:
        message = f"The number of records ({len(found)}) exceeds the limit of {LARGEST}"
        raise VendorError(400, message, code="EXCEEDED_MAX_SIZE_REQUEST")
    return found


def each(call: Call, work: Callable[[Json], Json]) -> list[Json]:
    """Setting `locked` names ids of rows that somebody else is just writing."""
    locked = call.account.setting("locked", [])

    def unless_locked(entry: Json) -> Json:
        if entry.get("id") in locked:
            raise VendorError(400, "unable to obtain exclusive access to this record", code="UNABLE_TO_LOCK_ROW")
        return work(entry)

    return [_attempt(unless_locked, entry) for entry in entries(call)]


def _attempt(work: Callable[[Any], Json], entry: Any) -> Json:
    try:
        return work(entry)
    except VendorError as error:
        code = error.details.get("code", "UNKNOWN_EXCEPTION")
        problem = {"statusCode": code, "message": error.message, "fields": error.details.get("fields", [])}
        return {"success": False, "errors": [problem]}


def type_of(entry: Json) -> str:
    """Recorded: a record whose first member is not `attributes` cannot be read."""
    if next(iter(entry), "") != "attributes":
        message = "Nested object for polymorphic foreign key must have an attributes field before any other fields."
        raise VendorError(400, message, code="JSON_PARSER_ERROR")
    return str(entry["attributes"]["type"])


def _result(row: Json) -> Json:
    return {"id": row["Id"], "success": True, "errors": []}
