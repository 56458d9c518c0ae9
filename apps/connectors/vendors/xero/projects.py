"""Xero Projects: projects, their tasks, the time on them, and who works there. Nothing there tells when it changed.

Source: the official description `xero-projects.yaml`. Lists are pages of up to 500, read in full each time.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.passes import Batch, PassStream
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest

if TYPE_CHECKING:
    from apps.connectors.vendors.xero.connector import XeroConnector

API = "/projects.xro/2.0"
MARK = "[sync_ref: "
CLOSED = "CLOSED"
Amount = dict[str, Any]


class ProjectsApiStream(PassStream):
    """One list of the projects API."""

    connector: XeroConnector
    incremental: ClassVar[bool] = False
    max_page: ClassVar[int] = 500
    id_field: ClassVar[str]

    def listed(self, path: str, page: int, size: int) -> JsonDict:
        params = {"page": page, "pageSize": size}
        found: JsonDict = self.connector.client.get(
            f"{API}/{path}", params=params, headers=self.connector.tenant_header()
        )
        return found

    def found(self, path: str) -> JsonDict | None:
        answer: JsonDict | None = self.connector.client.find(f"{API}/{path}", headers=self.connector.tenant_header())
        return answer or None

    def record(self, item: JsonDict) -> SourceRecord:
        return SourceRecord(external_id=item[self.id_field], data=item)


class WholeList(ProjectsApiStream):
    path: ClassVar[str]

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        page = place.get("page", 1)
        answer = self.listed(self.path, page, size)
        return Batch(
            records=[self.record(item) for item in answer["items"]],
            place={"page": page + 1} if page < answer["pagination"]["pageCount"] else None,
        )


class ProjectStream(WholeList):
    path = "Projects"
    id_field = "projectId"

    def get(self, external_id: str) -> SourceRecord | None:
        item = self.found(f"Projects/{external_id}")
        return self.record(item) if item else None


class UserStream(WholeList):
    """People who may work on projects. None can be asked for by itself."""

    path = "ProjectsUsers"
    id_field = "userId"

    def get(self, external_id: str) -> SourceRecord | None:
        for page in self.read(checkpoint=None, page_size=self.max_page):
            for record in page.records:
                if record.external_id == external_id:
                    return record
        return None


class PartStream(ProjectsApiStream):
    """What is listed by project. An id here is the project's and the part's own, joined: one alone finds nothing."""

    part: ClassVar[str]

    @cached_property
    def projects(self) -> list[str]:
        stream = ProjectStream(self.connector)
        return sorted(r.external_id for page in stream.read(checkpoint=None, page_size=500) for r in page.records)

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        """From project to project by id; one that was made meanwhile is met by the next run at the latest."""
        project = next((found for found in self.projects if found >= place.get("project", "")), None)
        if project is None:
            return Batch(records=[])
        page = place.get("page", 1) if project == place.get("project") else 1
        answer = self.listed(f"Projects/{project}/{self.part}", page, size)
        records = [self.record(item) for item in answer["items"]]
        if page < answer["pagination"]["pageCount"]:
            return Batch(records=records, place={"project": project, "page": page + 1})
        following = next((found for found in self.projects if found > project), None)
        return Batch(records=records, place={"project": following, "page": 1} if following else None)

    def get(self, external_id: str) -> SourceRecord | None:
        project, _, own = external_id.partition("/")
        item = self.found(f"Projects/{project}/{self.part}/{own}") if own else None
        return self.record(item) if item else None

    def record(self, item: JsonDict) -> SourceRecord:
        return SourceRecord(external_id=f"{item['projectId']}/{item[self.id_field]}", data=item)


class TaskStream(PartStream):
    part = "Tasks"
    id_field = "taskId"


class TimeStream(PartStream):
    part = "Time"
    id_field = "timeEntryId"

    def record(self, item: JsonDict) -> SourceRecord:
        """Without our mark, which is nothing people wrote."""
        text = item.get("description") or ""
        return super().record({**item, "description": text.partition(MARK)[0].strip() or None, "marked": text})


class ProjectsApiSink(SingleSink, Removing):
    """A create is sent with its key, which Xero remembers for some minutes, and looked for before: later it knows nothing."""

    connector: XeroConnector

    def create(self, request: WriteRequest) -> str:
        found = self.existing(request)
        if found is not None:
            return found.external_id
        made = self.send("POST", self.place(request), self.values(request), key=request.key)
        return self.made_id(request, made)

    @abstractmethod
    def existing(self, request: WriteRequest) -> SourceRecord | None:
        """What the create would double."""

    @abstractmethod
    def place(self, request: WriteRequest) -> str:
        """Where it is created."""

    @abstractmethod
    def values(self, request: WriteRequest) -> JsonDict:
        """The body, as Xero nests it."""

    @abstractmethod
    def made_id(self, request: WriteRequest, made: JsonDict) -> str:
        """The id of what was made."""

    def resolve(self, key: str) -> SourceRecord | None:
        """Nothing carries the key: the create itself, repeated, finds what it made."""
        return None

    def send(self, method: str, path: str, body: JsonDict, *, key: str) -> JsonDict:
        headers = {**self.connector.tenant_header(), "idempotency-key": f"{key}-{method.lower()}"}
        return self.connector.client.request(method, f"{API}/{path}", json=body, headers=headers) or {}

    def first(self, stream: PassStream, fits: Any) -> SourceRecord | None:
        pages = stream.read(checkpoint=None, page_size=500)
        return next((record for page in pages for record in page.records if fits(record.data)), None)


class ProjectSink(ProjectsApiSink):
    """Known again by customer and name. A project is closed, never deleted: its time stays."""

    checks: ClassVar = {"name": lambda data: data["name"]}

    def __init__(self, connector: XeroConnector) -> None:
        super().__init__(connector, ProjectStream(connector))

    def existing(self, request: WriteRequest) -> SourceRecord | None:
        wanted = (request.payload["contactId"], request.payload["name"])
        return self.first(ProjectStream(self.connector), lambda data: (data.get("contactId"), data["name"]) == wanted)

    def place(self, request: WriteRequest) -> str:
        return "Projects"

    def values(self, request: WriteRequest) -> JsonDict:
        values = {k: v for k, v in request.payload.items() if v is not None and k != "status"}
        if "estimateAmount" in values:
            values["estimateAmount"] = float(values["estimateAmount"])
        return values

    def create(self, request: WriteRequest) -> str:
        external_id = super().create(request)
        self._settle(external_id, request)
        return external_id

    def made_id(self, request: WriteRequest, made: JsonDict) -> str:
        return str(made["projectId"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        # A closed project is not changed.
        self._settle(external_id, request, only="INPROGRESS")
        body = {name: value for name, value in self.values(request).items() if name != "contactId"}
        self.send("PUT", f"Projects/{external_id}", body, key=request.key)
        self._settle(external_id, request)

    def _settle(self, external_id: str, request: WriteRequest, *, only: str = "") -> None:
        wanted = request.payload.get("status")
        held = self.get(external_id)
        if held is None or not wanted or held.data["status"] == wanted or (only and wanted != only):
            return
        self.send("PATCH", f"Projects/{external_id}", {"status": wanted}, key=request.key)

    def remove(self, external_id: str) -> None:
        self.send("PATCH", f"Projects/{external_id}", {"status": CLOSED}, key=f"close-{external_id}")

    def is_gone(self, record: SourceRecord) -> bool:
        return bool(record.data["status"] == CLOSED)


class PartSink(ProjectsApiSink):
    part: ClassVar[str]
    id_field: ClassVar[str]

    def place(self, request: WriteRequest) -> str:
        return f"Projects/{project_of(request)}/{self.part}"

    def made_id(self, request: WriteRequest, made: JsonDict) -> str:
        return f"{project_of(request)}/{made[self.id_field]}"

    def update(self, external_id: str, request: WriteRequest) -> None:
        self.send("PUT", self._own(external_id), self.values(request), key=request.key)

    def remove(self, external_id: str) -> None:
        """Xero keeps what is invoiced."""
        path = f"{API}/{self._own(external_id)}"
        self.connector.client.delete(path, headers=self.connector.tenant_header(), expects_json=False)

    def _own(self, external_id: str) -> str:
        project, _, own = external_id.partition("/")
        return f"Projects/{project}/{self.part}/{own}"

    def siblings(self, request: WriteRequest, stream: PartStream) -> PartStream:
        """The same list, of the request's project alone."""
        stream.__dict__["projects"] = [project_of(request)]
        return stream


