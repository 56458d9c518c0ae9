"""Reading whole lists, since BottleCRM filters by no time of modification.

Lists descend by random ids (contacts: by time of creation, without an order among equals) and come by offset. A record
deleted meanwhile moves the rest up, past an offset already read. So each page asks again for the last row of the page
before: when something that belongs after it has taken its place, the walk steps back until it finds where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.paginators import dig
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.bottlecrm.objects import SYNC_REF, BottleObject, Part

if TYPE_CHECKING:
    from apps.connectors.vendors.bottlecrm.connector import BottleConnector

START: JsonDict = {"offset": 0, "after": "", "seen": []}
FIRST: JsonDict = {"part": 0, **START, "complete": False}


class BottleStream:
    """A checkpoint is `{"part", "offset", "after", "seen", "complete"}`.

    `after` is the order key of the last row read in that part's list, `seen` the ids of the rows read that share it.
    """

    def __init__(self, connector: BottleConnector, *, bottle_object: BottleObject) -> None:
        self.connector = connector
        self.object = bottle_object
        self.path = bottle_object.path or f"/api/{bottle_object.name}/"

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        size = max(1, page_size)
        position = dict(FIRST if checkpoint is None or checkpoint["complete"] else checkpoint)
        while not position["complete"]:
            rows, ended = self._page(position, size)
            if ended:
                position |= {"part": position["part"] + 1, **START}
                position["complete"] = position["part"] == len(self.object.parts)
            yield Page(records=[found for row in rows if (found := self._listed(row))], checkpoint=dict(position))

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(f"{self.path}{external_id}/")
        return self.record(found[self.object.detail]) if found else None

    def _listed(self, row: JsonDict) -> SourceRecord | None:
        """None for what was deleted since it was listed."""
        return self.get(row["id"]) if self.object.by_detail else self.record(row)

    def find_by_mark(self, key: str) -> SourceRecord | None:
        """The record with our mark. Raises FatalError when BottleCRM ignored the filter."""
        for part in self.object.parts:
            rows = self._rows(part, {f"cf_{SYNC_REF}": key, "limit": 2, "offset": 0})
            if any(row["custom_fields"].get(SYNC_REF) != key for row in rows):
                raise FatalError("BottleCRM ignored the filter on sync_ref", code="filter_ignored")
            if rows:
                return self.record(rows[0])
        return None

    def _page(self, position: JsonDict, size: int) -> tuple[list[JsonDict], bool]:
        """The rows after the last one read, and whether the list ends with them. Moves the position past them."""
        part = self.object.parts[position["part"]]
        begin = max(0, position["offset"] - 1)
        while True:
            rows = self._ordered(part, begin, size + 1)
            fresh = [row for row in rows if self._is_fresh(row, position)]
            passed = len(rows) - len(fresh)
            if begin and not passed:
                begin = max(0, begin - size)
            elif not fresh and len(rows) > size:
                begin += size
            else:
                break
        taken = fresh[:size]
        position["offset"] = begin + passed + len(taken)
        if taken:
            after = self._key(taken[-1])
            tied = [row["id"] for row in taken if self._key(row) == after]
            position["seen"] = tied + (position["seen"] if after == position["after"] else [])
            position["after"] = after
        return taken, len(rows) <= size

    def _is_fresh(self, row: JsonDict, position: JsonDict) -> bool:
        key, after = self._key(row), position["after"]
        return not after or key < after or (key == after and row["id"] not in position["seen"])

    def _key(self, row: JsonDict) -> str:
        """What lists descend by, as text that sorts alike."""
        value = str(row[self.object.order])
        return value if self.object.order == "id" else datetime.fromisoformat(value).isoformat(timespec="microseconds")

    def _ordered(self, part: Part, offset: int, limit: int) -> list[JsonDict]:
        rows = self._rows(part, {"limit": limit, "offset": offset})
        keys = [self._key(row) for row in rows]
        if keys != sorted(keys, reverse=True):
            raise FatalError("BottleCRM's list came in another order", code="unsorted")
        return rows

    def _rows(self, part: Part, params: dict[str, Any]) -> list[JsonDict]:
        answer = self.connector.client.get(self.path, params={**part.params, **params})
        rows: list[JsonDict] = dig(answer, part.rows) or []
        return rows

    def record(self, row: JsonDict) -> SourceRecord:
        data: JsonDict = {name: row.get(name) for name in self.object.keep}
        data["custom_fields"] = row.get("custom_fields") or {}
        if "website" in data:
            data["domain"] = _domain(data["website"])
        if "assigned_to" in data:
            data["owner_email"] = _owner_email(data.pop("assigned_to") or [])
            data["currency"] = data["currency"] or self.connector.currency
        modified = row.get("updated_at")
        return SourceRecord(
            external_id=row["id"],
            data=data,
            modified_at=datetime.fromisoformat(modified).astimezone(UTC) if modified else None,
            url=f"{self.connector.base_url}/{self.object.name}/{row['id']}",
        )


def _domain(website: str | None) -> str | None:
    host = urlsplit((website or "").strip().lower()).hostname or ""
    return host.removeprefix("www.") or None


def _owner_email(assigned: list[JsonDict]) -> str | None:
    return dig(assigned[0], "user_details.email") if assigned else None
