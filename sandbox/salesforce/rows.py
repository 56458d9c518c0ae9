"""One row at a time, descriptions, and what the API offers."""

from __future__ import annotations

from typing import Any

from sandbox.salesforce import records
from sandbox.salesforce.schema import STANDARD, describe, fields_of
from sandbox.salesforce.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]


@VENDOR.route("/services/data", methods=["GET"])
def versions(call: Call) -> list[Json]:
    numbers = range(50, 67)
    return [{"label": f"API {n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in numbers]


@VENDOR.route("/services/data/<version>/sobjects", methods=["GET"])
def describe_global(call: Call, version: str) -> Json:
    names = [name for name in STANDARD if fields_of(call.account, name)]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [{"name": name, "label": name} for name in names]}


@VENDOR.route("/services/data/<version>/sobjects/<sobject>/describe", methods=["GET"])
def describe_one(call: Call, version: str, sobject: str) -> Json:
    return describe(call.account, sobject, records.require_fields(call.account, sobject))


@VENDOR.route("/services/data/<version>/sobjects/<sobject>", methods=["POST"])
def create_row(call: Call, version: str, sobject: str) -> tuple[Json, int]:
    made = records.create(call.account, sobject, plain(call.json))
    return {"id": made["Id"], "success": True, "errors": []}, 201


@VENDOR.route("/services/data/<version>/sobjects/<sobject>/<row_id>", methods=["GET"])
def read_row(call: Call, version: str, sobject: str, row_id: str) -> Json:
    records.require_fields(call.account, sobject)
    row = records.find(call.account, sobject, row_id)
    if row is None or row["IsDeleted"]:
        raise VendorError(404, "The requested resource does not exist", code="NOT_FOUND")
    return {"attributes": records.attributes(sobject, row["Id"], version), **row}


@VENDOR.route("/services/data/<version>/sobjects/<sobject>/<row_id>", methods=["PATCH"])
def update_row(call: Call, version: str, sobject: str, row_id: str) -> tuple[None, int]:
    records.update(call.account, sobject, row_id, plain(call.json))
    return None, 204


@VENDOR.route("/services/data/<version>/sobjects/<sobject>/<row_id>", methods=["DELETE"])
def delete_row(call: Call, version: str, sobject: str, row_id: str) -> tuple[None, int]:
    records.delete(call.account, sobject, row_id)
    return None, 204


@VENDOR.route("/services/data/<version>/sobjects/<sobject>/<name>/<value>", methods=["PATCH"])
def upsert_row(call: Call, version: str, sobject: str, name: str, value: str) -> tuple[Json, int]:
    row, created = upsert(call, sobject, name, value, plain(call.json))
    return {"id": row["Id"], "success": True, "errors": [], "created": created}, 201 if created else 200


def upsert(call: Call, sobject: str, name: str, value: str, values: Json) -> tuple[Json, bool]:
    field = records.require_fields(call.account, sobject).get(name)
    if field is None or not (field.unique or name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise VendorError(404, message, code="NOT_FOUND")
    row = records.find_by(call.account, sobject, name, value)
    if row is not None:
        return records.update(call.account, sobject, row["Id"], values), False
    return records.create(call.account, sobject, {**values, name: value}), True


def plain(data: Any) -> Json:
    if not isinstance(data, dict):
        raise VendorError(400, "Unexpected character in JSON", code="JSON_PARSER_ERROR")
    return {name: value for name, value in data.items() if name != "attributes"}
