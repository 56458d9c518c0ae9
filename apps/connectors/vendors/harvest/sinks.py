"""Writing Harvest, one record per call.

Only time entries can carry a reference of ours, and projects a note. For the rest a create looks first for what it would
make: Harvest allows one client of a name, one assignment of a task or person per project, and we one contact per address.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.passes import stamp
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.harvest import streams

# How far back a create whose answer was lost is looked for.
LOOK_BACK = timedelta(days=31)


class HarvestSink(SingleSink, Removing):
    stream_type: ClassVar[type[streams.HarvestStream]]
    stream: streams.HarvestStream

    def __init__(self, connector: Any) -> None:
        super().__init__(connector, self.stream_type(connector))
        self.client = connector.client

    def create(self, request: WriteRequest) -> str:
        made = self.client.post(f"/v2/{self.stream.collection}", json=self.values(request))
        return self.stream.id_of(made)

    def update(self, external_id: str, request: WriteRequest) -> None:
        changed = {name: value for name, value in self.values(request).items() if name not in self.fixed}
        self.client.patch(f"/v2/{self.stream.path(external_id)}", json=changed)

    # Values that an update may not carry.
    fixed: ClassVar[tuple[str, ...]] = ()

    def values(self, request: WriteRequest) -> JsonDict:
        return {name: value for name, value in request.payload.items() if value is not None}

    def remove(self, external_id: str) -> None:
        """Harvest refuses what work was booked on."""
        self.client.delete(f"/v2/{self.stream.path(external_id)}", expects_json=False)

    def resolve(self, key: str) -> SourceRecord | None:
        """Nothing carries the key: the create itself, repeated, finds what it made."""
        return None

    def listed(self, collection: str, **params: Any) -> Iterator[JsonDict]:
        """Every row of a list."""
        answer = self.client.get(f"/v2/{collection}", params=params)
        while True:
            yield from answer[collection.rpartition("/")[2]]
            following = answer["links"]["next"]
            if not following:
                return
            answer = self.client.get(streams.path_of(following, collection))


class FindingSink(HarvestSink, ABC):
    """Looks for what it is about to make, and makes it only if it is not there."""

    def create(self, request: WriteRequest) -> str:
        found = self.existing(request.payload)
        return self.stream.id_of(found) if found else super().create(request)

    @abstractmethod
    def existing(self, payload: JsonDict) -> JsonDict | None:
        """The row that the create would double."""


class ArchivingSink(HarvestSink):
    """Clients and projects are archived: a deleted project would take the time and expenses booked on it along."""

    def is_gone(self, record: SourceRecord) -> bool:
        return record.data["is_active"] is False

    def remove(self, external_id: str) -> None:
        self.client.patch(f"/v2/{self.stream.path(external_id)}", json={"is_active": False})


class ClientSink(ArchivingSink, FindingSink):
    stream_type = streams.ClientStream
    checks: ClassVar = {"is_active": lambda data: data["is_active"]}

    def existing(self, payload: JsonDict) -> JsonDict | None:
        name = payload["name"].casefold()
        return next((row for row in self.listed("clients") if row["name"].casefold() == name), None)


class ContactSink(FindingSink):
    stream_type = streams.ContactStream
    checks: ClassVar = {"email": lambda data: (data["email"] or "").lower()}
    fixed = ("client_id",)

    def existing(self, payload: JsonDict) -> JsonDict | None:
        rows = self.listed("contacts", client_id=payload["client_id"])
        return next((row for row in rows if identity(row) == identity(payload)), None)


def identity(contact: JsonDict) -> tuple[str, ...]:
    """Who a contact is, among those of one client."""
    if contact.get("email"):
        return (contact["email"].lower(),)
    return ((contact.get("first_name") or "").lower(), (contact.get("last_name") or "").lower())


class ProjectSink(ArchivingSink):
    """The mark is in the project's notes."""

    stream_type = streams.ProjectStream
    checks: ClassVar = {"name": lambda data: data["name"], "is_active": lambda data: data["is_active"]}
    defaults: ClassVar[JsonDict] = {"is_billable": True, "bill_by": "Tasks", "budget_by": "none"}

    def create(self, request: WriteRequest) -> str:
        body = {**self.defaults, **self.values(request), "notes": mark(request.key)}
        return str(self.client.post("/v2/projects", json=body)["id"])

    def values(self, request: WriteRequest) -> JsonDict:
        values = super().values(request)
        budget = values.pop("budget", None)
        # A budget of money is a project's cost budget; hours would be another kind.
        return {**values, "budget_by": "project_cost", "cost_budget": float(budget)} if budget else values

    def resolve(self, key: str) -> SourceRecord | None:
        since = stamp(self.connector.context.now() - LOOK_BACK)
        held = (row for row in self.listed("projects", updated_since=since) if mark(key) in (row["notes"] or ""))
        found = next(held, None)
        return self.stream.record(found) if found else None


