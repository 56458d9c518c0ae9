"""Issues: open ones unless asked for all, and states it does not know passed over in silence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.redmine.listing import contains, filtered, listed, ordered, since
from sandbox.redmine.vendor import (
    EDITORS,
    MAKERS,
    SHOWERS,
    STATUSES,
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

MAX_SUBJECT = 255
BY_ID = {status["id"]: status for status in STATUSES}
FILTERS = {"updated_on": since("updated_on"), "created_on": since("created_on"), "description": contains("description")}


def make_issue(account: Account, data: Row) -> Row:
    project = account.objects("projects").get(str(data.get("project_id") or ""))
    errors = subject_problems(data.get("subject"))
    if project is None:
        errors += ["Project cannot be blank", "Tracker cannot be blank", "Status cannot be blank"]
    refuse(errors)
    values = {
        "project": int(data["project_id"]), "subject": data["subject"], "description": data.get("description"),
        "status": 1, "estimated_hours": hours(data.get("estimated_hours")), "assigned_to": data.get("assigned_to_id"),
    }  # fmt: skip
    return created(account, "issues", values)


def subject_problems(subject: Any) -> list[str]:
    if not subject:
        return ["Subject cannot be blank"]
    return ["Subject is too long (maximum is 255 characters)"] if len(subject) > MAX_SUBJECT else []


def hours(value: Any) -> float | None:
    return None if value in (None, "") else float(round(Decimal(str(value)), 2))


def edit_issue(account: Account, row: Row, data: Row) -> None:
    new = {name: data[name] for name in ("subject", "description") if name in data}
    refuse(subject_problems(new.get("subject", row["subject"])))
    if "estimated_hours" in data:
        new["estimated_hours"] = hours(data["estimated_hours"])
    if data.get("status_id") in BY_ID:
        new["status"] = data["status_id"]
    if "assigned_to_id" in data:
        new["assigned_to"] = data["assigned_to_id"]
    saved(account, "issues", row, new)


MAKERS["issues"] = make_issue
EDITORS["issues"] = edit_issue


def show(account: Account, row: Row) -> Row:
    shown = {
        "id": row["id"], "project": named(account, "projects", row["project"], "name"),
        "tracker": {"id": 1, "name": "Bug"}, "status": BY_ID[row["status"]], "priority": {"id": 2, "name": "Normal"},
        "author": {"id": 1, "name": "Redmine Admin"}, "subject": row["subject"], "description": row["description"],
        "done_ratio": 0, "is_private": False, "estimated_hours": row["estimated_hours"],
        "total_estimated_hours": row["estimated_hours"], **stamps(row), "closed_on": None,
    }  # fmt: skip
    if row["assigned_to"]:
        user = account.objects("users")[str(row["assigned_to"])]
        shown["assigned_to"] = {"id": user["id"], "name": f"{user['firstname']} {user['lastname']}"}
    return shown


SHOWERS["issues"] = show


@VENDOR.route("/issues.json", methods=["GET"])
def issues(call: Call) -> Any:
    rows = list(call.account.objects("issues").values()) if visitor(call) else []
    if call.args.get("status_id") != "*":
        rows = [row for row in rows if not BY_ID[row["status"]]["is_closed"]]
    rows = ordered(call, filtered(call, rows, FILTERS), ("id", "subject", "created_on", "updated_on"), [("id", True)])
    return listed(call, "issues", rows, lambda row: show(call.account, row))


@VENDOR.route("/issues.json", methods=["POST"])
def create(call: Call) -> Any:
    person(call)
    return {"issue": show(call.account, make_issue(call.account, call.json.get("issue") or {}))}, 201


@VENDOR.route("/issues/<object_id>.json", methods=["GET"])
def issue(call: Call, object_id: str) -> Any:
    return {"issue": show(call.account, existing(call, "issues", object_id))}


@VENDOR.route("/issues/<object_id>.json", methods=["PUT"])
def update(call: Call, object_id: str) -> Any:
    edit_issue(call.account, existing(call, "issues", object_id), call.json.get("issue") or {})
    return Response(status=204)


@VENDOR.route("/issues/<object_id>.json", methods=["DELETE"])
def delete(call: Call, object_id: str) -> Any:
    """With `todo=nullify` time booked on it goes over to its project; without, an API call deletes the time too."""
    row = existing(call, "issues", object_id)
    for entry in list(call.account.objects("time_entries").values()):
        if entry.get("issue") == row["id"]:
            if call.args.get("todo") == "nullify":
                saved(call.account, "time_entries", entry, {"issue": None})
            else:
                call.account.remove("time_entries", str(entry["id"]))
    call.account.remove("issues", object_id)
    return Response(status=204)
