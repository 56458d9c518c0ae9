"""Organizations, users and tickets: what they take and refuse, and their addresses."""

from __future__ import annotations

import uuid
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.vendor import Call, VendorError, json_response
from sandbox.zendesk.vendor import ACCOUNT_ID, VENDOR, Row, gone, row_of, signed_in, stamp

KINDS = {"organizations": "organization", "users": "user", "tickets": "ticket"}
DEFAULTS: dict[str, Row] = {
    "organizations": {"name": "", "domain_names": [], "external_id": None, "notes": "", "deleted_at": None},
    "users": {
        "name": "", "email": None, "phone": None, "organization_id": None, "external_id": None, "role": "end-user",
        "active": True, "suspended": False, "verified": False,
    },
    "tickets": {
        "subject": "", "description": "", "status": "new", "priority": None, "type": None, "due_at": None,
        "requester_id": None, "organization_id": None, "assignee_id": None, "external_id": None, "tags": [],
    },
}  # fmt: skip
STATUSES = ("new", "open", "pending", "hold", "solved", "closed", "deleted")
PRIORITIES = (None, "low", "normal", "high", "urgent")
HOUR_SECONDS = 3600


def make(account: Account, kind: str, data: Row) -> Row:
    values = {**DEFAULTS[kind], **{name: data[name] for name in DEFAULTS[kind] if name in data}}
    if kind == "tickets":
        if "comment" in data:
            values["description"] = data["comment"].get("body", "")
        if not values["description"]:
            raise VendorError(422, base="Description: cannot be blank")
        values["requester_id"] = values["requester_id"] or owner(account)["id"]
    check(account, kind, values)
    now = stamp(account)
    row = {"id": account.next_number(kind, 35001), **values, "created_at": now, "updated_at": now}
    return kept(account, kind, row, "created")


def change(account: Account, kind: str, row: Row, data: Row) -> Row:
    if row.get("status") == "closed":
        raise VendorError(422, base="Status: closed prevents ticket update")
    values = {**row, **{name: data[name] for name in DEFAULTS[kind] if name in data}}
    check(account, kind, values)
    return kept(account, kind, {**values, "updated_at": stamp(account)}, "changed")


def kept(account: Account, kind: str, row: Row, event: str) -> Row:
    account.put(kind, str(row["id"]), row)
    account.emit(
        {
            "type": f"zen:event-type:{KINDS[kind]}.{event}", "account_id": ACCOUNT_ID, "id": str(uuid.uuid4()),
            "time": stamp(account), "zendesk_event_version": "2022-11-06", "subject": f"zen:{KINDS[kind]}:{row['id']}",
            "detail": {"id": str(row["id"]), "role": row.get("role"), "updated_at": row["updated_at"]}, "event": {},
        }
    )  # fmt: skip
    return row


def check(account: Account, kind: str, values: Row) -> None:
    others = [row for row in account.objects(kind).values() if row["id"] != values.get("id")]
    problems = {}
    if kind != "tickets" and not values["name"]:
        problems["name"] = "Name: is too short (minimum one character)"
    if kind == "organizations" and any(row["name"].lower() == values["name"].lower() for row in others):
        problems["name"] = f"Name: {values['name']} has already been taken"
    if kind == "users" and values["email"] and any(row["email"] == values["email"] for row in others):
        problems["email"] = f"Email: {values['email']} is already being used by another user"
    if kind == "tickets" and values["status"] not in STATUSES:
        problems["base"] = f"Status: {values['status']} is not valid"
    if kind == "tickets" and values["priority"] not in PRIORITIES:
        problems["priority"] = f"Priority: {values['priority']} is not valid"
    if problems:
        raise VendorError(422, **problems)


def owner(account: Account) -> Row:
    """The administrator whose token it is."""
    users = account.objects("users")
    role = account.setting("role", "admin")
    if "1" not in users:
        values = {**DEFAULTS["users"], "name": "Token Owner", "email": "owner@example.org", "role": role}
        now = stamp(account)
        account.put("users", "1", {"id": 1, **values, "created_at": now, "updated_at": now})
    return users["1"]


