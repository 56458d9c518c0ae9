"""Projects: an identifier that is unique and for ever, and closed ones that are not listed unless asked for."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.redmine.listing import listed, ordered
from sandbox.redmine.vendor import (
    ARCHIVED,
    EDITORS,
    MAKERS,
    SHOWERS,
    VENDOR,
    Row,
    administrator,
    created,
    person,
    refuse,
    saved,
    stamps,
    visitor,
)
from sandbox.vendor import Call, VendorError

ACTIVE, CLOSED = 1, 5
IDENTIFIER = re.compile(r"(?!\d+$)[a-z0-9_-]{1,100}")


def make_project(account: Account, data: Row) -> Row:
    values = {
        "name": data.get("name") or "", "identifier": data.get("identifier") or f"project-{account.next_number('names')}",
        "description": data.get("description"), "status": ACTIVE, "is_public": bool(data.get("is_public", True)),
    }  # fmt: skip
    refuse(problems(account, values))
    return created(account, "projects", values)


def problems(account: Account, values: Row) -> list[str]:
    errors = ["Name cannot be blank"] if not values["name"] else []
    if any(row["identifier"] == values["identifier"] for row in account.objects("projects").values()):
        errors.append("Identifier has already been taken")
    elif not IDENTIFIER.fullmatch(values["identifier"]):
        errors.append("Identifier is invalid")
    return errors


def edit_project(account: Account, row: Row, data: Row) -> None:
    """The identifier is passed over in silence."""
    name = data.get("name", row["name"])
    refuse(["Name cannot be blank"] if not name else [])
    kept = {field: data[field] for field in ("description", "is_public", "status") if field in data}
    saved(account, "projects", row, {**kept, "name": name})


MAKERS["projects"] = make_project
EDITORS["projects"] = edit_project
SHOWERS["projects"] = lambda account, row: show(row)


def show(row: Row) -> Row:
    return {**row, "inherit_members": False, **stamps(row)}


def found(call: Call, reference: str) -> Row:
    """By number or identifier."""
    person(call)
    rows = call.account.objects("projects").values()
    row = next((row for row in rows if reference in (str(row["id"]), row["identifier"])), None)
    if row is None:
        raise VendorError(404)
    if row["status"] == ARCHIVED:
        # Not even an administrator sees into an archived project.
        raise VendorError(403)
    return row


@VENDOR.route("/projects.json", methods=["GET"])
def projects(call: Call) -> Any:
    rows = list(call.account.objects("projects").values()) if visitor(call) else []
    wanted = call.args.get("status", str(ACTIVE)).split("|")
    rows = [row for row in rows if str(row["status"]) in wanted and row["status"] != ARCHIVED]
    return listed(call, "projects", ordered(call, rows, ("name", "identifier", "created_on"), []), show)


@VENDOR.route("/projects.json", methods=["POST"])
def create(call: Call) -> Any:
    administrator(call)
    return {"project": show(make_project(call.account, call.json.get("project") or {}))}, 201


@VENDOR.route("/projects/<reference>.json", methods=["GET"])
def project(call: Call, reference: str) -> Any:
    return {"project": show(found(call, reference))}


@VENDOR.route("/projects/<reference>.json", methods=["PUT"])
def update(call: Call, reference: str) -> Any:
    row = found(call, reference)
    sent = {name: value for name, value in (call.json.get("project") or {}).items() if name != "status"}
    edit_project(call.account, row, sent)
    return Response(status=204)


@VENDOR.route("/projects/<reference>/<any(close, reopen, archive, unarchive):verb>.json", methods=["PUT"])
def turn(call: Call, reference: str, verb: str) -> Any:
    """An administrator archives, and brings back what nobody sees any more."""
    becomes = {"close": CLOSED, "archive": ARCHIVED}.get(verb, ACTIVE)
    administrator(call)
    row = call.account.objects("projects").get(reference) if verb == "unarchive" else None
    saved(call.account, "projects", row or found(call, reference), {"status": becomes})
    return Response(status=204)
