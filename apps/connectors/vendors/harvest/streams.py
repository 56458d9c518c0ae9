"""Reading Harvest: every list can be filtered by change and is walked by the links it gives."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from apps.connectors.sdk.passes import Batch, PassStream, moment, stamp
from apps.connectors.sdk.types import JsonDict, SourceRecord


class HarvestStream(PassStream):
    """`collection` is the path and the key of the list. The next page is asked by the link, never by counting."""

    collection: ClassVar[str]
    max_page: ClassVar[int] = 2000

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        if place:
            answer = self.connector.client.get(place["next"])
        else:
            params = {"per_page": size, "updated_since": stamp(since)}
            answer = self.connector.client.get(f"/v2/{self.collection}", params=params)
        following = answer["links"]["next"]
        return Batch(
            records=[self.record(row) for row in answer[self.collection]],
            place={"next": path_of(following, self.collection)} if following else None,
        )

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(f"/v2/{self.path(external_id)}")
        return self.record(found) if found else None

    def path(self, external_id: str) -> str:
        return f"{self.collection}/{external_id}"

    def record(self, row: JsonDict) -> SourceRecord:
        return SourceRecord(external_id=self.id_of(row), data=row, modified_at=moment(row["updated_at"]))

    def id_of(self, row: JsonDict) -> str:
        return str(row["id"])


def path_of(link: str, collection: str) -> str:
    """The link without its host: a checkpoint keeps the place, the connection says where the API lives."""
    return f"/v2/{collection}?{urlsplit(link).query}"


class ClientStream(HarvestStream):
    collection = "clients"


class ContactStream(HarvestStream):
    collection = "contacts"


class ProjectStream(HarvestStream):
    collection = "projects"


class UserStream(HarvestStream):
    collection = "users"

    def record(self, row: JsonDict) -> SourceRecord:
        # Rates and capacity are nobody else's business.
        shown = ("id", "first_name", "last_name", "email", "is_active", "is_contractor", "updated_at")
        return super().record({name: row.get(name) for name in shown})


class AssignmentStream(HarvestStream):
    """What belongs to a project is asked for by the project's id too: both make the external id, `<project>-<id>`."""

    def path(self, external_id: str) -> str:
        project, _, assignment = external_id.partition("-")
        return f"projects/{project}/{self.collection}/{assignment or 0}"

    def id_of(self, row: JsonDict) -> str:
        return f"{row['project']['id']}-{row['id']}"


class TaskAssignmentStream(AssignmentStream):
    """A task in a project. Harvest's tasks themselves are shared by all projects, like kinds of work."""

    collection = "task_assignments"


class UserAssignmentStream(AssignmentStream):
    collection = "user_assignments"


class TimeEntryStream(HarvestStream):
    collection = "time_entries"

    def find_referenced(self, key: str) -> SourceRecord | None:
        """The entry with this external reference."""
        answer = self.connector.client.get(f"/v2/{self.collection}", params={"external_reference_id": key})
        held = (row for row in answer[self.collection] if (row["external_reference"] or {}).get("id") == key)
        found = next(held, None)
        return self.record(found) if found else None


class ExpenseStream(HarvestStream):
    collection = "expenses"


class InvoiceStream(HarvestStream):
    collection = "invoices"
