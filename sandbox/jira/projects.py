"""Projects with their recycle bin, and the versions in them."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.jira.vendor import (
    API,
    EDITORS,
    FIRST_ID,
    MAKERS,
    REMOVERS,
    SHOWERS,
    VENDOR,
    Row,
    announce,
    refuse,
    row_of,
    self_url,
    signed_in,
)
from sandbox.vendor import Call, VendorError

KEY = re.compile(r"[A-Z][A-Z0-9]{1,9}")


def make_project(account: Account, data: Row) -> Row:
    number = account.next_number("projects", FIRST_ID)
    key, name = data.get("key") or f"PRJ{number}", data.get("name") or ""
    taken = account.objects("projects").values()
    problems = {}
    if not name:
        problems["projectName"] = "You must specify a valid project name."
    elif any(row["name"].lower() == name.lower() for row in taken):
        problems["projectName"] = "A project with that name already exists."
    if not KEY.fullmatch(key):
        problems["projectKey"] = "Project keys must start with an uppercase letter, followed by one or more letters."
    elif any(row["key"] == key for row in taken):
        problems["projectKey"] = f"Project '{name}' uses this project key."
    refuse(**problems)
    row = {"id": str(number), "key": key, "name": name, "state": "live", "projectTypeKey": "software"}
    account.put("projects", row["id"], row)
    announce(account, "project_created", project=show(account, row))
    return row


def edit_project(account: Account, row: Row, data: Row) -> Row:
    if "name" in data and not data["name"]:
        refuse(projectName="You must specify a valid project name.")
    row = {**row, **{name: data[name] for name in ("name", "state") if name in data}}
    account.put("projects", row["id"], row)
    announce(account, "project_updated", project=show(account, row))
    return row


def remove_project(account: Account, row: Row) -> None:
    """Into the recycle bin, for sixty days."""
    edit_project(account, row, {"state": "deleted"})


def show(account: Account, row: Row) -> Row:
    shown = {
        "self": self_url(f"project/{row['id']}"), "id": row["id"], "key": row["key"], "name": row["name"],
        "projectTypeKey": row["projectTypeKey"], "simplified": False, "style": "classic", "isPrivate": False,
        "properties": {}, "avatarUrls": {},
    }  # fmt: skip
    return (
        shown
        | ({"archived": True} if row["state"] == "archived" else {})
        | ({"deleted": True} if row["state"] == "deleted" else {})
    )


MAKERS["projects"] = make_project
EDITORS["projects"] = edit_project
REMOVERS["projects"] = remove_project
SHOWERS["projects"] = show


def found_project(account: Account, reference: str) -> Row:
    """By id or key; what is in the recycle bin is not shown."""
    rows = account.objects("projects").values()
    row = next((row for row in rows if reference in (row["id"], row["key"]) and row["state"] != "deleted"), None)
    if row is None:
        raise VendorError(404, f"No project could be found with key '{reference}'.")
    return row


def paged(call: Call, rows: list[Row], limit: int = 50) -> Row:
    start, wanted = int(call.args.get("startAt", 0)), min(int(call.args.get("maxResults", 50)), limit)
    return {
        "self": self_url("list"), "maxResults": wanted, "startAt": start, "total": len(rows),
        "isLast": start + wanted >= len(rows), "values": rows[start : start + wanted],
    }  # fmt: skip


@VENDOR.route(f"{API}/project/search", methods=["GET"])
def search(call: Call) -> Any:
    rows = list(call.account.objects("projects").values()) if signed_in(call) else []
    state, query = call.args.get("status", "live"), call.args.get("query", "").lower()
    rows = [row for row in rows if row["state"] == state]
    rows = [row for row in rows if query in row["key"].lower() or query in row["name"].lower()]
    return paged(call, [show(call.account, row) for row in sorted(rows, key=lambda row: row["key"])])


@VENDOR.route(f"{API}/project", methods=["POST"])
def create(call: Call) -> Any:
    row = make_project(call.account, call.json)
    return {"self": self_url(f"project/{row['id']}"), "id": int(row["id"]), "key": row["key"]}, 201


@VENDOR.route(f"{API}/project/<reference>", methods=["GET"])
def project(call: Call, reference: str) -> Any:
    return show(call.account, found_project(call.account, reference))


@VENDOR.route(f"{API}/project/<reference>", methods=["PUT"])
def update(call: Call, reference: str) -> Any:
    return show(call.account, edit_project(call.account, found_project(call.account, reference), call.json))


@VENDOR.route(f"{API}/project/<reference>", methods=["DELETE"])
def delete(call: Call, reference: str) -> Any:
    """Without `enableUndo` nothing is left of it."""
    row = found_project(call.account, reference)
    if call.args.get("enableUndo", "false") != "true":
        call.account.remove("projects", row["id"])
    else:
        remove_project(call.account, row)
    return Response(status=204)


def make_version(account: Account, data: Row) -> Row:
    project = found_project(account, str(data.get("projectId") or data.get("project") or ""))
    rows = account.objects("versions").values()
    if not data.get("name"):
        refuse(name="You must specify a valid version name")
    if any(row["name"] == data["name"] and row["projectId"] == int(project["id"]) for row in rows):
        refuse(name="A version with this name already exists in this project.")
    kept = {name: data[name] for name in ("name", "description", "released", "releaseDate") if name in data}
    row = {
        "id": str(account.next_number("versions", FIRST_ID)), "archived": False, "released": False, **kept,
        "projectId": int(project["id"]),
    }  # fmt: skip
    account.put("versions", row["id"], row)
    announce(account, "jira:version_created", version=row)
    return row


def edit_version(account: Account, row: Row, data: Row) -> Row:
    names = ("name", "description", "released", "releaseDate", "archived")
    row = {**row, **{name: data[name] for name in names if name in data}}
    account.put("versions", row["id"], row)
    announce(account, "jira:version_updated", version=row)
    return row


MAKERS["versions"] = make_version
EDITORS["versions"] = edit_version
REMOVERS["versions"] = lambda account, row: account.remove("versions", row["id"])
SHOWERS["versions"] = lambda account, row: {"self": self_url(f"version/{row['id']}"), **row}


@VENDOR.route(f"{API}/project/<reference>/version", methods=["GET"])
def versions(call: Call, reference: str) -> Any:
    project, query = found_project(call.account, reference), call.args.get("query", "").lower()
    rows = [row for row in call.account.objects("versions").values() if row["projectId"] == int(project["id"])]
    rows = [row for row in rows if query in f"{row['name']} {row.get('description', '')}".lower()]
    return paged(call, [SHOWERS["versions"](call.account, row) for row in rows])


@VENDOR.route(f"{API}/version", methods=["POST"])
def create_version(call: Call) -> Any:
    return SHOWERS["versions"](call.account, make_version(call.account, call.json)), 201


@VENDOR.route(f"{API}/version/<version_id>", methods=["GET"])
def version(call: Call, version_id: str) -> Any:
    return SHOWERS["versions"](call.account, row_of(call.account, "versions", version_id))


@VENDOR.route(f"{API}/version/<version_id>", methods=["PUT"])
def update_version(call: Call, version_id: str) -> Any:
    row = edit_version(call.account, row_of(call.account, "versions", version_id), call.json)
    return SHOWERS["versions"](call.account, row)


@VENDOR.route(f"{API}/version/<version_id>", methods=["DELETE"])
def delete_version(call: Call, version_id: str) -> Any:
    REMOVERS["versions"](call.account, row_of(call.account, "versions", version_id))
    return Response(status=204)