@VENDOR.route("/api/v2/users/me", methods=["GET"])
def me(call: Call) -> Any:
    if not signed_in(call):
        return {"user": {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}}
    return {"user": owner(call.account)}


@VENDOR.route("/api/v2/account/settings", methods=["GET"])
def settings(call: Call) -> Any:
    return {"settings": {"branding": {"name": call.account.name.title()}}}


def listed(call: Call, kind: str, name: str) -> list[Row]:
    """By external id, without regard to case."""
    wanted = {found.lower() for found in call.args.get(name, "").split(",") if found}
    rows = [row for row in call.account.objects(kind).values() if not gone(row)]
    return [row for row in rows if str(row["external_id"] or "").lower() in wanted]


@VENDOR.route("/api/v2/<kind>/show_many", methods=["GET"])
def show_many(call: Call, kind: str) -> Any:
    rows = listed(call, kind, "external_ids")
    return {kind: rows, "count": len(rows), "next_page": None}


@VENDOR.route("/api/v2/tickets", methods=["GET"])
def tickets(call: Call) -> Any:
    rows = listed(call, "tickets", "external_id")
    return {"tickets": rows, "count": len(rows), "next_page": None}


@VENDOR.route("/api/v2/organizations/create_or_update", methods=["POST"])
def create_or_update(call: Call) -> Any:
    data = call.json["organization"]
    rows = call.account.objects("organizations").values()
    found = next((row for row in rows if row["external_id"] == data.get("external_id") and not gone(row)), None)
    if found:
        return {"organization": change(call.account, "organizations", found, data)}
    return {"organization": make(call.account, "organizations", data)}, 201


@VENDOR.route("/api/v2/<kind>", methods=["POST"])
def create(call: Call, kind: str) -> Any:
    """A ticket whose idempotency key is known is answered as the first time, for two hours."""
    key = call.request.headers.get("Idempotency-Key")
    remembered = call.account.objects("idempotency").get(key or "")
    if remembered and remembered["until"] > call.account.now().timestamp():
        return json_response(remembered["answer"], 201, {"x-idempotency-lookup": "hit"})
    row = make(call.account, kind, call.json[KINDS[kind]])
    if key:
        until = call.account.now().timestamp() + 2 * HOUR_SECONDS
        call.account.put("idempotency", key, {"answer": {KINDS[kind]: row}, "until": until})
    return json_response({KINDS[kind]: row}, 201, {"x-idempotency-lookup": "miss"} if key else {})


@VENDOR.route("/api/v2/<kind>/<int:object_id>", methods=["GET"])
def read(call: Call, kind: str, object_id: int) -> Any:
    if kind not in KINDS:
        raise VendorError(404)
    row = row_of(call.account, kind, str(object_id))
    if gone(row):
        raise VendorError(404)
    requester = call.account.objects("users").get(str(row.get("requester_id")))
    more = {"users": [requester] if requester else []} if call.args.get("include") == "users" else {}
    return {KINDS[kind]: row, **more}


@VENDOR.route("/api/v2/<kind>/<int:object_id>", methods=["PUT"])
def update(call: Call, kind: str, object_id: int) -> Any:
    row = row_of(call.account, kind, str(object_id))
    return {KINDS[kind]: change(call.account, kind, row, call.json[KINDS[kind]])}


@VENDOR.route("/api/v2/<kind>/<int:object_id>", methods=["DELETE"])
def delete(call: Call, kind: str, object_id: int) -> Any:
    """People are answered with what is left of them, all else with nothing."""
    row = row_of(call.account, kind, str(object_id))
    if gone(row) or kind not in KINDS:
        raise VendorError(404)
    VENDOR.delete_object(call.account, kind, str(object_id))
    if kind == "users":
        return {"user": row_of(call.account, kind, str(object_id))}
    return Response(status=204)
