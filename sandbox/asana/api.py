"""Lists with offsets that expire, fields on demand, tasks by project."""

from __future__ import annotations

import base64
import json
from typing import Any

from sandbox.account import Account
from sandbox.asana.vendor import VENDOR, WORKSPACE, Row, announce, row_of
from sandbox.clock import iso_millis, parse_time
from sandbox.vendor import Call, VendorError

TYPES = {
    "projects": "project", "tasks": "task", "users": "user", "time_tracking_entries": "time_tracking_entry",
}  # fmt: skip
DEFAULTS: dict[str, Row] = {
    "projects": {"name": "", "archived": False, "completed": False, "start_on": None, "due_on": None, "notes": ""},
    "tasks": {
        "name": "", "completed": False, "completed_at": None, "due_on": None, "assignee": None, "projects": [],
        "notes": "", "resource_subtype": "default_task",
    },
    "users": {"name": "", "email": ""},
    "time_tracking_entries": {
        "duration_minutes": 0, "entered_on": None, "created_by": None, "attributable_to": None, "task": None,
        "approval_status": None,
    },
}  # fmt: skip
COMPACT = ("gid", "name", "resource_type", "resource_subtype")
OFFSET_SECONDS = 3600


def make(account: Account, kind: str, data: Row) -> Row:
    """References are given as ids."""
    row = {**DEFAULTS[kind], **known(kind, data)}
    if kind == "projects" and not row["name"]:
        raise VendorError(400, "name: Missing input")
    if kind == "projects" and data.get("workspace", WORKSPACE) != WORKSPACE:
        raise VendorError(400, f"workspace: Unknown object: {data['workspace']}")
    check(account, kind, row)
    gid = str(account.next_number("objects", 1209000000000001))
    return kept(account, kind, {"gid": gid, "resource_type": TYPES[kind], **row}, "added")


def known(kind: str, data: Row) -> Row:
    return {name: data[name] for name in DEFAULTS[kind] if name in data}


def check(account: Account, kind: str, row: Row) -> None:
    if kind == "tasks" and not row["projects"]:
        raise VendorError(400, "You should specify one of workspace, parent, projects")
    for project in row.get("projects") or []:
        if str(project) not in account.objects("projects"):
            raise VendorError(400, f"projects: [0]: Unknown object: {project}")
    if kind == "projects" and row["start_on"] and not row["due_on"]:
        raise VendorError(400, "due_on: Missing input: start_on needs it")


def kept(account: Account, kind: str, row: Row, action: str) -> Row:
    row = {**row, "modified_at": iso_millis(account.now())}
    if kind == "tasks":
        row["completed_at"] = (row["completed_at"] or row["modified_at"]) if row["completed"] else None
    account.put(kind, row["gid"], row)
    announce(account, row, action)
    return row


def shown(account: Account, kind: str, row: Row, fields: list[str]) -> Row:
    """The compact form, and what was asked for."""
    full = {**row, "permalink_url": f"https://app.asana.com/0/0/{row['gid']}"}
    if kind == "tasks":
        full["projects"] = [compact(account, "projects", gid) for gid in row["projects"]]
        full["assignee"] = compact(account, "users", row["assignee"])
    if kind == "time_tracking_entries":
        full["created_by"] = compact(account, "users", row["created_by"])
        full["task"] = compact(account, "tasks", row["task"])
        full["attributable_to"] = compact(account, "projects", row["attributable_to"])
    return {name: full[name] for name in dict.fromkeys([*COMPACT, *fields]) if name in full}


def compact(account: Account, kind: str, gid: str | None) -> Row | None:
    row = account.objects(kind).get(gid or "")
    return {name: row[name] for name in COMPACT if name in row} if row else None


def fields_of(call: Call) -> list[str]:
    return [name for name in call.args.get("opt_fields", "").split(",") if name]


@VENDOR.route("/users/me", methods=["GET"])
def me(call: Call) -> Any:
    workspaces = [{"gid": WORKSPACE, "name": call.account.name.title(), "resource_type": "workspace"}]
    return {"data": {"gid": "1", "resource_type": "user", "name": "Token Owner", "workspaces": workspaces}}


@VENDOR.route("/<kind>", methods=["GET"])
def list_objects(call: Call, kind: str) -> Any:
    if kind not in TYPES:
        raise VendorError(404, "No matching route for request")
    rows = filtered(call, kind)
    start, limit = read_offset(call), int(call.args.get("limit", 20))
    if limit > 100:
        raise VendorError(400, "limit: Value must be between 1 and 100")
    page = [shown(call.account, kind, row, fields_of(call)) for row in rows[start : start + limit]]
    following = None
    if start + limit < len(rows):
        token = {"at": start + limit, "until": call.account.now().timestamp() + OFFSET_SECONDS}
        offset = base64.urlsafe_b64encode(json.dumps(token).encode()).decode()
        following = {"offset": offset, "path": call.path, "uri": f"https://app.asana.com/api/1.0{call.path}"}
    return {"data": page, "next_page": following}


def filtered(call: Call, kind: str) -> list[Row]:
    """Only tasks know `modified_since`; elsewhere it is passed over."""
    rows = list(call.account.objects(kind).values())
    if kind == "tasks":
        project = call.args.get("project")
        if not project:
            raise VendorError(400, "Must specify exactly one of project, tag, section, user task list, or assignee")
        rows = [row for row in rows if project in row["projects"]]
        since = call.args.get("modified_since")
        return [row for row in rows if not since or parse_time(row["modified_at"]) > parse_time(since)]
    if call.args.get("workspace") != WORKSPACE:
        raise VendorError(400, "workspace: Missing input")
    if kind == "time_tracking_entries":
        begin = call.args.get("entered_on_start_date")
        if not begin:
            raise VendorError(400, "At least one of entered_on_start_date or entered_on_end_date must be provided")
        rows = [row for row in rows if row["entered_on"] >= begin]
    return rows


def read_offset(call: Call) -> int:
    offset = call.args.get("offset")
    if not offset:
        return 0
    token = json.loads(base64.urlsafe_b64decode(offset))
    if token["until"] < call.account.now().timestamp():
        raise VendorError(400, "offset: Your pagination token has expired.")
    return int(token["at"])


@VENDOR.route("/<kind>", methods=["POST"])
def create(call: Call, kind: str) -> Any:
    row = make(call.account, kind, call.json["data"])
    return {"data": shown(call.account, kind, row, list(row))}, 201


@VENDOR.route("/<kind>/<gid>", methods=["GET"])
def read(call: Call, kind: str, gid: str) -> Any:
    return {"data": shown(call.account, kind, row_of(call.account, kind, gid), fields_of(call))}


@VENDOR.route("/<kind>/<gid>", methods=["PUT"])
def update(call: Call, kind: str, gid: str) -> Any:
    """Projects of a task are changed elsewhere; here they are passed over."""
    changes = {name: value for name, value in known(kind, call.json["data"]).items() if name != "projects"}
    row = {**row_of(call.account, kind, gid), **changes}
    check(call.account, kind, row)
    if kind == "projects" and not row["name"]:
        raise VendorError(400, "name: Missing input")
    row = kept(call.account, kind, row, "changed")
    return {"data": shown(call.account, kind, row, list(row))}


@VENDOR.route("/<kind>/<gid>", methods=["DELETE"])
def delete(call: Call, kind: str, gid: str) -> Any:
    """To the trash; the answer is an empty record."""
    VENDOR.delete_object(call.account, kind, gid)
    return {"data": {}}
