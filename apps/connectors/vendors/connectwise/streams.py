"""Reading ConnectWise: filtered by its condition language, walked forward by id, which no change can shift."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from apps.connectors.sdk.client import Call
from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.paginators import LinkHeaderPaginator
from apps.connectors.sdk.passes import Batch, PassStream, moment
from apps.connectors.sdk.types import JsonDict, SourceRecord

# The condition has whole seconds.
SLACK = timedelta(seconds=2)


class ConnectWiseStream(PassStream):
    path: ClassVar[str]
    condition: ClassVar[str] = ""
    max_page: ClassVar[int] = 1000

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        link = place.get("next")
        params = {} if link else {"pageSize": size, "orderBy": "id asc", "conditions": self.conditions(since) or None}
        # Without this header pages are numbered, and a record that is deleted pulls the next ones forward.
        call = Call(method="GET", path=link or self.path, params=params, headers={"pagination-type": "forward-only"})
        response = self.connector.client.send(call)
        records = [self.record(row) for row in response.data]
        self._require_filter(records, since)
        links = LinkHeaderPaginator()
        links.update(response)
        following = f"{self.path}?{urlsplit(links.url).query}" if links.url else None
        return Batch(records=records, place={"next": following} if following else None)

    def conditions(self, since: datetime | None) -> str:
        found = [self.condition] if self.condition else []
        if since:
            found.append(f"lastUpdated>=[{since.strftime('%Y-%m-%dT%H:%M:%SZ')}]")
        return " and ".join(found)

    def get(self, external_id: str) -> SourceRecord | None:
        row = self.connector.client.find(f"{self.path}/{external_id}")
        return self.record(row) if row else None

    def find(self, condition: str) -> list[SourceRecord]:
        """The records that meet a condition, oldest first."""
        rows = self.connector.client.get(self.path, params={"conditions": condition, "orderBy": "id asc"})
        return [self.record(row) for row in rows]

    def record(self, row: JsonDict) -> SourceRecord:
        info = row.get("_info") or {}
        data = {name: value for name, value in row.items() if name not in ("_info", "customFields")}
        return SourceRecord(
            external_id=str(row["id"]),
            data={**data, **self.more(row)},
            modified_at=moment(info.get("lastUpdated")),
            deleted=bool(row.get("deletedFlag")),
        )

    def more(self, row: JsonDict) -> JsonDict:
        """What the row means, where it does not say so itself."""
        return {}

    def _require_filter(self, records: list[SourceRecord], since: datetime | None) -> None:
        if since and any(record.modified_at and record.modified_at < since - SLACK for record in records):
            raise FatalError("ConnectWise did not apply the condition on lastUpdated", code="filter")


class CompanyStream(ConnectWiseStream):
    path = "/company/companies"


class ContactStream(ConnectWiseStream):
    path = "/company/contacts"

    def more(self, row: JsonDict) -> JsonDict:
        items = row.get("communicationItems") or []
        return {"email": preferred(items, "Email"), "phone": preferred(items, "Phone")}


def preferred(items: list[JsonDict], kind: str) -> str | None:
    """The default way to reach somebody, else the first."""
    fitting = [item for item in items if item.get("communicationType") == kind]
    ranked = sorted(fitting, key=lambda item: not item.get("defaultFlag"))
    return ranked[0]["value"] if ranked else None


class MemberStream(ConnectWiseStream):
    path = "/system/members"

    def more(self, row: JsonDict) -> JsonDict:
        return {"email": row.get("primaryEmail") or row.get("officeEmail")}


class ProjectStream(ConnectWiseStream):
    path = "/project/projects"

    def more(self, row: JsonDict) -> JsonDict:
        if row.get("closedFlag") is not None:
            return {"closed": row["closedFlag"]}
        # Older versions tell it by the status alone.
        return {"closed": row["status"]["id"] in self.connector.closed_project_statuses}


class ProjectTicketStream(ConnectWiseStream):
    """The tasks of projects are tickets of their own kind."""

    path = "/project/tickets"


class ServiceTicketStream(ConnectWiseStream):
    """The list of the service desk holds the tickets of projects too."""

    path = "/service/tickets"
    condition = 'recordType="ServiceTicket"'

    def get(self, external_id: str) -> SourceRecord | None:
        found = super().get(external_id)
        return found if found and found.data.get("recordType") == "ServiceTicket" else None


class TimeEntryStream(ConnectWiseStream):
    path = "/time/entries"

    def more(self, row: JsonDict) -> JsonDict:
        started = moment(row["timeStart"])
        day = started.astimezone(self.connector.zone).date().isoformat() if started else None
        return {"work_date": day, **charged(row)}


class ExpenseStream(ConnectWiseStream):
    path = "/expense/entries"

    def more(self, row: JsonDict) -> JsonDict:
        return charged(row)


def charged(row: JsonDict) -> JsonDict:
    """What was worked on: a project's ticket; service tickets, charge codes and activities are no tasks."""
    task = row.get("chargeToId") if row.get("chargeToType") == "ProjectTicket" else None
    return {"task_id": task, "project_id": (row.get("project") or {}).get("id")}
