"""Issues: created alone or in bulk with partial success, changed without an answer, moved by transitions."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.jira.people import show as show_user
from sandbox.jira.projects import found_project
from sandbox.jira.projects import show as show_project
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
    self_url,
    shown_time,
    stamp,
)
from sandbox.vendor import Call, VendorError

CATEGORIES = {
    "To Do": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "In Progress": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    "Done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
TRANSITIONS = {"11": "To Do", "21": "In Progress", "31": "Done"}
ISSUE_TYPES = ("Task", "Story", "Epic", "Bug")
DURATION = re.compile(r"(\d+)([mhdw])")
UNIT_SECONDS = {"m": 60, "h": 3600, "d": 8 * 3600, "w": 5 * 8 * 3600}
MAX_SUMMARY = 255
BULK = 50


def make_issue(account: Account, data: Row) -> Row:
    """`data` holds Jira's fields; `project` is {id} or {key}."""
    try:
        project = found_project(
            account, str((data.get("project") or {}).get("id") or (data.get("project") or {}).get("key"))
        )
    except VendorError:
        project = {}
        refuse(project="Specify a valid project ID or key")
    check_fields(data, new=True)
    number = account.next_number("issues", FIRST_ID)
    key = f"{project['key']}-{account.next_number('keys:' + project['id'])}"
    now = stamp(account)
    row = {
        "id": str(number), "key": key, "project": project["id"], "issuetype": data["issuetype"]["name"],
        "status": "To Do", "created": now, "updated": now, "summary": "", "description": None, "labels": [],
        "assignee": None, "estimate": None, "before": None, **values(data),
    }  # fmt: skip
    account.put("issues", row["id"], row)
    announce(account, "jira:issue_created", issue=show(account, row))
    return row


def check_fields(data: Row, *, new: bool) -> None:
    problems = {}
    summary = data.get("summary", "" if new else "unchanged")
    if not summary:
        problems["summary"] = "You must specify a summary of the issue."
    elif len(summary) > MAX_SUMMARY or "\n" in summary:
        problems["summary"] = "The summary is invalid because it contains newline characters or is too long."
    if new and (data.get("issuetype") or {}).get("name") not in ISSUE_TYPES:
        problems["issuetype"] = "Specify a valid issue type"
    if isinstance(data.get("description"), str):
        problems["description"] = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
    refuse(**problems)


def values(data: Row) -> Row:
    found = {name: data[name] for name in ("summary", "description", "labels", "status") if name in data}
    if "assignee" in data:
        found["assignee"] = (data["assignee"] or {}).get("id") or (data["assignee"] or {}).get("accountId")
    if "timetracking" in data:
        pieces = DURATION.findall(data["timetracking"].get("originalEstimate", ""))
        found["estimate"] = sum(int(count) * UNIT_SECONDS[unit] for count, unit in pieces)
    return found


def edit_issue(account: Account, row: Row, data: Row) -> Row:
    check_fields(data, new=False)
    before = {name: value for name, value in row.items() if name != "before"}
    row = {**row, **values(data), "updated": stamp(account), "before": before}
    account.put("issues", row["id"], row)
    announce(account, "jira:issue_updated", issue=show(account, row), changelog={"items": []})
    return row


def remove_issue(account: Account, row: Row) -> None:
    account.remove("issues", row["id"])
    announce(account, "jira:issue_deleted", issue=show(account, row))


def show(account: Account, row: Row) -> Row:
    users = account.objects("users")
    status = {"name": row["status"], "id": row["status"], "statusCategory": CATEGORIES[row["status"]]}
    return {
        "expand": "renderedFields,names,schema", "id": row["id"], "self": self_url(f"issue/{row['id']}"),
        "key": row["key"],
        "fields": {
            "summary": row["summary"], "description": row["description"], "labels": row["labels"], "status": status,
            "issuetype": {"id": "10003", "name": row["issuetype"], "subtask": False},
            "project": show_project(account, account.objects("projects")[row["project"]]),
            "assignee": show_user(account, users[row["assignee"]]) if row["assignee"] else None,
            "timeoriginalestimate": row["estimate"], "duedate": None,
            "created": shown_time(row["created"]), "updated": shown_time(row["updated"]),
        },
    }  # fmt: skip


