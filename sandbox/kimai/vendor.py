"""Customers, projects, users and timesheets of Kimai 2 (kimai.org documentation; kimai/kimai src/API).

Only timesheets are paged: `page` and `size` (at most 500), the counts in headers, 404 behind the last page. Nothing shows
when it was changed, though timesheets can be filtered by it.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.clock import parse_time
from sandbox.vendor import Call, Vendor, VendorError, bearer_token, json_response

Row = dict[str, Any]
LARGEST_PAGE = 500
REQUIRED = {
    "customers": ("name", "country", "currency", "timezone"),
    "projects": ("name", "customer"),
    "users": ("username",),
    "timesheets": ("begin", "project", "user"),
}
DEFAULTS: dict[str, Row] = {
    "customers": {"number": None, "comment": None, "visible": True, "billable": True, "country": "DE", "currency": "EUR",
                  "timezone": "Europe/Berlin"},
    "projects": {"number": None, "orderNumber": None, "start": None, "end": None, "visible": True, "billable": True},
    "users": {"alias": None, "title": None, "enabled": True},
    "timesheets": {"end": None, "duration": 0, "description": None, "billable": True, "exported": False, "activity": 1},
}  # fmt: skip
SEARCHED = {"customers": ("name", "number"), "projects": ("name", "orderNumber")}


class Kimai(Vendor):
    name = "kimai"

    def authenticate(self, call: Call) -> None:
        known = call.account.credentials().get("api_key")
        if not known or bearer_token(call.request) != known:
            raise VendorError(401, "Invalid credentials")

    def error(self, call: Call, error: VendorError) -> Response:
        return json_response({"code": error.status, "message": error.message or "Not Found"}, error.status)

    def raw_objects(self, account: Account, kind: str) -> list[Row]:
        return [shown(row) for row in account.objects(kind).values()]

    def create_object(self, account: Account, kind: str, data: Row) -> Row:
        return shown(make(account, kind, {**DEFAULTS[kind], **data}))

    def update_object(self, account: Account, kind: str, object_id: str, data: Row) -> Row:
        return shown(change(account, kind, object_id, data))


VENDOR = Kimai()


@VENDOR.route("/api/users/me", methods=["GET"])
def me(call: Call) -> Row:
    return {"id": 1, "username": "robot", "alias": None, "enabled": True}


@VENDOR.route("/api/<any(customers, projects, users):kind>", methods=["GET"])
def list_all(call: Call, kind: str) -> list[Row]:
    rows = list(call.account.objects(kind).values())
    term = call.args.get("term", "")
    if term:
        rows = [row for row in rows if any(term in str(row.get(field) or "") for field in SEARCHED.get(kind, ()))]
    return [shown(row) for row in rows]


@VENDOR.route("/api/timesheets", methods=["GET"])
def list_timesheets(call: Call) -> Response:
    rows = sorted(call.account.objects("timesheets").values(), key=lambda row: row["id"])
    since = call.args.get("modified_after")
    if since:
        rows = [row for row in rows if parse_time(row["modified"]) >= parse_time(f"{since}+00:00")]
    size, page = min(int(call.args.get("size", 50)), LARGEST_PAGE), int(call.args.get("page", 1))
    pages = max(1, -(-len(rows) // size))
    if page > pages:
        raise VendorError(404)
    headers = {
        "X-Page": str(page),
        "X-Total-Count": str(len(rows)),
        "X-Total-Pages": str(pages),
        "X-Per-Page": str(size),
    }
    return json_response([shown(row) for row in rows[(page - 1) * size : page * size]], headers=headers)


@VENDOR.route("/api/<kind>/<object_id>", methods=["GET"])
def get_one(call: Call, kind: str, object_id: str) -> Row:
    return shown(row_of(call.account, kind, object_id))


@VENDOR.route("/api/<any(customers, projects, timesheets):kind>", methods=["POST"])
def create(call: Call, kind: str) -> Row:
    return shown(make(call.account, kind, {**DEFAULTS[kind], **call.json}))


@VENDOR.route("/api/<any(customers, projects, timesheets):kind>/<object_id>", methods=["PATCH"])
def patch(call: Call, kind: str, object_id: str) -> Row:
    return shown(change(call.account, kind, object_id, call.json))


def row_of(account: Account, kind: str, object_id: str) -> Row:
    row = account.objects(kind).get(object_id) if kind in DEFAULTS else None
    if row is None:
        raise VendorError(404)
    return row


def make(account: Account, kind: str, data: Row) -> Row:
    for name in REQUIRED[kind]:
        if data.get(name) in (None, ""):
            raise VendorError(400, "Validation Failed")
    unknown = set(data) - set(DEFAULTS[kind]) - set(REQUIRED[kind])
    if unknown:
        raise VendorError(400, "Validation Failed")
    number = account.next_number(kind)
    row = {**data, "id": number, "modified": account.now().isoformat()}
    account.put(kind, str(number), row)
    return row


def change(account: Account, kind: str, object_id: str, data: Row) -> Row:
    row = row_of(account, kind, object_id)
    if any(data.get(name, "x") in (None, "") for name in REQUIRED[kind]):
        raise VendorError(400, "Validation Failed")
    changed = {**row, **data, "modified": account.now().isoformat()}
    account.put(kind, object_id, changed)
    return changed


def shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "modified"}
