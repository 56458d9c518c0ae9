"""Spent time: hours rounded to hundredths, and no way to ask what changed."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.redmine.issues import hours
from sandbox.redmine.listing import filtered, listed, on_or_after, ordered
from sandbox.redmine.vendor import (
    APPROVAL_FIELD,
    EDITORS,
    MAKERS,
    SHOWERS,
    VENDOR,
    Row,
    created,
    existing,
    named,
    person,
    refuse,
    saved,
    stamps,
    visitor,
)
from sandbox.vendor import Call

# There is no filter on updated_on: asked for one, Redmine answers with everything.
FILTERS = {"spent_on": on_or_after("spent_on")}


def make_entry(account: Account, data: Row) -> Row:
    """`user` is who worked, `issue_id` or `project_id` on what; `approved` ticks the custom field."""
    issue = account.objects("issues").get(str(data.get("issue_id") or ""))
    project = issue["project"] if issue else data.get("project_id")
    errors = [] if project else ["Project cannot be blank"]
    try:
        spent = hours(data.get("hours"))
    except ArithmeticError:
        spent = None
        errors.append("Hours is invalid")
    refuse(errors)
    values = {
        "issue": issue["id"] if issue else None, "project": int(project or 0), "user": int(data["user"]), "hours": spent,
        "spent_on": data["spent_on"], "comments": data.get("comments") or "", "approved": bool(data.get("approved")),
    }  # fmt: skip
    return created(account, "time_entries", values)


def edit_entry(account: Account, row: Row, data: Row) -> None:
    new = {name: data[name] for name in ("spent_on", "comments", "approved") if name in data}
    if "hours" in data:
        new["hours"] = hours(data["hours"])
    for field in data.get("custom_fields", []):
        if field["id"] == APPROVAL_FIELD["id"]:
            new["approved"] = field["value"] == "1"
    saved(account, "time_entries", row, new)


MAKERS["time_entries"] = make_entry
EDITORS["time_entries"] = edit_entry


def show(account: Account, row: Row) -> Row:
    user = account.objects("users")[str(row["user"])]
    shown: Row = {"id": row["id"], "project": named(account, "projects", row["project"], "name")}
    if row["issue"]:
        shown["issue"] = {"id": row["issue"]}
    approval = {"id": APPROVAL_FIELD["id"], "name": APPROVAL_FIELD["name"], "value": "1" if row["approved"] else "0"}
    return {
        **shown,
        "user": {"id": user["id"], "name": f"{user['firstname']} {user['lastname']}"},
        "activity": {"id": 8, "name": "Design"}, "hours": row["hours"], "comments": row["comments"],
        "spent_on": row["spent_on"], **stamps(row), "custom_fields": [approval],
    }  # fmt: skip


SHOWERS["time_entries"] = show


@VENDOR.route("/time_entries.json", methods=["GET"])
def time_entries(call: Call) -> Any:
    rows = list(call.account.objects("time_entries").values()) if visitor(call) else []
    rows = ordered(call, filtered(call, rows, FILTERS), ("spent_on", "created_on", "hours"), [("spent_on", True)])
    return listed(call, "time_entries", rows, lambda row: show(call.account, row))


@VENDOR.route("/time_entries.json", methods=["POST"])
def create(call: Call) -> Any:
    user = person(call)
    entry = make_entry(call.account, {"user": user["id"], **(call.json.get("time_entry") or {})})
    return {"time_entry": show(call.account, entry)}, 201


@VENDOR.route("/time_entries/<object_id>.json", methods=["GET"])
def time_entry(call: Call, object_id: str) -> Any:
    return {"time_entry": show(call.account, existing(call, "time_entries", object_id))}


@VENDOR.route("/time_entries/<object_id>.json", methods=["PUT"])
def update(call: Call, object_id: str) -> Any:
    edit_entry(call.account, existing(call, "time_entries", object_id), call.json.get("time_entry") or {})
    return Response(status=204)
