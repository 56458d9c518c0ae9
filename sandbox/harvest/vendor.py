"""Tokens, the account header, errors, and lists that are walked by their links."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.clock import parse_time
from sandbox.vendor import Call, Vendor, VendorError, bearer_token, json_response

Row = dict[str, Any]
Show = Callable[[Account, Row], Row]
MAX_PAGE = 2000


class Harvest(Vendor):
    name = "harvest"

    def authenticate(self, call: Call) -> None:
        """A caller that does not introduce itself is refused before anything else."""
        if not call.request.headers.get("User-Agent", ""):
            raise VendorError(400, "User-Agent header is required")
        known = call.account.credentials()
        if not known.get("access_token") or bearer_token(call.request) != known["access_token"]:
            raise VendorError(401, "The access token provided is expired, revoked, malformed or invalid.")
        if call.request.headers.get("Harvest-Account-Id") != call.account.setting("account_id", "12345"):
            raise VendorError(403, "You do not have access to this account.")

    def error(self, call: Call, error: VendorError) -> Response:
        if error.status == 401:
            return json_response({"error": "invalid_token", "error_description": error.message}, 401)
        if error.status in (404, 429):
            return json_response({"status": error.status, "error": error.message or "Not Found"}, error.status)
        return json_response({"message": error.message}, error.status)

    def raw_objects(self, account: Account, kind: str) -> list[Row]:
        from sandbox.harvest.objects import show

        return [show(account, kind, row) for row in account.objects(kind).values()]

    def create_object(self, account: Account, kind: str, data: Row) -> Row:
        from sandbox.harvest.objects import make, show

        return show(account, kind, make(account, kind, data))

    def update_object(self, account: Account, kind: str, object_id: str, data: Row) -> Row:
        from sandbox.harvest.objects import change, show

        return show(account, kind, change(account, kind, row_of(account, kind, object_id), data))


VENDOR = Harvest()


def row_of(account: Account, kind: str, object_id: str) -> Row:
    row = account.objects(kind).get(object_id)
    if row is None:
        raise VendorError(404)
    return row


def refused(message: str) -> VendorError:
    return VendorError(422, message)


def stamp(account: Account) -> str:
    """Whole seconds, as Harvest shows them."""
    return account.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(call: Call, kind: str, rows: list[Row], show: Show) -> Row:
    """Newest first; the next page is a cursor behind the last id, which later changes cannot shift."""
    size = int(call.args.get("per_page", MAX_PAGE))
    if size > MAX_PAGE:
        raise refused(f"per_page must be less than or equal to {MAX_PAGE}")
    since = call.args.get("updated_since")
    if since:
        rows = [row for row in rows if parse_time(row["updated_at"]) >= seconds(since)]
    rows = sorted(rows, key=lambda row: -row["id"])
    total = len(rows)
    cursor = call.args.get("cursor")
    if cursor:
        after = json.loads(base64.b64decode(cursor))["after"]["id"]
        rows = [row for row in rows if row["id"] < after]
    page, more = rows[:size], len(rows) > size
    links = {"first": None, "next": next_link(call, page[-1]["id"]) if more else None, "previous": None, "last": None}
    return {
        kind: [show(call.account, row) for row in page], "per_page": size, "total_pages": -(-total // size),
        "total_entries": total, "next_page": 2 if more and not cursor else None, "previous_page": None,
        "page": None if cursor else 1, "links": links,
    }  # fmt: skip


def seconds(text: str) -> datetime:
    """Fractions are dropped: the stamps have none."""
    return parse_time(text).replace(microsecond=0)


def next_link(call: Call, last_id: int) -> str:
    cursor = base64.b64encode(json.dumps({"after": {"id": last_id}}).encode()).decode()
    kept = "".join(f"&{name}={value}" for name, value in call.args.items() if name != "cursor")
    return f"https://api.harvestapp.com{call.path}?cursor={cursor}{kept}&ref=next_cursor"
