"""Reading Asana: lists by opaque offsets, and only the fields that were asked for.

Tasks can be listed by project alone, so a pass walks from project to project. An offset lives for a while only; the pass
that outlived it reads the same list again from its start.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.passes import Batch, PassStream, moment, stamp
from apps.connectors.sdk.types import JsonDict, SourceRecord

MILESTONE = "milestone"
EVERYTHING_SINCE = "2000-01-01"


class AsanaStream(PassStream):
    path: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    incremental: ClassVar[bool] = False
    max_page: ClassVar[int] = 100

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        rows, following = self.page(self.filters(), place.get("offset"), size)
        return Batch(records=self.records(rows), place={"offset": following} if following else None)

    def filters(self) -> JsonDict:
        return {"workspace": self.connector.workspace}

    def page(self, filters: JsonDict, offset: str | None, size: int) -> tuple[list[JsonDict], str | None]:
        """The rows and the offset of the next page."""
        params = {**filters, "limit": size, "opt_fields": ",".join(self.fields)}
        try:
            answer = self.connector.client.get(self.path, params={**params, "offset": offset})
        except RecordRejected as error:
            if not offset or "token" not in error.message:
                raise
            answer = self.connector.client.get(self.path, params=params)
        return answer["data"], (answer.get("next_page") or {}).get("offset")

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        return [self.record(row) for row in rows]

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(f"{self.path}/{external_id}", params={"opt_fields": ",".join(self.fields)})
        return next(iter(self.records([found["data"]])), None) if found else None

    def record(self, row: JsonDict) -> SourceRecord:
        return SourceRecord(
            external_id=row["gid"],
            data=row,
            modified_at=moment(row.get("modified_at")),
            url=row.get("permalink_url") or "",
        )


class ProjectStream(AsanaStream):
    path = "/projects"
    fields = ("name", "archived", "completed", "start_on", "due_on", "notes", "modified_at", "permalink_url")


class UserStream(AsanaStream):
    path = "/users"
    fields = ("name", "email")


class TaskStream(AsanaStream):
    """Tasks of every project; one that stands in several is met several times and belongs to the first."""

    path = "/tasks"
    fields = (
        "name", "completed", "completed_at", "due_on", "assignee", "projects", "notes", "resource_subtype",
        "modified_at", "permalink_url",
    )  # fmt: skip
    incremental = True

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        project = next((found for found in self.projects if found >= place.get("project", "")), None)
        if project is None:
            return Batch(records=[])
        offset = place.get("offset") if project == place.get("project") else None
        rows, following = self.page({"project": project, "modified_since": stamp(since)}, offset, size)
        records = self.records(rows)
        if following:
            return Batch(records=records, place={"project": project, "offset": following})
        later = next((found for found in self.projects if found > project), None)
        return Batch(records=records, place={"project": later} if later else None)

    @cached_property
    def projects(self) -> list[str]:
        """Ids of all projects of the workspace, in order of their text."""
        return sorted(row.external_id for row in every(ProjectStream(self.connector)))

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        return [self.record(row) for row in rows if self.wanted(row)]

    def wanted(self, row: JsonDict) -> bool:
        return bool(row.get("resource_subtype") != MILESTONE)


class MilestoneStream(TaskStream):
    """A milestone is a task of another kind."""

    def wanted(self, row: JsonDict) -> bool:
        return bool(row.get("resource_subtype") == MILESTONE)


class TimeEntryStream(AsanaStream):
    """Time cannot be listed by change, and not without a day to begin with."""

    path = "/time_tracking_entries"
    fields = ("duration_minutes", "entered_on", "created_by", "attributable_to", "task", "approval_status")

    def filters(self) -> JsonDict:
        since = self.connector.context.settings.get("time_since") or EVERYTHING_SINCE
        return {"workspace": self.connector.workspace, "entered_on_start_date": since}


def every(stream: AsanaStream) -> list[SourceRecord]:
    """All records of a short list."""
    found: list[SourceRecord] = []
    place: JsonDict | None = {}
    while place is not None:
        batch: Any = stream.fetch(since=None, place=place, size=stream.max_page)
        found += batch.records
        place = batch.place
    return found
