"""The portal's own facts: account information, owners, properties."""

from __future__ import annotations

from typing import Any

from sandbox.hubspot.objects import kind_of
from sandbox.hubspot.records import portal_id
from sandbox.hubspot.schema import add_property, properties
from sandbox.hubspot.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]
PROPERTY_TYPES = ("string", "number", "date", "datetime", "enumeration", "bool")


@VENDOR.route("/account-info/v3/details", methods=["GET"])
def account_details(call: Call) -> Json:
    return {
        "portalId": portal_id(call.account),
        "accountType": "STANDARD",
        "timeZone": "UTC",
        "companyCurrency": call.account.setting("currency", "EUR"),
        "additionalCurrencies": [],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "eu1",
    }


@VENDOR.route("/crm/v3/owners", methods=["GET"])
def list_owners(call: Call) -> Json:
    limit, after = int(call.args.get("limit", 100)), int(call.args.get("after") or 0)
    owners = list(call.account.objects("owners").values())
    page: Json = {"results": owners[after : after + limit]}
    if after + limit < len(owners):
        page["paging"] = {"next": {"after": str(after + limit)}}
    return page


@VENDOR.route("/crm/v3/properties/<name>", methods=["GET"])
def list_properties(call: Call, name: str) -> Json:
    return {"results": list(properties(call.account, kind_of(name)).values())}


@VENDOR.route("/crm/v3/properties/<name>/<property_name>", methods=["GET"])
def read_property(call: Call, name: str, property_name: str) -> Json:
    found = properties(call.account, kind_of(name)).get(property_name)
    if found is None:
        raise VendorError(404, f"Property {property_name} does not exist")
    return found


@VENDOR.route("/crm/v3/properties/<name>", methods=["POST"])
def create_property(call: Call, name: str) -> tuple[Json, int]:
    kind, data = kind_of(name), call.json
    absent = [field for field in ("name", "label", "type", "fieldType", "groupName") if not data.get(field)]
    if absent or data["type"] not in PROPERTY_TYPES:
        raise VendorError(400, f"Invalid input JSON: {', '.join(absent) or 'type'}")
    if data["name"] in properties(call.account, kind):
        raise VendorError(409, f"A property named '{data['name']}' already exists.")
    return add_property(call.account, kind, data), 201
