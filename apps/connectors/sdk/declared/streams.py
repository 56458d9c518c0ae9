"""Reading what a definition describes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.client import Call
from apps.connectors.sdk.declared.definition import ListPart, ObjectPart, PagingPart
from apps.connectors.sdk.error_table import VendorResponse
from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.numbers import whole_number
from apps.connectors.sdk.paginators import LINK, dig
from apps.connectors.sdk.passes import Batch, PassStream
from apps.connectors.sdk.types import JsonDict, SourceRecord
from apps.core.expressions import functions

if TYPE_CHECKING:
    from apps.connectors.sdk.declared.connector import DeclaredConnector


class DeclaredStream(PassStream):
    connector: DeclaredConnector

    def __init__(self, connector: DeclaredConnector, *, part: ObjectPart) -> None:
        super().__init__(connector)
        self.part = part
        self.paging = part.list.paging or connector.definition.paging
        self.incremental = bool(part.list.since)  # type: ignore[misc]  # of the object, not of the class
        self.max_page = self.paging.size  # type: ignore[misc]

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        response = self._ask(self.part.list, since, place, size)
        records = self.parse(response.data, self.part.list)
        following = next_place(self.paging, response, place, size, len(records))
        first = records[0].external_id if records else ""
        if first and place.get("first") == first:
            # A system that does not know the parameter gives its first page for ever.
            raise FatalError(f"The second page is the first again: is “{self.paging.parameter}” right?", code="paging")
        return Batch(records=records, place={**following, "first": first} if following else None)

    def _closed(self, state: JsonDict) -> JsonDict:
        """Records that show no stamp are asked for since the pass began; the overlap covers clocks that differ."""
        if self.incremental and not self.part.modified:
            return {"since": state["started"]}
        return super()._closed(state)

    def get(self, external_id: str) -> SourceRecord | None:
        if self.part.item is None:
            return self._search(external_id)
        answer = self.connector.client.find(self.connector.path(self.part.item.path, id=external_id))
        found = dig(answer, self.part.item.record)
        return self.record(found) if isinstance(found, dict) and found else None

    def parse(self, answer: Any, reading: ListPart) -> list[SourceRecord]:
        """The records of a list's answer. Raises FatalError when there is no list where the definition says."""
        rows = dig(answer, reading.records)
        if not isinstance(rows, list):
            raise FatalError(f"The answer has no list at “{reading.records or 'its root'}”.", code="format")
        return [self.record(row) for row in rows]

    def record(self, row: Any) -> SourceRecord:
        external_id = dig(row, self.part.id) if isinstance(row, dict) else None
        if external_id in (None, ""):
            raise FatalError(f"A record of {self.part.label} has nothing at “{self.part.id}”.", code="format")
        modified, problem = self._modified(row)
        return SourceRecord(
            external_id=str(external_id),
            data=row,
            modified_at=modified,
            deleted=bool(self.part.deleted and dig(row, self.part.deleted)),
            problem=problem,
        )

    def _modified(self, row: JsonDict) -> tuple[datetime | None, str]:
        """When it was changed; and what is wrong with that, which holds up no other record."""
        given = dig(row, self.part.modified) if self.part.modified else None
        try:
            found = functions.moment(given)
        except (ValueError, OverflowError):
            return None, f"{self.part.modified}: {str(given)[:40]!r} is no moment."
        return (datetime.fromisoformat(found.replace("Z", "+00:00")) if found else None), ""

    def find(self, reading: ListPart, key: str) -> list[SourceRecord]:
        """What a look-up by key shows, first page only."""
        params = {name: value.replace("{key}", key) for name, value in reading.params.items()}
        answer = self.connector.client.get(self.connector.path(reading.path, key=key), params=params)
        return self.parse(answer, reading)

    def _search(self, external_id: str) -> SourceRecord | None:
        """Without a way to read one, the list is walked through."""
        for page in self.read(checkpoint=None, page_size=self.paging.size):
            for record in page.records:
                if record.external_id == external_id:
                    return record
        return None

    def _ask(self, reading: ListPart, since: datetime | None, place: JsonDict, size: int) -> VendorResponse:
        path = self.connector.path(reading.path)
        if place.get("link"):
            return self.connector.client.send(Call(method="GET", path=place["link"]))
        params: dict[str, Any] = {**reading.params, **page_params(self.paging, place, size)}
        if since and reading.since:
            params[reading.since] = written_moment(since, reading.since_format)
        return self.connector.client.send(Call(method="GET", path=path, params=params))


def page_params(paging: PagingPart, place: JsonDict, size: int) -> dict[str, Any]:
    params: dict[str, Any] = {paging.size_parameter: size} if paging.size_parameter else {}
    if paging.kind == "page":
        params[paging.parameter] = place.get("page", paging.first)
    elif paging.kind == "offset":
        params[paging.parameter] = place.get("offset", 0)
    elif paging.kind == "cursor" and place.get("cursor"):
        params[paging.parameter] = place["cursor"]
    return params


def next_place(paging: PagingPart, response: VendorResponse, place: JsonDict, size: int, count: int) -> JsonDict | None:
    """Where the next page starts. Systems give fewer than asked for, so only an empty page ends a counted list."""
    if paging.kind == "page":
        page = place.get("page", paging.first)
        told = response.headers.get(paging.pages_header.lower(), "")
        pages = whole_number(told)
        is_last = not count if pages is None else page - paging.first + 1 >= pages
        return None if is_last else {"page": page + 1}
    if paging.kind == "offset":
        return {"offset": place.get("offset", 0) + count} if count else None
    if paging.kind == "cursor":
        following = dig(response.data, paging.next)
        if following in (None, "", False):
            return None
        if str(following) != place.get("cursor"):
            return {"cursor": str(following)}
        if not count:
            return None  # some tell the last cursor again where nothing follows
        # Taken for the end, whatever lies behind this page would be lost without a word.
        raise FatalError(f"The cursor does not move: is “{paging.next}” where the next one stands?", code="paging")
    if paging.kind == "link":
        match = LINK.search(response.headers.get("link", ""))
        return {"link": match.group(1)} if match else None
    return None


def written_moment(moment: datetime, form: str) -> str:
    utc = moment.astimezone(UTC)
    if form == "local":
        return utc.strftime("%Y-%m-%dT%H:%M:%S")
    if form == "seconds":
        return str(int(utc.timestamp()))
    if form == "milliseconds":
        return str(int(utc.timestamp() * 1000))
    return utc.date().isoformat() if form == "date" else utc.strftime("%Y-%m-%dT%H:%M:%SZ")
