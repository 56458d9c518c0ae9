"""Writing Tryton: whole batches in one transaction, read back, found again by a neutral mark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.tryton.api import Domain, TrytonApi
from apps.connectors.vendors.tryton.streams import (
    PartyStream,
    ProjectStream,
    TaskStream,
    TimesheetLineStream,
    TrytonStream,
    mark,
)
from apps.connectors.vendors.tryton.wire import wire_date, wire_seconds


class TrytonSink(Removing):
    """Creates go out as one list: if Tryton refuses it, nothing was created, and each is tried alone."""

    stream_type: ClassVar[type[TrytonStream]] = TrytonStream

    # Where records of others would lose what they belong to: (model, field).
    referring: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, connector: Any) -> None:
        self.connector = connector
        self.api: TrytonApi = connector.api
        self.stream = self.stream_type(connector)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        results = {result.key: result for result in self._write_all(requests)}
        return [results[request.key] for request in requests]

    def _write_all(self, requests: list[WriteRequest]) -> Iterator[WriteResult]:
        yield from self._create([request for request in requests if request.external_id is None])
        for request in requests:
            if request.external_id is not None:
                yield self._update(request)

    def _create(self, requests: list[WriteRequest]) -> list[WriteResult]:
        results, wanted = [], []
        for request in requests:
            try:
                wanted.append((request, self.creation(request)))
            except RecordRejected as error:
                results.append(WriteResult(key=request.key, error=error))
        return results + self._create_together(wanted)

    def _create_together(self, wanted: list[tuple[WriteRequest, JsonDict]]) -> list[WriteResult]:
        if not wanted:
            return []
        try:
            ids = self.api.create(self.stream.model, [values for _, values in wanted])
        except RecordRejected as error:
            if len(wanted) == 1:
                return [WriteResult(key=wanted[0][0].key, error=error)]
            return [result for pair in wanted for result in self._create_together([pair])]
        return [self._created(request, str(found)) for (request, _), found in zip(wanted, ids, strict=True)]

    def _created(self, request: WriteRequest, external_id: str) -> WriteResult:
        try:
            self.after_creation(request, external_id)
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)
        return WriteResult(key=request.key, record=self._read_back(external_id))

    def _update(self, request: WriteRequest) -> WriteResult:
        external_id = str(request.external_id)
        try:
            current = self.stream.get(external_id)
            if current is None:
                raise RecordRejected("it is no longer in Tryton", code="not_found", status=404)
            self.api.write(self.stream.model, external_id, self.change(request, current))
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)
        return WriteResult(key=request.key, record=self._read_back(external_id))

    def _read_back(self, external_id: str) -> SourceRecord:
        record = self.stream.get(external_id)
        if record is None:
            raise FatalError(f"Tryton does not show {self.stream.model} {external_id} that it just wrote")
        return record

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def resolve(self, key: str) -> SourceRecord | None:
        found = self.api.search(
            self.stream.model, [*self.stream.domain, *self.marked(key)], fields=["id"], order=[["id", "ASC"]], limit=1
        )
        return self._read_back(str(found[0]["id"])) if found else None

    def remove(self, external_id: str) -> None:
        """Tryton keeps what others need, and empties the reference in what could do without: that is asked for here."""
        for model, field in self.referring:
            if self.api.search(model, [[field, "=", int(external_id)]], fields=["id"], limit=1):
                raise RecordRejected(f"other records ({model}) belong to it", code="referred_to")
        self.api.delete(self.stream.model, external_id)

    @abstractmethod
    def marked(self, key: str) -> Domain:
        """The filter that finds what was created under `key`."""

    @abstractmethod
    def creation(self, request: WriteRequest) -> JsonDict:
        """Values of a new record, with the mark. Raises RecordRejected."""

    @abstractmethod
    def change(self, request: WriteRequest, current: SourceRecord) -> JsonDict:
        """Values to write over `current`."""

    def after_creation(self, request: WriteRequest, external_id: str) -> None:
        """What a new record still needs before it counts as written."""
        return


def escaped(text: str) -> str:
    """Without the wildcards of `like`."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def given(payload: JsonDict, *names: str) -> JsonDict:
    return {name: payload[name] for name in names if payload.get(name) not in (None, "")}


CONTACT_KINDS = ("email", "phone", "website")


