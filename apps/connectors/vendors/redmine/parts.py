"""What belongs to projects and is listed by project: versions, and who works where. Read in full each time."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.passes import Batch, PassStream, moment
from apps.connectors.sdk.types import JsonDict, SourceRecord
from apps.connectors.vendors.redmine.streams import MAX_PAGE, ProjectStream


class PartStream(PassStream):
    """Walks from project to project by id."""

    collection: ClassVar[str]
    singular: ClassVar[str]
    incremental: ClassVar[bool] = False
    max_page: ClassVar[int] = MAX_PAGE

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        project = next((found for found in self.projects if found >= place.get("project", 0)), None)
        if project is None:
            return Batch(records=[])
        offset = place.get("offset", 0) if project == place.get("project") else 0
        rows = self.listed(project, offset, size)
        records = [self.record(row) for row in rows if self.wanted(row, project)]
        if len(rows) == size:
            return Batch(records=records, place={"project": project, "offset": offset + size})
        return Batch(records=records, place={"project": project + 1} if project != self.projects[-1] else None)

    @cached_property
    def projects(self) -> list[int]:
        """Ids of all active and closed projects, ascending."""
        stream = ProjectStream(self.connector)
        return sorted(int(record.external_id) for page in stream.read(checkpoint=None) for record in page.records)

    def listed(self, project: int, offset: int, size: int) -> list[JsonDict]:
        """Rows of one project; none where its module is switched off, which Redmine answers with 403."""
        params = {"offset": offset, "limit": size}
        try:
            answer = self.connector.client.get(f"/projects/{project}/{self.collection}.json", params=params)
        except ConnectorError as error:
            if error.status not in (403, 404):
                raise
            return []
        rows: list[JsonDict] = answer[self.collection]
        return self.cut(rows, offset, size)

    def cut(self, rows: list[JsonDict], offset: int, size: int) -> list[JsonDict]:
        return rows

    @abstractmethod
    def wanted(self, row: JsonDict, project: int) -> bool:
        """Whether this row of the project's list is one of ours."""

    def get(self, external_id: str) -> SourceRecord | None:
        data = self.connector.client.find(f"/{self.collection}/{external_id}.json")
        return self.record(data[self.singular]) if data else None

    def record(self, row: JsonDict) -> SourceRecord:
        return SourceRecord(external_id=str(row["id"]), data=row, modified_at=moment(row.get("updated_on")))


class VersionStream(PartStream):
    collection = "versions"
    singular = "version"

    def cut(self, rows: list[JsonDict], offset: int, size: int) -> list[JsonDict]:
        """Redmine does not page versions: it gives all of them, whatever was asked."""
        return rows[offset : offset + size]

    def wanted(self, row: JsonDict, project: int) -> bool:
        """A version shared with other projects is listed in each of them, and belongs to one."""
        return bool(row["project"]["id"] == project)

    def find_described(self, mark: str) -> SourceRecord | None:
        for project in self.projects:
            for row in self.listed(project, 0, 10_000):
                if mark in (row.get("description") or ""):
                    return self.record(row)
        return None


class MembershipStream(PartStream):
    """People only: what a group may do shows in its members' own, inherited memberships."""

    collection = "memberships"
    singular = "membership"

    def wanted(self, row: JsonDict, project: int) -> bool:
        return "user" in row

    def get(self, external_id: str) -> SourceRecord | None:
        found = super().get(external_id)
        return found if found and "user" in found.data else None

    def find_member(self, project: int, user: int) -> JsonDict | None:
        """The membership of one person in one project."""
        offset = 0
        while True:
            rows = self.listed(project, offset, MAX_PAGE)
            found = next((row for row in rows if row.get("user", {}).get("id") == user), None)
            if found or len(rows) < MAX_PAGE:
                return found
            offset += MAX_PAGE
