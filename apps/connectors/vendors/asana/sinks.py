"""Writing Asana, one record per call. The mark is at the end of the notes: other places for it need an app of one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.asana.streams import (
    MILESTONE,
    AsanaStream,
    MilestoneStream,
    ProjectStream,
    TaskStream,
    every,
)

if TYPE_CHECKING:
    from apps.connectors.vendors.asana.connector import AsanaConnector

# How far back a create whose answer was lost is looked for.
LOOK_BACK = timedelta(days=31)


def mark(key: str) -> str:
    return f"[sync_ref: {key}]"


class AsanaSink(SingleSink, Removing):
    stream: AsanaStream

    def __init__(self, connector: AsanaConnector, stream: AsanaStream) -> None:
        super().__init__(connector, stream)
        self.client = connector.client

    def create(self, request: WriteRequest) -> str:
        body = {**self.created(request), "notes": mark(request.key)}
        return str(self.client.post(self.stream.path, json={"data": body})["data"]["gid"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        self.client.put(f"{self.stream.path}/{external_id}", json={"data": self.changed(request)})

    def remove(self, external_id: str) -> None:
        """To the trash of whoever's key it is, for thirty days."""
        self.client.delete(f"{self.stream.path}/{external_id}")

    def created(self, request: WriteRequest) -> JsonDict:
        return self.changed(request)

    def changed(self, request: WriteRequest) -> JsonDict:
        return {name: value for name, value in request.payload.items() if value is not None and name != "project"}


class ProjectSink(AsanaSink):
    checks: ClassVar = {"name": lambda data: data["name"], "archived": lambda data: data["archived"]}

    def __init__(self, connector: AsanaConnector) -> None:
        super().__init__(connector, ProjectStream(connector))

    def created(self, request: WriteRequest) -> JsonDict:
        team = self.connector.context.settings.get("team")
        # In an organization every project belongs to a team.
        home = {"team": str(team)} if team else {}
        return {**self.changed(request), "workspace": self.connector.workspace, **home}

    def resolve(self, key: str) -> SourceRecord | None:
        held = (record for record in every(self.stream) if mark(key) in (record.data.get("notes") or ""))
        return next(held, None)


class TaskSink(AsanaSink):
    checks: ClassVar = {"name": lambda data: data["name"], "completed": lambda data: data["completed"]}
    stream: TaskStream
    stream_type: ClassVar[type[TaskStream]] = TaskStream

    def __init__(self, connector: AsanaConnector) -> None:
        super().__init__(connector, self.stream_type(connector))

    def created(self, request: WriteRequest) -> JsonDict:
        return {**self.changed(request), "projects": [str(request.payload["project"])]}

    def resolve(self, key: str) -> SourceRecord | None:
        """Asana searches texts for paying customers only, and late: the last month's tasks are looked through."""
        since = self.connector.context.now() - LOOK_BACK
        place: JsonDict | None = {}
        while place is not None:
            batch = self.stream.fetch(since=since, place=place, size=self.stream.max_page)
            for record in batch.records:
                if mark(key) in (record.data.get("notes") or ""):
                    return record
            place = batch.place
        return None


class MilestoneSink(TaskSink):
    stream_type = MilestoneStream

    def created(self, request: WriteRequest) -> JsonDict:
        return {**super().created(request), "resource_subtype": MILESTONE}
