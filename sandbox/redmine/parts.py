"""What belongs to projects: versions, shared with others on demand, and memberships, of people and groups."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.redmine.listing import listed
from sandbox.redmine.projects import found as found_project
from sandbox.redmine.vendor import (
    EDITORS,
    MAKERS,
    SHOWERS,
    VENDOR,
    Row,
    administrator,
    created,
    existing,
    named,
    refuse,
    saved,
    stamps,
)
from sandbox.vendor import Call, VendorError

ROLES = ({"id": 3, "name": "Manager"}, {"id": 4, "name": "Developer"}, {"id": 5, "name": "Reporter"})
STATES = ("open", "locked", "closed")


def make_version(account: Account, data: Row) -> Row:
    values = {
        "project": int(data["project_id"]), "name": data.get("name") or "", "description": data.get("description") or "",
        "status": data.get("status", "open"), "due_date": data.get("due_date"), "sharing": data.get("sharing", "none"), "wiki_page_title": None,
    }  # fmt: skip
    refuse(version_problems(account, values))
    return created(account, "versions", values)


def version_problems(account: Account, values: Row) -> list[str]:
    errors = [] if values["name"] else ["Name cannot be blank"]
    others = [row for row in account.objects("versions").values() if row["id"] != values.get("id")]
    if any((row["name"], row["project"]) == (values["name"], values["project"]) for row in others):
        errors.append("Name has already been taken")
    return errors + ([] if values["status"] in STATES else ["Status is not included in the list"])


def edit_version(account: Account, row: Row, data: Row) -> None:
    new = {name: data[name] for name in ("name", "description", "status", "due_date", "sharing") if name in data}
    refuse(version_problems(account, {**row, **new}))
    saved(account, "versions", row, new)


def show_version(account: Account, row: Row) -> Row:
    shown = {
        name: row[name] for name in ("id", "name", "description", "status", "due_date", "sharing", "wiki_page_title")
    }
    return {**shown, "project": named(account, "projects", row["project"], "name"), **stamps(row)}


def make_membership(account: Account, data: Row) -> Row:
    """`user_id`, or `group` with a name."""
    user = str(data.get("user_id") or "")
    errors = [] if user in account.objects("users") or data.get("group") else ["Principal cannot be blank"]
    same = [row for row in account.objects("memberships").values() if row["project"] == int(data["project_id"])]
    if user and any(str(row["user"]) == user for row in same):
        errors.append("User has already been taken")
    refuse(errors)
    roles = data.get("role_ids") or [ROLES[1]["id"]]
    values = {"project": int(data["project_id"]), "user": int(user or 0), "group": data.get("group"), "roles": roles}
    return created(account, "memberships", values)


def show_membership(account: Account, row: Row) -> Row:
    shown: Row = {"id": row["id"], "project": named(account, "projects", row["project"], "name")}
    if row["group"]:
        shown["group"] = {"id": row["id"] + 1000, "name": row["group"]}
    else:
        user = account.objects("users")[str(row["user"])]
        shown["user"] = {"id": user["id"], "name": f"{user['firstname']} {user['lastname']}"}
    return {**shown, "roles": [role for role in ROLES if role["id"] in row["roles"]]}


MAKERS |= {"versions": make_version, "memberships": make_membership}
EDITORS |= {
    "versions": edit_version,
    "memberships": lambda account, row, data: saved(account, "memberships", row, data),
}
SHOWERS |= {"versions": show_version, "memberships": show_membership}


def without_module(call: Call, project: Row) -> None:
    """A project's module may be switched off (setting `without_issues`)."""
    if project["id"] in call.account.setting("without_issues", []):
        raise VendorError(403)


@VENDOR.route("/projects/<reference>/versions.json", methods=["GET"])
def versions(call: Call, reference: str) -> Any:
    """All of them, whatever limit was asked for; those of others that are shared with everybody too."""
    project = found_project(call, reference)
    without_module(call, project)
    rows = call.account.objects("versions").values()
    shown = [show_version(call.account, r) for r in rows if r["project"] == project["id"] or r["sharing"] == "system"]
    return {"versions": shown, "total_count": len(shown)}


@VENDOR.route("/projects/<reference>/versions.json", methods=["POST"])
def create_version(call: Call, reference: str) -> Any:
    administrator(call)
    data = {**(call.json.get("version") or {}), "project_id": found_project(call, reference)["id"]}
    return {"version": show_version(call.account, make_version(call.account, data))}, 201


@VENDOR.route("/versions/<object_id>.json", methods=["GET"])
def version(call: Call, object_id: str) -> Any:
    return {"version": show_version(call.account, existing(call, "versions", object_id))}


@VENDOR.route("/versions/<object_id>.json", methods=["PUT"])
def update_version(call: Call, object_id: str) -> Any:
    edit_version(call.account, existing(call, "versions", object_id), call.json.get("version") or {})
    return Response(status=204)


@VENDOR.route("/projects/<reference>/memberships.json", methods=["GET"])
def memberships(call: Call, reference: str) -> Any:
    project = found_project(call, reference)
    rows = [row for row in call.account.objects("memberships").values() if row["project"] == project["id"]]
    return listed(call, "memberships", rows, lambda row: show_membership(call.account, row))


@VENDOR.route("/projects/<reference>/memberships.json", methods=["POST"])
def create_membership(call: Call, reference: str) -> Any:
    administrator(call)
    data = {**(call.json.get("membership") or {}), "project_id": found_project(call, reference)["id"]}
    return {"membership": show_membership(call.account, make_membership(call.account, data))}, 201


@VENDOR.route("/memberships/<object_id>.json", methods=["GET"])
def membership(call: Call, object_id: str) -> Any:
    return {"membership": show_membership(call.account, existing(call, "memberships", object_id))}


@VENDOR.route("/roles.json", methods=["GET"])
def roles(call: Call) -> Any:
    return {"roles": list(ROLES)}


@VENDOR.route("/<any(versions, memberships):kind>/<object_id>.json", methods=["DELETE"])
def delete(call: Call, kind: str, object_id: str) -> Any:
    existing(call, kind, object_id)
    call.account.remove(kind, object_id)
    return Response(status=204)
