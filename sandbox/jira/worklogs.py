"""Worklogs, and the lists of what was changed and what was deleted, both without the last minute."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.jira.issues import found_issue
from sandbox.jira.people import show as show_user
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
    milliseconds,
    refuse,
    row_of,
    self_url,
    shown_time,
    stamp,
)
from sandbox.vendor import Call

HELD_BACK_SECONDS = 60
# The vendor's page has a thousand; a setting makes it small enough to be reached in a test.
PAGE = 1000


def make_worklog(account: Account, data: Row) -> Row:
    """{issueId, timeSpentSeconds, started, comment, author, updated}; moments are ISO 8601 with an offset."""
    issue = found_issue(account, str(data["issueId"]))
    if not data.get("timeSpentSeconds"):
        refuse(timeLogged="Time Spent must be greater than zero.")
    now = stamp(account)
    owner = next(iter(account.objects("users")))
    row = {
        "id": str(account.next_number("worklogs", FIRST_ID)), "issueId": issue["id"], "author": data.get("author", owner),
        "timeSpentSeconds": data["timeSpentSeconds"], "started": data.get("started", now), "comment": data.get("comment"),
        "created": now, "updated": data.get("updated", now),
    }  # fmt: skip
    account.put("worklogs", row["id"], row)
    announce(account, "worklog_created", worklog=show(account, row))
    return row


def edit_worklog(account: Account, row: Row, data: Row) -> Row:
    kept = {name: data[name] for name in ("timeSpentSeconds", "started", "comment") if name in data}
    row = {**row, **kept, "updated": stamp(account)}
    account.put("worklogs", row["id"], row)
    announce(account, "worklog_updated", worklog=show(account, row))
    return row


def remove_worklog(account: Account, row: Row) -> None:
    account.remove("worklogs", row["id"])
    account.put("deleted_worklogs", row["id"], {"id": row["id"], "updated": stamp(account)})
    announce(account, "worklog_deleted", worklog=show(account, row))


def show(account: Account, row: Row) -> Row:
    author = show_user(account, account.objects("users")[row["author"]])
    shown = {
        "self": self_url(f"issue/{row['issueId']}/worklog/{row['id']}"), "author": author, "updateAuthor": author,
        "created": shown_time(row["created"]), "updated": shown_time(row["updated"]),
        "started": shown_time(row["started"]), "timeSpent": f"{row['timeSpentSeconds'] // 60}m",
        "timeSpentSeconds": row["timeSpentSeconds"], "id": row["id"], "issueId": row["issueId"],
    }  # fmt: skip
    return {**shown, "comment": row["comment"]} if row["comment"] else shown


MAKERS["worklogs"] = make_worklog
EDITORS["worklogs"] = edit_worklog
REMOVERS["worklogs"] = remove_worklog
SHOWERS["worklogs"] = show


@VENDOR.route(f"{API}/worklog/<any(updated, deleted):which>", methods=["GET"])
def changes(call: Call, which: str) -> Any:
    kind = "worklogs" if which == "updated" else "deleted_worklogs"
    since, until = int(call.args.get("since", 0)), call.account.ago(HELD_BACK_SECONDS).isoformat()
    rows = [row for row in call.account.objects(kind).values() if row["updated"] <= until]
    listed = sorted(
        ({"worklogId": int(row["id"]), "updatedTime": milliseconds(row["updated"]), "properties": []} for row in rows),
        key=lambda entry: (entry["updatedTime"], entry["worklogId"]),
    )
    listed = [entry for entry in listed if entry["updatedTime"] > since]
    size = call.account.setting("worklog_page", PAGE)
    page = listed[:size]
    answer = {"values": page, "since": since, "until": page[-1]["updatedTime"] if page else since}
    return {**answer, "self": self_url(f"worklog/{which}"), "lastPage": len(listed) <= size}


@VENDOR.route(f"{API}/worklog/list", methods=["POST"])
def listed(call: Call) -> Any:
    rows = call.account.objects("worklogs")
    return [show(call.account, rows[str(found)]) for found in call.json["ids"][:1000] if str(found) in rows]


@VENDOR.route(f"{API}/issue/<reference>/worklog", methods=["GET"])
def of_issue(call: Call, reference: str) -> Any:
    issue = found_issue(call.account, reference)
    rows = [row for row in call.account.objects("worklogs").values() if row["issueId"] == issue["id"]]
    worklogs = [show(call.account, row) for row in rows]
    return {"startAt": 0, "maxResults": 5000, "total": len(rows), "worklogs": worklogs}


@VENDOR.route(f"{API}/issue/<reference>/worklog", methods=["POST"])
def create(call: Call, reference: str) -> Any:
    row = make_worklog(call.account, {**call.json, "issueId": found_issue(call.account, reference)["id"]})
    return show(call.account, row), 201


@VENDOR.route(f"{API}/issue/<reference>/worklog/<worklog_id>", methods=["DELETE"])
def delete(call: Call, reference: str, worklog_id: str) -> Any:
    remove_worklog(call.account, row_of(call.account, "worklogs", worklog_id))
    return Response(status=204)