class PartySink(TrytonSink):
    """The mark is an identifier without type, beside tax numbers: Tryton's own place for foreign numbers."""

    stream_type = PartyStream
    referring = (("project.work", "party"),)

    def marked(self, key: str) -> Domain:
        return [["identifiers.code", "=", key], ["identifiers.type", "=", None]]

    def creation(self, request: WriteRequest) -> JsonDict:
        contacts = [{"type": kind, "value": value} for kind, value in given(request.payload, *CONTACT_KINDS).items()]
        return {
            "name": named(request),
            # An invoice cannot be made without an address to send it to, not even an empty one.
            "addresses": [["create", [{}]]],
            "identifiers": [["create", [{"type": None, "code": request.key}]]],
            **({"contact_mechanisms": [["create", contacts]]} if contacts else {}),
        }

    def change(self, request: WriteRequest, current: SourceRecord) -> JsonDict:
        values: JsonDict = {"name": named(request)}
        steps: list[list[Any]] = []
        for kind, value in given(request.payload, *CONTACT_KINDS).items():
            first = next((m for m in current.data["contact_mechanisms"] if m["type"] == kind), None)
            if first is None:
                steps.append(["create", [{"type": kind, "value": value}]])
            elif first["value"] != value:
                steps.append(["write", [first["id"]], {"value": value}])
        if steps:
            values["contact_mechanisms"] = steps
        return values


def named(request: WriteRequest) -> str:
    """Tryton takes a party without a name and shows its number instead."""
    if not request.payload.get("name"):
        raise RecordRejected("a name is required", code="required")
    return str(request.payload["name"])


class WorkSink(TrytonSink):
    """Projects and tasks; the mark is a line of the comment."""

    kind = ""
    parent = ""
    referring = (("project.work", "parent"),)

    def marked(self, key: str) -> Domain:
        return [["comment", "like", f"%{escaped(mark(key))}%"]]

    def creation(self, request: WriteRequest) -> JsonDict:
        return {
            "type": self.kind,
            "company": self.api.company["id"],
            "timesheet_available": True,
            "comment": mark(request.key),
            **self._values(request),
            **self._status(done=bool(request.payload.get("done"))),
        }

    def change(self, request: WriteRequest, current: SourceRecord) -> JsonDict:
        done = bool(request.payload.get("done"))
        was_done = (current.data["status"] or {}).get("progress") == 1
        return {**self._values(request), **(self._status(done=done) if done != was_done else {})}

    def _values(self, request: WriteRequest) -> JsonDict:
        values: JsonDict = {"name": named(request)}
        if request.payload.get(self.parent):
            values[self.parent] = int(request.payload[self.parent])
        if request.payload.get("effort_seconds") is not None:
            values["effort_duration"] = wire_seconds(int(request.payload["effort_seconds"]))
        return values

    def _status(self, *, done: bool) -> JsonDict:
        """Tryton's states are the customer's own; done is the one that demands full progress."""
        domain: Domain = [["types", "in", [self.kind]]]
        found = self.api.search("project.work.status", domain, fields=["progress", "default"])
        fitting = [row for row in found if (row["progress"] == 1) == done]
        if not fitting:
            raise RecordRejected(
                f"Tryton has no status for a {'done' if done else 'running'} {self.kind}", code="status"
            )
        chosen = next((row for row in fitting if row["default"]), fitting[0])
        return {"status": chosen["id"], "progress": chosen["progress"]}


class ProjectSink(WorkSink):
    stream_type = ProjectStream
    kind = "project"
    parent = "party"


class TaskSink(WorkSink):
    stream_type = TaskStream
    kind = "task"
    parent = "parent"


class TimesheetLineSink(TrytonSink):
    """The mark ends the description: it is the only text a timesheet line has that the API may write."""

    stream_type = TimesheetLineStream

    def marked(self, key: str) -> Domain:
        return [["description", "like", f"%{escaped(mark(key))}"]]

    def creation(self, request: WriteRequest) -> JsonDict:
        return {"company": self.api.company["id"], **self._values(request, mark(request.key))}

    def change(self, request: WriteRequest, current: SourceRecord) -> JsonDict:
        stored = self.api.search("timesheet.line", [["id", "=", int(current.external_id)]], fields=["description"])
        _, opened, rest = (stored[0]["description"] or "").partition("[sync_ref: ")
        return self._values(request, opened + rest)

    def _values(self, request: WriteRequest, marker: str) -> JsonDict:
        payload = request.payload
        return {
            "employee": int(payload["employee"]),
            "work": self._timesheet_work(payload),
            "date": wire_date(payload["date"]),
            "duration": wire_seconds(int(payload["duration_seconds"])),
            "description": f"{payload.get('description') or ''} {marker}".strip(),
        }

    def _timesheet_work(self, payload: JsonDict) -> int:
        """Time is recorded on a timesheet.work, which stands for a task or project made available for it."""
        work = payload.get("task") or payload.get("project")
        if not work:
            raise RecordRejected("time needs a project or task in Tryton", code="required")
        found = self._find_work(str(work))
        if found is None:
            self.api.write("project.work", str(work), {"timesheet_available": True})
            found = self._find_work(str(work))
        if found is None:
            raise RecordRejected("Tryton does not let time be recorded on this work", code="timesheet_work")
        return found

    def _find_work(self, work: str) -> int | None:
        known: dict[str, int] = self.connector.timesheet_works
        if work not in known:
            found = self.api.search("timesheet.work", [["origin", "=", f"project.work,{work}"]], fields=["id"])
            if found:
                known[work] = found[0]["id"]
        return known.get(work)