MAKERS["issues"] = make_issue
EDITORS["issues"] = edit_issue
REMOVERS["issues"] = remove_issue
SHOWERS["issues"] = show


def found_issue(account: Account, reference: str) -> Row:
    rows = account.objects("issues")
    row = rows.get(reference) or next((row for row in rows.values() if row["key"] == reference), None)
    if row is None:
        raise VendorError(404, "Issue does not exist or you do not have permission to see it.")
    return row


def created(row: Row) -> Row:
    return {"id": row["id"], "key": row["key"], "self": self_url(f"issue/{row['id']}")}


@VENDOR.route(f"{API}/issue", methods=["POST"])
def create(call: Call) -> Any:
    return created(make_issue(call.account, call.json["fields"])), 201


@VENDOR.route(f"{API}/issue/bulk", methods=["POST"])
def create_many(call: Call) -> Any:
    """201 as soon as one was made; what failed is told by its place in the request."""
    updates = call.json["issueUpdates"]
    if len(updates) > BULK:
        raise VendorError(400, f"You can only create {BULK} issues at a time.")
    made, errors = [], []
    for number, update in enumerate(updates):
        try:
            made.append(created(make_issue(call.account, update["fields"])))
        except VendorError as error:
            details = {"errorMessages": [], "errors": error.details["errors"]}
            errors.append({"status": 400, "elementErrors": details, "failedElementNumber": number})
    return {"issues": made, "errors": errors}, 201 if made else 400


@VENDOR.route(f"{API}/issue/bulkfetch", methods=["POST"])
def fetch_many(call: Call) -> Any:
    rows = call.account.objects("issues")
    known = [rows[found] for found in call.json["issueIdsOrKeys"] if found in rows]
    unknown = [found for found in call.json["issueIdsOrKeys"] if found not in rows]
    errors = [{"id": found, "errorMessage": "Issue does not exist"} for found in unknown]
    return {
        "issues": [picked(show(call.account, row), call.json.get("fields")) for row in known],
        "issueErrors": errors,
    }


def picked(issue: Row, fields: list[str] | None) -> Row:
    """Only the fields that were asked for; without a wish, none but the id."""
    if not fields:
        return {"id": issue["id"]}
    if "*all" in fields:
        return issue
    return {**issue, "fields": {name: value for name, value in issue["fields"].items() if name in fields}}


@VENDOR.route(f"{API}/issue/<reference>", methods=["GET"])
def issue(call: Call, reference: str) -> Any:
    return show(call.account, found_issue(call.account, reference))


@VENDOR.route(f"{API}/issue/<reference>", methods=["PUT"])
def update(call: Call, reference: str) -> Any:
    edit_issue(call.account, found_issue(call.account, reference), call.json["fields"])
    return Response(status=204)


@VENDOR.route(f"{API}/issue/<reference>/transitions", methods=["GET"])
def transitions(call: Call, reference: str) -> Any:
    found_issue(call.account, reference)
    offered = [
        {"id": number, "name": name, "to": {"name": name, "id": name, "statusCategory": CATEGORIES[name]}}
        for number, name in TRANSITIONS.items()
        if number not in call.account.setting("closed_transitions", [])
    ]
    return {"expand": "transitions", "transitions": offered}


@VENDOR.route(f"{API}/issue/<reference>/transitions", methods=["POST"])
def move(call: Call, reference: str) -> Any:
    edit_issue(
        call.account, found_issue(call.account, reference), {"status": TRANSITIONS[str(call.json["transition"]["id"])]}
    )
    return Response(status=204)


@VENDOR.route(f"{API}/issue/<reference>", methods=["DELETE"])
def delete(call: Call, reference: str) -> Any:
    """Subtasks would be lost with it: only with `deleteSubtasks` are they."""
    issue = found_issue(call.account, reference)
    call.account.remove("issues", str(issue["id"]))
    return Response(status=204)
