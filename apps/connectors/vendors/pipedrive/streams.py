"""Reading version 2 lists: everything updated since a moment, oldest change first, by cursor.

The cursor names the first record of the next page, so a page holds its place while records are edited before it. What is
edited during the pass is stamped after its start and read again by the next, which begins `OVERLAP` before the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.pipedrive.objects import SYNC_REF, PipedriveObject

if TYPE_CHECKING:
    from apps.connectors.vendors.pipedrive.connector import PipedriveConnector

OVERLAP = timedelta(minutes=5)
LARGEST_PAGE = 500


class PipedriveStream:
    """A checkpoint is `{"since", "cursor", "newest", "started", "complete"}`; moments are ISO texts of one length."""

    def __init__(self, connector: PipedriveConnector, *, pipedrive_object: PipedriveObject) -> None:
        self.connector = connector
        self.object = pipedrive_object
        self.path = f"/api/v2/{pipedrive_object.name}"

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        size = max(1, min(page_size, LARGEST_PAGE))
        position = self._start(checkpoint)
        while not position["complete"]:
            answer = self.connector.client.get(self.path, params=self._params(position, size))
            rows = answer["data"] or []
            self._require_order(rows, position)
            position["newest"] = _text(_moment(rows[-1])) if rows else position["newest"]
            position["cursor"] = (answer.get("additional_data") or {}).get("next_cursor") or ""
            position["complete"] = not position["cursor"]
            yield Page(records=[self.record(row) for row in rows], checkpoint=dict(position))

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(f"{self.path}/{external_id}")
        if not found or found["data"].get("is_deleted"):
            return None
        return self.record(found["data"])

    def find_by_mark(self, key: str) -> SourceRecord | None:
        """Search knows a new record only after a while; what it finds is read and compared."""
        params = {"term": key, "fields": "custom_fields", "exact_match": "true", "limit": 10}
        items = self.connector.client.get(f"{self.path}/search", params=params)["data"]["items"]
        records = [self.get(str(entry["item"]["id"])) for entry in items]
        return next((found for found in records if found and found.data["ours"].get(SYNC_REF) == key), None)

    def _start(self, checkpoint: JsonDict | None) -> JsonDict:
        position = dict(checkpoint or {"since": "", "cursor": "", "newest": "", "complete": True})
        if position["complete"]:
            if position["newest"]:
                # Nothing older than the pass itself may be skipped by this one, however long that took.
                seen = min(position["newest"], position["started"])
                position["since"] = _text(datetime.fromisoformat(seen) - OVERLAP)
            position |= {"cursor": "", "complete": False, "started": _text(self.connector.context.now())}
        return position

    def _params(self, position: JsonDict, size: int) -> dict[str, Any]:
        params = {"sort_by": "update_time", "sort_direction": "asc", "limit": size}
        optional = {"updated_since": position["since"], "cursor": position["cursor"], "status": self.object.statuses}
        return {**params, **{name: value for name, value in optional.items() if value}}

    def _require_order(self, rows: list[JsonDict], position: JsonDict) -> None:
        """The walk rests on filter and order; an answer that ignored them would lose records without a word."""
        times = [_text(_moment(row)) for row in rows]
        if times != sorted(times) or (times and times[0] < position["since"]):
            raise FatalError("Pipedrive's list came unfiltered or unsorted", code="unsorted")

    def record(self, row: JsonDict) -> SourceRecord:
        custom = row.get("custom_fields") or {}
        codes = self.connector.codes(self.object)
        data: JsonDict = {**row, "ours": {key: custom.get(code) for key, code in codes.items()}}
        for name in ("org_id", "person_id"):
            if name in row:
                data[name] = None if row[name] is None else str(row[name])
        for name in ("email", "phone"):
            if f"{name}s" in row:
                data[name] = _primary(row[f"{name}s"])
        if self.object.name == "deals":
            data["owner_email"] = self.connector.owner_emails.get(row.get("owner_id") or 0)
        return SourceRecord(
            external_id=str(row["id"]),
            data=data,
            modified_at=_moment(row),
            url=f"{self.connector.base_url}/{self.object.page}/{row['id']}",
            deleted=bool(row.get("is_deleted")),
        )


def _primary(entries: list[JsonDict] | None) -> str | None:
    """The primary (else the first) of several addresses or numbers."""
    found = sorted(entries or [], key=lambda entry: not entry.get("primary"))
    return found[0]["value"] if found else None


def _moment(row: JsonDict) -> datetime:
    """A record never changed has no time of change."""
    return datetime.fromisoformat(row.get("update_time") or row["add_time"]).astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
