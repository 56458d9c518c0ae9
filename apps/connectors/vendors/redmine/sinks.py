"""Writing Redmine: 204 is answered to what was ignored too, so each write is read back and compared."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.redmine.streams import IssueStream, ProjectStream, RedmineStream

CLOSED_PROJECT = 5
NOT_IN_IDENTIFIER = re.compile(r"[^a-z0-9_-]")


class RedmineSink(Removing):
    stream_type: ClassVar[type[RedmineStream]] = RedmineStream

    def __init__(self, connector: Any) -> None:
        self.connector = connector
        self.client: VendorClient = connector.client
        self.stream = self.stream_type(connector)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        return [self._write_one(request) for request in requests]

    def _write_one(self, request: WriteRequest) -> WriteResult:
        try:
            record = self._create(request) if request.external_id is None else self._update(request)
            self._compare(record, request.payload)
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)
        return WriteResult(key=request.key, record=record)

    def _create(self, request: WriteRequest) -> SourceRecord:
        body = {self.stream.singular: self.creation(request)}
        try:
            created = self.client.post(f"/{self.stream.collection}.json", json=body)[self.stream.singular]
        except RecordRejected:
            # Perhaps refused because an earlier attempt whose answer was lost has already made it.
            found = self.resolve(request.key)
            if found is None:
                raise
            return self.settle(found, request.payload)
        return self.settle(self._read_back(str(created["id"])), request.payload)

    def _update(self, request: WriteRequest) -> SourceRecord:
        external_id = str(request.external_id)
        current = self.stream.get(external_id)
        if current is None:
            raise RecordRejected("it is no longer in Redmine", code="not_found", status=404)
        self.prepare(current)
        body = {self.stream.singular: self.values(request.payload)}
        self.client.put(f"/{self.stream.collection}/{external_id}.json", json=body)
        return self.settle(self._read_back(external_id), request.payload)

    def _read_back(self, external_id: str) -> SourceRecord:
        record = self.stream.get(external_id)
        if record is None:
            raise RecordRejected("Redmine does not show what it just took", code="not_found", status=404)
        return record

    def _compare(self, record: SourceRecord, payload: JsonDict) -> None:
        for what, seen in self.checks.items():
            wanted = payload.get(what)
            if wanted is not None and seen(record.data) != wanted:
                raise RecordRejected(f"Redmine did not take the {what.replace('_', ' ')}", code="ignored")

    checks: ClassVar[dict[str, Callable[[JsonDict], Any]]] = {}

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    @abstractmethod
    def resolve(self, key: str) -> SourceRecord | None:
        """The object created under `key`."""

    @abstractmethod
    def creation(self, request: WriteRequest) -> JsonDict:
        """Values of a new record, with the mark."""

    @abstractmethod
    def values(self, payload: JsonDict) -> JsonDict:
        """Values a change carries."""

    def prepare(self, current: SourceRecord) -> None:
        """What must happen before a record can be changed."""
        return

    @abstractmethod
    def settle(self, record: SourceRecord, payload: JsonDict) -> SourceRecord:
        """The record after its state was brought to the wanted one."""


class ProjectSink(RedmineSink):
    """The key becomes the identifier, which Redmine keeps unique and never changes."""

    stream_type = ProjectStream
    checks: ClassVar[dict[str, Callable[[JsonDict], Any]]] = {
        "name": lambda data: data["name"],
        "closed": lambda data: data["status"] == CLOSED_PROJECT,
    }

    def resolve(self, key: str) -> SourceRecord | None:
        return self.stream.get(identifier(key))

    def remove(self, external_id: str) -> None:
        """Archived: deleting a project would take all its issues and booked time with it."""
        self.client.put(f"/projects/{external_id}/archive.json", expects_json=False)

    def creation(self, request: WriteRequest) -> JsonDict:
        modules = ["issue_tracking", "time_tracking"]
        values = self.values(request.payload)
        return {**values, "identifier": identifier(request.key), "is_public": False, "enabled_module_names": modules}

    def values(self, payload: JsonDict) -> JsonDict:
        return {"name": payload["name"]}

    def prepare(self, current: SourceRecord) -> None:
        if current.data["status"] == CLOSED_PROJECT:
            self.client.put(f"/projects/{current.external_id}/reopen.json")

    def settle(self, record: SourceRecord, payload: JsonDict) -> SourceRecord:
        if not payload.get("closed") or record.data["status"] == CLOSED_PROJECT:
            return record
        self.client.put(f"/projects/{record.external_id}/close.json")
        return self._read_back(record.external_id)


def identifier(key: str) -> str:
    """Lower case letters, digits, dashes and underscores, and not digits alone."""
    return f"p-{NOT_IN_IDENTIFIER.sub('-', key.lower())}"


class IssueSink(RedmineSink):
    """The mark is the description: the one text of an issue that Redmine can search exactly and we do not map."""

    stream_type = IssueStream
    checks: ClassVar[dict[str, Callable[[JsonDict], Any]]] = {
        "subject": lambda data: data["subject"],
        "done": lambda data: data["status"]["is_closed"],
    }

    def resolve(self, key: str) -> SourceRecord | None:
        rows = self.stream.page({"status_id": "*", "description": f"~{mark(key)}", "sort": "id:asc"})
        # Redmine ignores filters it does not know; what comes back has to carry the mark.
        found = next((row for row in rows if mark(key) in (row["description"] or "")), None)
        return self.stream.record(found) if found else None

    def remove(self, external_id: str) -> None:
        """Time booked on it goes over to its project; subtasks would be deleted with it."""
        shown = self.client.get(f"/issues/{external_id}.json", params={"include": "children"})["issue"]
        if shown.get("children"):
            raise RecordRejected("it has subtasks, which would be deleted with it", code="has_children")
        self.client.delete(f"/issues/{external_id}.json", params={"todo": "nullify"}, expects_json=False)

    def creation(self, request: WriteRequest) -> JsonDict:
        payload = request.payload
        return {"project_id": payload["project"], "description": mark(request.key), **self.values(payload)}

    def values(self, payload: JsonDict) -> JsonDict:
        values = {"subject": payload["subject"]}
        if payload.get("estimated_hours") is not None:
            values["estimated_hours"] = payload["estimated_hours"]
        return values

    def settle(self, record: SourceRecord, payload: JsonDict) -> SourceRecord:
        done = bool(payload.get("done"))
        if record.data["status"]["is_closed"] == done:
            return record
        body = {"issue": {"status_id": self._status(closed=done)}}
        self.client.put(f"/issues/{record.external_id}.json", json=body)
        return self._read_back(record.external_id)

    def _status(self, *, closed: bool) -> int:
        """The first status of that kind; a workflow that forbids it shows in the read-back."""
        rows = self.client.get("/issue_statuses.json")["issue_statuses"]
        fitting = [row["id"] for row in rows if row["is_closed"] == closed]
        if not fitting:
            raise RecordRejected(f"Redmine has no {'closed' if closed else 'open'} status", code="status")
        return int(fitting[0])


def mark(key: str) -> str:
    return f"[sync_ref: {key}]"