def mark(key: str) -> str:
    return f"[sync_ref: {key}]"


class ProjectPartSink(FindingSink):
    """Assignments: made and changed under their project."""

    # (key in the payload, object in the row) of what is assigned.
    assigned: ClassVar[tuple[str, str]]

    def existing(self, payload: JsonDict) -> JsonDict | None:
        key, name = self.assigned
        rows = self.listed(f"projects/{payload['project_id']}/{self.stream.collection}")
        return next((row for row in rows if str(row[name]["id"]) == str(payload[key])), None)

    def create(self, request: WriteRequest) -> str:
        found = self.existing(request.payload)
        if found:
            return self.stream.id_of(found)
        path = f"/v2/projects/{request.payload['project_id']}/{self.stream.collection}"
        return self.stream.id_of(self.client.post(path, json=self.values(request)))

    def values(self, request: WriteRequest) -> JsonDict:
        return {name: value for name, value in super().values(request).items() if name != "project_id"}


class AssignmentSink(ProjectPartSink):
    stream_type = streams.UserAssignmentStream
    assigned = ("user_id", "user")
    checks: ClassVar = {"is_active": lambda data: data["is_active"]}
    fixed = ("user_id",)

    def values(self, request: WriteRequest) -> JsonDict:
        values = super().values(request)
        rate = values.pop("hourly_rate", None)
        # A rate of one's own is passed over in silence while the defaults are in use.
        return {**values, "use_default_rates": False, "hourly_rate": float(rate)} if rate else values


class TaskSink(ProjectPartSink):
    """A task in a project: the shared task of that name, made if there is none, and its assignment.

    The name belongs to all projects that use the task, so an update cannot rename it; `checks` tells.
    """

    stream_type = streams.TaskAssignmentStream
    assigned = ("task_id", "task")
    checks: ClassVar[dict[str, Callable[[JsonDict], Any]]] = {
        "name": lambda data: data["task"]["name"],
        "is_active": lambda data: data["is_active"],
    }
    fixed = ("task_id",)

    def create(self, request: WriteRequest) -> str:
        return super().create(self._with_task(request))

    def values(self, request: WriteRequest) -> JsonDict:
        return {name: value for name, value in super().values(request).items() if name != "name"}

    def _with_task(self, request: WriteRequest) -> WriteRequest:
        payload = {**request.payload, "task_id": self._task(request.payload["name"])}
        return WriteRequest(key=request.key, payload=payload)

    def _task(self, name: str) -> int:
        if not name:
            raise RecordRejected("a task needs a name", code="blank")
        rows = self.listed("tasks", is_active="true")
        found = next((row for row in rows if row["name"].casefold() == name.casefold()), None)
        return int((found or self.client.post("/v2/tasks", json={"name": name}))["id"])


class TimeEntrySink(HarvestSink):
    """The key is the entry's external reference, which Harvest filters by."""

    stream_type = streams.TimeEntryStream
    checks: ClassVar = {"spent_date": lambda data: data["spent_date"]}
    fixed = ("user_id", "external_reference")

    def create(self, request: WriteRequest) -> str:
        body = {**self.values(request), "external_reference": {"id": request.key, "group_id": "sync"}}
        return str(self.client.post("/v2/time_entries", json=body)["id"])

    def values(self, request: WriteRequest) -> JsonDict:
        values = super().values(request)
        assignment = values.pop("task", None)
        if assignment:
            values["task_id"] = self._task_id(assignment)
        return {**values, "hours": float(values["hours"])}

    def _task_id(self, assignment: str) -> int:
        found = streams.TaskAssignmentStream(self.connector).get(assignment)
        if found is None:
            raise RecordRejected("the task is no longer assigned to the project", code="not_found", status=404)
        return int(found.data["task"]["id"])

    def resolve(self, key: str) -> SourceRecord | None:
        return streams.TimeEntryStream(self.connector).find_referenced(key)