class TaskSink(PartSink):
    part = "Tasks"
    id_field = "taskId"
    checks: ClassVar = {"name": lambda data: data["name"]}

    def __init__(self, connector: XeroConnector) -> None:
        super().__init__(connector, TaskStream(connector))

    def existing(self, request: WriteRequest) -> SourceRecord | None:
        stream = self.siblings(request, TaskStream(self.connector))
        return self.first(stream, lambda data: data["name"] == request.payload["name"])

    def values(self, request: WriteRequest) -> JsonDict:
        """What a task costs is the bookkeeper's: a new one is charged by time at the connection's rate, an old one as it is."""
        held = self.get(request.external_id) if request.external_id else None
        currency = self._currency(request)
        rate = {"currency": currency, "value": float(self.connector.context.settings.get("task_rate") or 0)}
        values: JsonDict = {"name": request.payload["name"], "rate": rate, "chargeType": "TIME"}
        if held is not None:
            values |= {"rate": held.data["rate"], "chargeType": held.data["chargeType"]}
        if request.payload.get("estimateMinutes") is not None:
            values["estimateMinutes"] = int(request.payload["estimateMinutes"])
        return values

    def _currency(self, request: WriteRequest) -> str:
        project = ProjectStream(self.connector).get(project_of(request))
        if project is None:
            raise RecordRejected("the project is not in Xero", code="not_found")
        return str(project.data["currencyCode"])


class TimeSink(PartSink):
    """The mark ends the description: the one text a time entry has."""

    part = "Time"
    id_field = "timeEntryId"
    checks: ClassVar = {"duration": lambda data: data["duration"]}

    def __init__(self, connector: XeroConnector) -> None:
        super().__init__(connector, TimeStream(connector))

    def existing(self, request: WriteRequest) -> SourceRecord | None:
        stream = self.siblings(request, TimeStream(self.connector))
        return self.first(stream, lambda data: mark(request.key) in data["marked"])

    def values(self, request: WriteRequest) -> JsonDict:
        payload = request.payload
        held = self.get(request.external_id) if request.external_id else None
        _, opened, rest = (held.data["marked"] if held else mark(request.key)).partition(MARK)
        return {
            "userId": payload["userId"],
            "taskId": str(payload["task"]).rpartition("/")[2],
            "dateUtc": f"{payload['date']}T00:00:00Z",
            "duration": int(payload["duration"]),
            "description": f"{payload.get('description') or ''} {opened}{rest}".strip(),
        }


def project_of(request: WriteRequest) -> str:
    """Of the task where time is booked, or of the task itself. Raises RecordRejected."""
    payload = request.payload
    external_id = str(request.external_id or payload.get("project") or payload.get("task") or "")
    if not external_id:
        raise RecordRejected("in Xero this belongs to a project", code="required")
    return external_id.partition("/")[0]


def mark(key: str) -> str:
    return f"{MARK}{key}]"
