"""Reading: search by modification time, walked by key instead of by offset.

HubSpot's `after` is an offset into a result that moves while it is read (an edited record jumps to the end and everything
behind it shifts by one), and it ends at 10,000. So each page asks for "modified at or after the last one seen", and a
page full of equal time stamps (imports write hundreds in one millisecond) is walked by record id instead.

The search index lags behind the records by seconds, now and then by minutes: a new pass starts `OVERLAP` before the
newest record the last pass saw. What is read twice is recognized as unchanged by its hash.

Search does not show archived records. They are listed apart, in order of their ids, so now and then a pass walks that list
for what was archived since the last such walk. HubSpot keeps it for 90 days.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.paginators import CursorPaginator, paginate
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.hubspot.objects import LINE_PROPERTIES, CrmObject

if TYPE_CHECKING:
    from apps.connectors.vendors.hubspot.connector import HubSpotConnector

OVERLAP = timedelta(minutes=5)
SWEEP_EVERY = timedelta(hours=1)
SEARCH_LIMIT = 200
BATCH_READ = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HubSpotStream:
    """A checkpoint is `{"since": ms, "after_id": id | "", "complete": bool, "started": ms, "swept": ms}`.

    `after_id` marks a place among records with equal time stamps. Only a complete pass is followed by the overlap: a
    pass cut short goes on exactly where it stopped, or a long tail inside the overlap would never be finished.
    `swept` is when archived records were last looked for; what was archived before the first pass was never known.
    """

    def __init__(self, connector: HubSpotConnector, *, crm_object: CrmObject) -> None:
        self.connector = connector
        self.object = crm_object

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        size = max(2, min(page_size, SEARCH_LIMIT))
        position = self._start(checkpoint)
        seen: set[str] = set()
        while True:
            found, remaining = self._search(position, size)
            fresh = [entry for entry in found if entry["id"] not in seen]
            last = len(found) < size and not position["after_id"]
            position, seen = self._advance(position, found, size)
            position["complete"] = last
            if last:
                # Nothing older than the pass itself may be skipped by the next one, however long this one took.
                position["since"] = min(position["since"], position["started"])
            archived = self._sweep(position) if last else []
            records = [*self._records(fresh), *archived]
            yield Page(records=records, checkpoint=dict(position), remaining=remaining)
            if last:
                return

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(
            f"/crm/v3/objects/{self.object.name}/{external_id}", params={"properties": ",".join(self._properties())}
        )
        return self._records([found])[0] if found else None

    def find_by(self, id_property: str, value: str) -> SourceRecord | None:
        """The record with this value of a unique property; unlike search, HubSpot answers this without delay."""
        found = self.connector.client.find(
            f"/crm/v3/objects/{self.object.name}/{value}",
            params={"idProperty": id_property, "properties": ",".join(self._properties())},
        )
        return self._records([found])[0] if found else None

    def get_many(self, external_ids: list[str]) -> dict[str, SourceRecord]:
        """The records by id; ids HubSpot does not know are absent."""
        answer = self.connector.client.post(
            f"/crm/v3/objects/{self.object.name}/batch/read",
            json={
                "inputs": [{"id": external_id} for external_id in external_ids],
                "properties": self._properties(),
                "propertiesWithHistory": [],
            },
        )
        return {record.external_id: record for record in self._records(answer["results"])}

    def _start(self, checkpoint: JsonDict | None) -> JsonDict:
        now = _millis(self.connector.context.now())
        if checkpoint is None:
            return {"since": 0, "after_id": "", "complete": False, "started": now, "swept": now}
        swept = checkpoint.get("swept", now)
        if checkpoint["complete"]:
            since = max(0, checkpoint["since"] - _millis(EPOCH + OVERLAP))
            return {"since": since, "after_id": "", "complete": False, "started": now, "swept": swept}
        return {**checkpoint, "swept": swept}

    def _sweep(self, position: JsonDict) -> list[SourceRecord]:
        """What was archived since the last sweep, when it is time for one. Moves the position's mark."""
        due, started = position["swept"] + _millis(EPOCH + SWEEP_EVERY), position["started"]
        if started < due:
            return []
        params = {"archived": "true", "limit": BATCH_READ, "properties": ",".join(self._properties())}
        pages = paginate(
            self.connector.client,
            f"/crm/v3/objects/{self.object.name}",
            CursorPaginator("paging.next.after", "after"),
            params=params,
        )
        since = _moment_of(position["swept"]) - OVERLAP
        entries = [entry for page in pages for entry in page.data["results"]]
        position["swept"] = started
        return [self._archived(entry) for entry in entries if _moment(entry["archivedAt"]) >= since]

    def _archived(self, entry: JsonDict) -> SourceRecord:
        """An archived record has lost its associations; when it was archived is its last change."""
        record = self._record(entry, {}, {})
        return msgspec.structs.replace(record, deleted=True, modified_at=_moment(entry["archivedAt"]))

    def _search(self, position: JsonDict, size: int) -> tuple[list[JsonDict], int | None]:
        """What was found, and how many more there are (a walk by id sees equal time stamps only, and cannot tell)."""
        since = str(position["since"])
        if position["after_id"]:
            filters = [
                {"propertyName": self.object.modified, "operator": "EQ", "value": since},
                {"propertyName": "hs_object_id", "operator": "GT", "value": position["after_id"]},
            ]
            sort = "hs_object_id"
        else:
            filters = [{"propertyName": self.object.modified, "operator": "GTE", "value": since}]
            sort = self.object.modified
        body = {
            "filterGroups": [{"filters": filters}],
            # Ascending; the described form (a property name, "-" before it to descend), not the older object.
            "sorts": [sort],
            "properties": self._properties(),
            "limit": size,
            "after": "0",
        }
        answer = self.connector.client.post(f"/crm/v3/objects/{self.object.name}/search", json=body)
        found: list[JsonDict] = answer["results"]
        total = None if position["after_id"] else answer.get("total")
        return found, None if total is None else max(0, total - len(found))

    def _advance(self, position: JsonDict, found: list[JsonDict], size: int) -> tuple[JsonDict, set[str]]:
        """Where the next search starts, and which ids it will meet again."""
        if position["after_id"]:
            return self._advance_tie(position, found, size)
        if not found:
            return dict(position), set()
        self._require_order(found)
        newest = self._modified_ms(found[-1])
        tied = {entry["id"] for entry in found if self._modified_ms(entry) == newest}
        if len(found) == size and len(tied) == size:
            # Equal time stamps come in no order, so the walk by id starts from the lowest, not from what was seen.
            return {**position, "since": newest, "after_id": "0"}, set()
        return {**position, "since": newest, "after_id": ""}, tied

    def _advance_tie(self, position: JsonDict, found: list[JsonDict], size: int) -> tuple[JsonDict, set[str]]:
        if len(found) == size:
            return {**position, "after_id": found[-1]["id"]}, set()
        return {**position, "since": position["since"] + 1, "after_id": ""}, set()

    def _require_order(self, found: list[JsonDict]) -> None:
        """The walk rests on the order; a search that ignored it would lose records without a word."""
        times = [self._modified_ms(entry) for entry in found]
        if times != sorted(times):
            raise FatalError("HubSpot's search came back unsorted", code="unsorted")

    def _properties(self) -> list[str]:
        own = self.connector.custom_properties(self.object.name) if self.object.custom else []
        return list(dict.fromkeys([*self.object.properties, self.object.modified, *own]))

    def _modified_ms(self, entry: JsonDict) -> int:
        return _millis(_moment(entry["properties"][self.object.modified]))

    def _records(self, found: list[JsonDict]) -> list[SourceRecord]:
        links = {name: self._links(name, found) for name in self.object.links} if found else {}
        lines = self._lines(found) if found and self.object.lines else {}
        return [self._record(entry, links, lines) for entry in found]

    def _record(
        self, entry: JsonDict, links: dict[str, dict[str, str]], lines: dict[str, list[JsonDict]]
    ) -> SourceRecord:
        data: dict[str, Any] = {"id": entry["id"], "properties": entry["properties"]}
        data["associations"] = {name: found.get(entry["id"]) for name, found in links.items()}
        if self.object.lines:
            data["lines"] = lines.get(entry["id"], [])
        if self.object.currency:
            values = entry["properties"]
            data["currency"] = values.get(self.object.currency) or self.connector.currency
            owner = values.get("hubspot_owner_id")
            data["owner_email"] = self.connector.owner_emails.get(owner) or None if owner else None
        modified = entry["properties"].get(self.object.modified) or entry["updatedAt"]
        return SourceRecord(
            external_id=entry["id"],
            data=data,
            modified_at=_moment(modified),
            url=entry.get("url") or "",
            deleted=bool(entry.get("archived")),
        )

    def _links(self, to_name: str, found: list[JsonDict]) -> dict[str, str]:
        """Record id → id of the primary (else the oldest) associated record."""
        return {record_id: _preferred(targets) for record_id, targets in self._associated(to_name, found).items()}

    def _associated(self, to_name: str, found: list[JsonDict]) -> dict[str, list[JsonDict]]:
        answer = self.connector.client.post(
            f"/crm/v4/associations/{self.object.name}/{to_name}/batch/read",
            json={"inputs": [{"id": entry["id"]} for entry in found]},
        )
        return {str(entry["from"]["id"]): entry["to"] for entry in answer["results"] if entry["to"]}

    def _lines(self, found: list[JsonDict]) -> dict[str, list[JsonDict]]:
        """Record id → the properties of its line items, in the order they were made."""
        owned = {
            record_id: sorted((str(target["toObjectId"]) for target in targets), key=int)
            for record_id, targets in self._associated("line_items", found).items()
        }
        wanted = list(dict.fromkeys(line_id for line_ids in owned.values() for line_id in line_ids))
        lines: dict[str, JsonDict] = {}
        for start in range(0, len(wanted), BATCH_READ):
            body = {
                "inputs": [{"id": line_id} for line_id in wanted[start : start + BATCH_READ]],
                "properties": list(LINE_PROPERTIES),
                "propertiesWithHistory": [],
            }
            answer = self.connector.client.post("/crm/v3/objects/line_items/batch/read", json=body)
            lines |= {
                entry["id"]: {n: entry["properties"].get(n) for n in LINE_PROPERTIES} for entry in answer["results"]
            }
        return {record_id: [lines[i] for i in line_ids if i in lines] for record_id, line_ids in owned.items()}


def _preferred(targets: list[JsonDict]) -> str:
    primary = [t for t in targets if any(kind.get("label") == "Primary" for kind in t["associationTypes"])]
    return str(min(int(target["toObjectId"]) for target in primary or targets))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _moment_of(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def _millis(moment: datetime) -> int:
    return round((moment - EPOCH) / timedelta(milliseconds=1))
