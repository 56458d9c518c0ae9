"""Incremental exports: by cursor for tickets and users, by time for organizations; never the last minute."""

from __future__ import annotations

import base64
from typing import Any

from sandbox.clock import parse_time
from sandbox.vendor import Call, VendorError, json_response
from sandbox.zendesk.vendor import VENDOR, Row

HELD_BACK_SECONDS = 60
PAGE = 1000
EXPORTS_PER_MINUTE = 10


def seconds(row: Row) -> int:
    return int(parse_time(row["updated_at"]).timestamp())


def changed(call: Call, kind: str) -> list[Row]:
    """In the order of their changes, deleted ones too."""
    if call.account.setting("role", "admin") != "admin":
        raise VendorError(403, "You do not have access to this page. Please contact the account owner.")
    until = call.account.ago(HELD_BACK_SECONDS).timestamp()
    rows = [row for row in call.account.objects(kind).values() if seconds(row) <= until]
    return sorted(rows, key=lambda row: (seconds(row), row["id"]))


def answered(call: Call, body: Row) -> Any:
    """With what is left of the limit; `exports_left` makes it run out."""
    left = call.account.setting("exports_left", EXPORTS_PER_MINUTE - 1)
    call.account.set_setting("exports_left", max(0, left - 1) if left < EXPORTS_PER_MINUTE - 1 else left)
    limit = f"total={EXPORTS_PER_MINUTE}; remaining={left}; resets=42"
    return json_response(body, 200, {"zendesk-ratelimit-incremental-exports": limit})


@VENDOR.route("/api/v2/incremental/<any(tickets, users):kind>/cursor", methods=["GET"])
def by_cursor(call: Call, kind: str) -> Any:
    rows = changed(call, kind)
    cursor, start = call.args.get("cursor"), call.args.get("start_time")
    if cursor:
        moment, _, last = base64.b64decode(cursor).decode().partition("|")
        rows = [row for row in rows if (seconds(row), row["id"]) > (int(moment), int(last))]
    elif start and int(start) > 0:
        rows = [row for row in rows if seconds(row) >= int(start)]
    else:
        raise VendorError(400, "Invalid start_time")
    size = min(int(call.args.get("per_page", PAGE)), PAGE)
    page = rows[:size]
    after = base64.b64encode(f"{seconds(page[-1])}|{page[-1]['id']}".encode()).decode() if page else cursor
    body: Row = {kind: page, "after_cursor": after, "after_url": None, "end_of_stream": len(rows) <= size}
    if call.args.get("include") == "users":
        people = call.account.objects("users")
        ids = {str(row["requester_id"]) for row in page}
        body["users"] = [people[found] for found in sorted(ids) if found in people]
    return answered(call, body)


@VENDOR.route("/api/v2/incremental/organizations", methods=["GET"])
def by_time(call: Call) -> Any:
    start = int(call.args.get("start_time", 0))
    if start <= 0:
        raise VendorError(400, "Invalid start_time")
    rows = [row for row in changed(call, "organizations") if seconds(row) >= start]
    size = call.account.setting("export_page", PAGE)
    page = rows[:size]
    return answered(
        call,
        {
            "organizations": page, "count": len(page), "next_page": None,
            "end_time": seconds(page[-1]) if page else start, "end_of_stream": len(rows) <= size,
        },
    )  # fmt: skip
