"""Reading Zendesk by its incremental exports: everything that changed, deleted things among it, without the last minute.

Exports have a limit of their own (ten calls a minute); their answers say how many are left.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from apps.connectors.sdk.client import Call
from apps.connectors.sdk.error_table import VendorResponse
from apps.connectors.sdk.errors import FatalError, RateLimited
from apps.connectors.sdk.passes import Batch, PassStream, moment
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord

LIMIT_HEADER = "zendesk-ratelimit-incremental-exports"
LIMIT = re.compile(r"remaining=(\d+); resets=(\d+)")
# An export of everything starts at the beginning of time; zero is refused.
BEGINNING = 1
MAX_PAGE = 1000


class Exports:
    """The export calls of one read; holds the next one back when the vendor says that none is left."""

    def __init__(self, connector: Any) -> None:
        self.client = connector.client
        self.wait = 0.0

    def get(self, path: str, params: JsonDict) -> JsonDict:
        if self.wait:
            raise RateLimited("no export call is left in this minute", retry_after=self.wait, code="exports")
        response = self.client.send(Call(method="GET", path=f"/api/v2/incremental/{path}", params=params))
        self.wait = seconds_to_wait(response)
        answer: JsonDict = response.data
        return answer


def seconds_to_wait(response: VendorResponse) -> float:
    found = LIMIT.search(response.headers.get(LIMIT_HEADER, ""))
    return float(found[2]) if found and found[1] == "0" else 0.0


class CursorExport(ABC):
    """Tickets and people. A checkpoint is `{"cursor"}`: where the last page ended, for as long as one likes."""

    collection: ClassVar[str]
    singular: ClassVar[str]
    include: ClassVar[str | None] = None

    def __init__(self, connector: Any) -> None:
        self.connector = connector

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        cursor = (checkpoint or {}).get("cursor")
        exports = Exports(self.connector)
        while True:
            place = {"cursor": cursor} if cursor else {"start_time": BEGINNING}
            params = {**place, "per_page": min(page_size, MAX_PAGE), "include": self.include}
            answer = exports.get(f"{self.collection}/cursor", params)
            cursor = answer.get("after_cursor") or cursor
            yield Page(records=self.records(answer), checkpoint={"cursor": cursor} if cursor else {})
            if answer["end_of_stream"]:
                return

    def get(self, external_id: str) -> SourceRecord | None:
        path = f"/api/v2/{self.collection}/{external_id}"
        answer = self.connector.client.find(path, params={"include": self.include})
        if answer is None:
            return None
        return next(iter(self.records({**answer, self.collection: [answer[self.singular]]})), None)

    def records(self, answer: JsonDict) -> list[SourceRecord]:
        return [self.record(row) for row in answer[self.collection]]

    @abstractmethod
    def record(self, row: JsonDict) -> SourceRecord:
        """One row as a record."""


class UserExport(CursorExport):
    collection = "users"
    singular = "user"

    def records(self, answer: JsonDict) -> list[SourceRecord]:
        return [self.record(row) for row in answer[self.collection] if self.wanted(row)]

    @abstractmethod
    def wanted(self, row: JsonDict) -> bool:
        """Customers' people and one's own are one list in Zendesk."""


class ContactStream(UserExport):
    def wanted(self, row: JsonDict) -> bool:
        return bool(row["role"] == "end-user")

    def record(self, row: JsonDict) -> SourceRecord:
        shown = ("id", "name", "email", "phone", "organization_id", "external_id")
        return record_of({name: row.get(name) for name in shown}, row, deleted=not row["active"])


class AgentStream(UserExport):
    """People who left are kept: their work stays."""

    def wanted(self, row: JsonDict) -> bool:
        return bool(row["role"] != "end-user")

    def record(self, row: JsonDict) -> SourceRecord:
        working = row["active"] and not row.get("suspended")
        return record_of({**{name: row.get(name) for name in ("id", "name", "email")}, "working": working}, row)


class TicketStream(CursorExport):
    collection = "tickets"
    singular = "ticket"
    include = "users"

    def records(self, answer: JsonDict) -> list[SourceRecord]:
        people = {user["id"]: user for user in answer.get("users") or []}
        return [self.record({**row, "requester": people.get(row["requester_id"])}) for row in answer["tickets"]]

    def record(self, row: JsonDict) -> SourceRecord:
        requester = row["requester"] or {}
        shown = ("id", "subject", "description", "status", "priority", "due_at", "organization_id", "assignee_id")
        data = {
            **{name: row.get(name) for name in shown},
            "requester_email": requester.get("email"),
            # A ticket that one of us opened has no contact.
            "contact_id": row["requester_id"] if requester.get("role") == "end-user" else None,
        }
        return record_of(data, row, deleted=row["status"] == "deleted")


class OrganizationStream(PassStream):
    """Organizations have only the older kind of export: by time, a thousand at once, the last second repeated."""

    max_page: ClassVar[int] = MAX_PAGE

    def __init__(self, connector: Any) -> None:
        super().__init__(connector)
        self.exports = Exports(connector)
        self.held: tuple[int, JsonDict] | None = None

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        start = place.get("start") or (int(since.timestamp()) if since else BEGINNING)
        skip = place.get("skip", 0)
        answer = self._export(start)
        rows = answer["organizations"]
        records = [organization(row) for row in rows[skip : skip + size]]
        if skip + size < len(rows):
            return Batch(records=records, place={"start": start, "skip": skip + size})
        if answer["end_of_stream"]:
            return Batch(records=records)
        if answer["end_time"] <= start:
            raise FatalError("more organizations were changed in one second than an export shows", code="export")
        return Batch(records=records, place={"start": answer["end_time"], "skip": 0})

    def get(self, external_id: str) -> SourceRecord | None:
        answer = self.connector.client.find(f"/api/v2/organizations/{external_id}")
        return organization(answer["organization"]) if answer else None

    def _export(self, start: int) -> JsonDict:
        """One call serves several pages: there are only ten of them a minute."""
        if self.held is None or self.held[0] != start:
            self.held = (start, self.exports.get("organizations", {"start_time": start}))
        return self.held[1]


def organization(row: JsonDict) -> SourceRecord:
    shown = ("id", "name", "domain_names", "external_id", "notes")
    return record_of({name: row.get(name) for name in shown}, row, deleted=bool(row.get("deleted_at")))


def record_of(data: JsonDict, row: JsonDict, *, deleted: bool = False) -> SourceRecord:
    return SourceRecord(external_id=str(row["id"]), data=data, modified_at=moment(row["updated_at"]), deleted=deleted)
