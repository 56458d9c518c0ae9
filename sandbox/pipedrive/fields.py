"""Custom fields (version 2), users (version 1)."""

from __future__ import annotations

from typing import Any

from sandbox.pipedrive import records
from sandbox.pipedrive.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]
KINDS = {"organizationFields": "organizations", "personFields": "persons", "dealFields": "deals"}


@VENDOR.route("/api/v1/users/me", methods=["GET"])
def me(call: Call) -> Json:
    user = records.owner(call.account)
    return {**user, "company_id": records.company_id(call.account), "company_name": call.account.name}


@VENDOR.route("/api/v1/users", methods=["GET"])
def users(call: Call) -> list[Json]:
    records.owner(call.account)
    return list(call.account.objects("users").values())


@VENDOR.route("/api/v2/<any(organizationFields, personFields, dealFields):path>", methods=["GET"])
def list_fields(call: Call, path: str) -> Json:
    found = list(call.account.objects(f"fields.{KINDS[path]}").values())
    limit, start = int(call.args.get("limit", 100)), int(call.args.get("cursor") or 0)
    following = str(start + limit) if start + limit < len(found) else None
    return {"success": True, "data": found[start:][:limit], "additional_data": {"next_cursor": following}}


@VENDOR.route("/api/v2/<any(organizationFields, personFields, dealFields):path>", methods=["POST"])
def add_field(call: Call, path: str) -> tuple[Json, int]:
    if not call.account.setting("is_admin", True):
        raise VendorError(403, "Scope and URL mismatch")
    return records.add_field(call.account, KINDS[path], call.json["field_name"], call.json["field_type"]), 201
