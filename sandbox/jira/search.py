"""Search by query: an index that lags behind (`search_lag_seconds`), tokens instead of offsets, ids alone unless asked."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.account import Account
from sandbox.jira.issues import picked, show
from sandbox.jira.vendor import API, VENDOR, ZONE, Row, signed_in
from sandbox.vendor import Call, VendorError

Test = Callable[[Row], bool]
MAX_WITH_FIELDS = 100
ORDER = re.compile(r"\s+ORDER\s+BY\s+.*$", re.IGNORECASE)
UPDATED = re.compile(r'updated >= "(\d{4}-\d\d-\d\d \d\d:\d\d)"')
LABEL = re.compile(r'labels = "([^"]+)"')
IDS = re.compile(r"id in \(([\d, ]+)\)")
PROJECT = re.compile(r'project = "?(\w+)"?')


def condition(account: Account, text: str) -> Test:
    """One clause of a query. Its times have minutes only and no zone: they are the user's."""
    if match := UPDATED.fullmatch(text):
        bound = datetime.strptime(match[1], "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
        return lambda row: datetime.fromisoformat(row["updated"]) >= bound
    if match := LABEL.fullmatch(text):
        return lambda row: match[1] in row["labels"]
    if match := PROJECT.fullmatch(text):
        projects = account.objects("projects")
        return lambda row: match[1] in (row["project"], projects[row["project"]]["key"])
    if match := IDS.fullmatch(text):
        ids = [found.strip() for found in match[1].split(",")]
        for found in ids:
            if found not in account.objects("issues"):
                raise VendorError(400, f"An issue with key '{found}' does not exist for field 'id'.")
        return lambda row: row["id"] in ids
    raise VendorError(400, f"Error in the JQL Query: '{text}'")


def indexed(account: Account, row: Row, reconciled: set[str]) -> Row | None:
    """The issue as the index knows it: not at all, or as it was, until the lag has passed."""
    lag = account.setting("search_lag_seconds", 0)
    if not lag or row["id"] in reconciled or datetime.fromisoformat(row["updated"]) <= account.ago(lag):
        return row
    before: Row | None = row["before"]
    return before


@VENDOR.route(f"{API}/search/jql", methods=["POST"])
def search_post(call: Call) -> Any:
    return search(call, call.json)


@VENDOR.route(f"{API}/search/jql", methods=["GET"])
def search_get(call: Call) -> Any:
    asked = dict(call.args.items())
    fields = [name for name in asked.pop("fields", "").split(",") if name]
    return search(call, {**asked, "fields": fields})


def search(call: Call, asked: Row) -> Row:
    clauses = [clause for clause in ORDER.sub("", asked.get("jql", "")).strip().split(" AND ") if clause]
    if not clauses:
        raise VendorError(400, "Unbounded JQL queries are not allowed here. Please add a search restriction.")
    tests = [condition(call.account, clause.strip()) for clause in clauses]
    reconciled = {str(found) for found in asked.get("reconcileIssues") or []}
    rows = call.account.objects("issues").values() if signed_in(call) else []
    known = [found for row in rows if (found := indexed(call.account, row, reconciled))]
    matching = sorted((row for row in known if all(test(row) for test in tests)), key=place)
    after = read_token(call.account, asked.get("nextPageToken"))
    matching = [row for row in matching if after is None or place(row) > after]
    limit = min(int(asked.get("maxResults") or 50), MAX_WITH_FIELDS)
    page = matching[:limit]
    answer: Row = {"issues": [picked(show(call.account, row), asked.get("fields")) for row in page]}
    if len(matching) > limit:
        token = {"after": place(page[-1]), "until": call.account.now().timestamp() + 7 * 86400}
        return {**answer, "nextPageToken": base64.b64encode(json.dumps(token).encode()).decode()}
    return {**answer, "isLast": True}


def place(row: Row) -> tuple[str, int]:
    return row["created"], int(row["id"])


def read_token(account: Account, token: str | None) -> tuple[str, int] | None:
    if not token:
        return None
    found = json.loads(base64.b64decode(token))
    if found["until"] < account.now().timestamp():
        raise VendorError(400, "The provided next page token is invalid or expired.")
    return tuple(found["after"])


@VENDOR.route(f"{API}/field", methods=["GET"])
def fields(call: Call) -> Any:
    """The system fields that an issue shows here; a site has its own besides."""
    names = ("summary", "description", "status", "issuetype", "project", "assignee", "labels", "created", "updated")
    return [
        {"id": name, "key": name, "name": name.capitalize(), "custom": False, "orderable": True, "navigable": True,
         "searchable": True, "clauseNames": [name]}
        for name in names
    ]  # fmt: skip
