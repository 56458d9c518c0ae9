"""Writing ConnectWise: new records whole, changes as JSON Patch, each read back."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.connectwise import streams

LOOK_BACK = timedelta(days=31)
WORK_BEGINS = time(9, 0)
DEFAULTS = {
    "closed_status": "Closed",
    "open_status": "New",
    "project_board": "Projects",
    "service_board": "Service",
    "billing_method": "ActualRates",
}


class ConnectWiseSink(SingleSink, Removing):
    stream_type: ClassVar[type[streams.ConnectWiseStream]]
    stream: streams.ConnectWiseStream

    def __init__(self, connector: Any) -> None:
        super().__init__(connector, self.stream_type(connector))
        self.client = connector.client

    def create(self, request: WriteRequest) -> str:
        return str(self.client.post(self.stream.path, json=self.created(request))["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        changes = self.changed(external_id, request)
        patch = [{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
        if patch:
            self.client.patch(f"{self.stream.path}/{external_id}", json=patch)

    def remove(self, external_id: str) -> None:
        """What ConnectWise does with what refers to it is not written anywhere we found; tickets are asked about first."""
        self.client.delete(f"{self.stream.path}/{external_id}", expects_json=False)

    def created(self, request: WriteRequest) -> JsonDict:
        """The new record."""
        return self.given(request)

    def changed(self, external_id: str, request: WriteRequest) -> JsonDict:
        """What a change replaces: path → value."""
        return self.given(request)

    def given(self, request: WriteRequest) -> JsonDict:
        return {name: value for name, value in request.payload.items() if value is not None}

    def setting(self, name: str) -> str:
        return str(self.connector.context.settings.get(name) or DEFAULTS[name])

    def recent(self, words: str, field: str) -> SourceRecord | None:
        """The record of the last month whose text holds these words: long texts cannot be searched there."""
        since = self.connector.context.now() - LOOK_BACK
        place: JsonDict = {}
        while True:
            batch = self.stream.fetch(since=since, place=place, size=self.stream.max_page)
            found = next((record for record in batch.records if words in (record.data.get(field) or "")), None)
            if found or batch.place is None:
                return found
            place = batch.place


def reference(object_id: Any) -> JsonDict:
    return {"id": int(object_id)}


def mark(key: str) -> str:
    return f"[sync_ref: {key}]"


class CompanySink(ConnectWiseSink):
    """Every company has an identifier that no other may have: letters people recognize, and a tail of ours."""

    stream_type = streams.CompanyStream
    checks: ClassVar = {"name": lambda data: data["name"]}

    def create(self, request: WriteRequest) -> str:
        try:
            return super().create(request)
        except RecordRejected:
            # Perhaps refused because an attempt whose answer was lost has taken the identifier.
            found = self.resolve(request.key)
            if found is None:
                raise
            return found.external_id

    def created(self, request: WriteRequest) -> JsonDict:
        letters = re.sub(r"[^A-Za-z0-9]", "", request.payload["name"])[:12]
        identifier = f"{letters}-{tail(request.key)}"
        return {**self.given(request), "identifier": identifier, "status": {"id": 1}, "site": {"name": "Main"}}

    def resolve(self, key: str) -> SourceRecord | None:
        found = self.stream.find(f'identifier contains "{tail(key)}"')
        return next((record for record in found if record.data["identifier"].endswith(f"-{tail(key)}")), None)


def tail(key: str) -> str:
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:8]


class ContactSink(ConnectWiseSink):
    """Nothing of a contact can carry a mark, so a create first looks for somebody with this address at the company."""

    stream_type = streams.ContactStream
    checks: ClassVar = {"firstName": lambda data: data["firstName"]}

    def create(self, request: WriteRequest) -> str:
        found = self.existing(request.payload)
        return found.external_id if found else super().create(request)

    def existing(self, payload: JsonDict) -> SourceRecord | None:
        """By address, else by name."""
        condition = f"company/id={int(payload['company'])}"
        for record in self.stream.find(f'{condition} and firstName="{quoted(payload["firstName"])}"'):
            data = record.data
            if payload.get("email"):
                if (data["email"] or "").lower() == payload["email"]:
                    return record
            elif (data.get("lastName") or None) == (payload.get("lastName") or None):
                return record
        return None

    def created(self, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        items = [item("Email", given.pop("email", None), 1), item("Phone", given.pop("phone", None), 2)]
        return {
            **given,
            "company": reference(given["company"]),
            "communicationItems": [entry for entry in items if entry],
        }

    def changed(self, external_id: str, request: WriteRequest) -> JsonDict:
        names = ("firstName", "lastName")
        return {name: request.payload[name] for name in names if request.payload.get(name) is not None}

    def resolve(self, key: str) -> SourceRecord | None:
        """Nothing carries the key: the create itself, repeated, finds what it made."""
        return None


def item(kind: str, value: str | None, type_id: int) -> JsonDict | None:
    """Types 1 and 2 are the address and the direct line of every installation."""
    if not value:
        return None
    return {"type": {"id": type_id}, "value": value, "communicationType": kind, "defaultFlag": True}


def quoted(text: str) -> str:
    """Inside the quotes of a condition."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


