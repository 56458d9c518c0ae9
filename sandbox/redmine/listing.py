"""Lists: at most a hundred, sorted by what Redmine can sort by, filtered by what it knows; the rest is ignored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.redmine.vendor import STATUSES, VENDOR, Row
from sandbox.vendor import Call

MAX_LIMIT = 100
Filter = Callable[[Row, str], bool]


def listed(call: Call, kind: str, rows: list[Row], show: Callable[[Row], Row]) -> Row:
    wanted = int(call.args.get("limit") or 25)
    limit, offset = min(wanted, MAX_LIMIT), int(call.args.get("offset") or 0)
    page = [show(row) for row in rows[offset : offset + limit]]
    return {kind: page, "total_count": len(rows), "offset": offset, "limit": limit}


def ordered(call: Call, rows: list[Row], sortable: tuple[str, ...], default: list[tuple[str, bool]]) -> list[Row]:
    """Ties are broken by id, as Redmine does. Asked for a column it cannot sort by, it uses its default."""
    asked = [part.partition(":") for part in call.args.get("sort", "").split(",") if part]
    usable = [(name, direction == "desc") for name, _, direction in asked if name in sortable]
    rows = sorted(rows, key=lambda row: row["id"])
    for name, descending in reversed(usable or default):
        rows.sort(key=lambda row, by=name: row[by], reverse=descending)  # type: ignore[misc]
    return rows


def filtered(call: Call, rows: list[Row], filters: dict[str, Filter]) -> list[Row]:
    for name, passes in filters.items():
        text = call.args.get(name)
        if text:
            rows = [row for row in rows if passes(row, text)]
    return rows


def since(field: str) -> Filter:
    """`>=` on a moment. Redmine turns "at or after" into "after one second before", and fractions slip through."""

    def passes(row: Row, text: str) -> bool:
        bound = datetime.fromisoformat(text.removeprefix(">=").replace("Z", "+00:00"))
        bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
        return datetime.fromisoformat(row[field]) > bound - timedelta(seconds=1)

    return passes


def on_or_after(field: str) -> Filter:
    return lambda row, text: bool(row[field] >= text.removeprefix(">="))


def contains(field: str) -> Filter:
    return lambda row, text: text.removeprefix("~").lower() in (row[field] or "").lower()


@VENDOR.route("/issue_statuses.json", methods=["GET"])
def statuses(call: Call) -> Any:
    return {"issue_statuses": list(STATUSES)}