class ProjectSink(ConnectWiseSink):
    """The mark is in the project's description."""

    stream_type = streams.ProjectStream
    checks: ClassVar = {"name": lambda data: data["name"], "closed": lambda data: data["closed"]}

    def created(self, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        today = self.connector.context.now().date()
        begin = given.get("estimatedStart") or today.isoformat()
        return {
            "name": given["name"],
            "company": reference(given["company"]),
            "board": {"name": self.setting("project_board")},
            "billingMethod": self.setting("billing_method"),
            "estimatedStart": instant(begin),
            # Both dates are required; a plan without an end is one of a year.
            "estimatedEnd": instant(given.get("estimatedEnd") or after_a_year(begin)),
            "description": mark(request.key),
            "status": {"name": self.setting("closed_status" if given.get("closed") else "open_status")},
        }

    def changed(self, external_id: str, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        changes: JsonDict = {name: instant(given[name]) for name in ("estimatedStart", "estimatedEnd") if name in given}
        current = self.stream.get(external_id)
        if current and current.data["closed"] != bool(given.get("closed")):
            changes["status"] = {"name": self.setting("closed_status" if given.get("closed") else "open_status")}
        return {"name": given["name"], **changes}

    def resolve(self, key: str) -> SourceRecord | None:
        return self.recent(mark(key), "description")

    def is_gone(self, record: SourceRecord) -> bool:
        return bool(record.data["closed"])

    def remove(self, external_id: str) -> None:
        """Closed: a deleted project would take its phases, its tickets and what was planned along."""
        patch = [{"op": "replace", "path": "status", "value": {"name": self.setting("closed_status")}}]
        self.client.patch(f"{self.stream.path}/{external_id}", json=patch)


def instant(day: str) -> str:
    return f"{day}T00:00:00Z"


def after_a_year(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=365)).isoformat()


class TicketedSink(ConnectWiseSink):
    charge_type: ClassVar[str]

    def remove(self, external_id: str) -> None:
        """Raises RecordRejected for a ticket that time or expenses are booked on, whatever ConnectWise would do."""
        condition = f'chargeToId={int(external_id)} and chargeToType="{self.charge_type}"'
        for path, name in (("/time/entries", "time entries"), ("/expense/entries", "expenses")):
            # Any row at all: where the condition is ignored, nothing is deleted either.
            if self.client.get(path, params={"conditions": condition, "pageSize": 1}):
                raise RecordRejected(f"The ticket has {name}, which deleting it might take along.", code="in_use")
        super().remove(external_id)

    """What tickets of both kinds have in common."""

    def changed(self, external_id: str, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        changes: JsonDict = {"summary": given["summary"]}
        if given.get("budgetHours") is not None:
            changes["budgetHours"] = float(given["budgetHours"])
        current = self.stream.get(external_id)
        if current and bool(current.data.get("closedFlag")) != given["closedFlag"]:
            changes["status"] = {"name": self.setting("closed_status" if given["closedFlag"] else "open_status")}
        return changes

    def status(self, given: JsonDict) -> JsonDict:
        return {"status": {"name": self.setting("closed_status")}} if given["closedFlag"] else {}


class TaskSink(TicketedSink):
    """No field of a project's ticket takes a reference, so a create first looks for the ticket of that name there."""

    stream_type = streams.ProjectTicketStream
    charge_type = "ProjectTicket"
    checks: ClassVar = {
        "summary": lambda data: data["summary"],
        "closedFlag": lambda data: bool(data.get("closedFlag")),
    }

    def created(self, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        hours = {"budgetHours": float(given["budgetHours"])} if "budgetHours" in given else {}
        return {"summary": given["summary"], "project": reference(given["project"]), **hours, **self.status(given)}

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        found = self.stream.find(f'project/id={int(payload["project"])} and summary="{quoted(payload["summary"])}"')
        return found[0].external_id if found and payload["summary"] else super().create(request)

    def resolve(self, key: str) -> SourceRecord | None:
        """Nothing carries the key: the create itself, repeated, finds what it made."""
        return None


class TicketSink(TicketedSink):
    """Service tickets have a field for other systems' references."""

    stream_type = streams.ServiceTicketStream
    charge_type = "ServiceTicket"
    checks: ClassVar = TaskSink.checks

    def created(self, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        contact = {"contact": reference(given["contact"])} if given.get("contact") else {}
        return {
            "summary": given["summary"],
            "initialDescription": given.get("description") or given["summary"],
            "company": reference(given["company"]),
            "board": {"name": self.setting("service_board")},
            **contact,
            **self.status(given),
            "externalXRef": request.key,
        }

    def resolve(self, key: str) -> SourceRecord | None:
        found = self.stream.find(f'externalXRef="{quoted(key)}"')
        return next((record for record in found if record.data.get("externalXRef") == key), None)


class TimeEntrySink(ConnectWiseSink):
    """The mark is in the internal notes, which no customer sees."""

    stream_type = streams.TimeEntryStream
    checks: ClassVar = {"work_date": lambda data: data["work_date"]}

    def created(self, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        return {
            **self.changed("", request),
            "chargeToId": int(given["task"]),
            "chargeToType": "ProjectTicket",
            "member": reference(given["member"]),
            "internalNotes": mark(request.key),
        }

    def changed(self, external_id: str, request: WriteRequest) -> JsonDict:
        given = self.given(request)
        notes = {"notes": given["notes"]} if "notes" in given else {}
        return {
            "timeStart": self.begin(given["work_date"]),
            "actualHours": float(given["hours"]),
            "billableOption": "Billable" if given["billable"] else "DoNotBill",
            **notes,
        }

    def begin(self, day: str) -> str:
        """The morning of that day where the company is; an entry needs a time, and the canonical one has none."""
        local = datetime.combine(date.fromisoformat(day), WORK_BEGINS, tzinfo=self.connector.zone)
        return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def resolve(self, key: str) -> SourceRecord | None:
        return self.recent(mark(key), "internalNotes")
