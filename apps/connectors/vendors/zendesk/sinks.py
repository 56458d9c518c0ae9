"""Writing Zendesk. Everything there has an external id: organizations and people are made or found by it in one call."""

from __future__ import annotations

from typing import Any, ClassVar

from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.zendesk.streams import ContactStream, OrganizationStream, TicketStream


class ZendeskSink(SingleSink, Removing):
    collection: ClassVar[str]
    singular: ClassVar[str]
    stream_type: ClassVar[Any]

    def __init__(self, connector: Any) -> None:
        super().__init__(connector, self.stream_type(connector))
        self.client = connector.client

    def create(self, request: WriteRequest) -> str:
        body = {self.singular: {**self.values(request), "external_id": request.key}}
        made = self.client.post(f"/api/v2/{self.collection}/create_or_update", json=body)[self.singular]
        return str(made["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        self.client.put(f"/api/v2/{self.collection}/{external_id}", json={self.singular: self.values(request)})

    def values(self, request: WriteRequest) -> JsonDict:
        return {name: value for name, value in request.payload.items() if value is not None}

    def resolve(self, key: str) -> SourceRecord | None:
        # Not the search, whose index lags behind.
        answer = self.client.get(f"/api/v2/{self.collection}/show_many", params={"external_ids": key})
        return self.found(answer[self.collection], key)

    def remove(self, external_id: str) -> None:
        """People and tickets can be restored for thirty days."""
        self.client.delete(f"/api/v2/{self.collection}/{external_id}", expects_json=False)

    def found(self, rows: list[JsonDict], key: str) -> SourceRecord | None:
        """The one with exactly this external id: Zendesk compares without regard to case."""
        held = next((row for row in rows if row.get("external_id") == key), None)
        return self.get(str(held["id"])) if held else None


class OrganizationSink(ZendeskSink):
    collection = "organizations"
    singular = "organization"
    stream_type = OrganizationStream
    checks: ClassVar = {"name": lambda data: data["name"]}


class ContactSink(ZendeskSink):
    """People are created, never "created or updated": that call finds by address too, and would rewrite an agent."""

    collection = "users"
    singular = "user"
    stream_type = ContactStream
    checks: ClassVar = {"name": lambda data: data["name"]}

    def create(self, request: WriteRequest) -> str:
        # Without it Zendesk mails a welcome to every person we bring.
        more = {"external_id": request.key, "role": "end-user", "skip_verify_email": True}
        made = self.client.post("/api/v2/users", json={"user": {**self.values(request), **more}})
        return str(made["user"]["id"])


class TicketSink(ZendeskSink):
    """The key is sent as Idempotency-Key, which Zendesk remembers for two hours, and kept as external id for later."""

    collection = "tickets"
    singular = "ticket"
    stream_type = TicketStream
    checks: ClassVar = {
        "subject": lambda data: data["subject"],
        "priority": lambda data: data["priority"],
        "status": lambda data: data["status"],
    }

    def create(self, request: WriteRequest) -> str:
        values = self.values(request)
        comment = values.pop("description", None) or values["subject"]
        body = {"ticket": {**values, "comment": {"body": comment}, "external_id": request.key}}
        made = self.client.post("/api/v2/tickets", json=body, headers={"Idempotency-Key": request.key})
        return str(made["ticket"]["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        # The description is the first comment and stays as it was written.
        values = {name: value for name, value in self.values(request).items() if name != "description"}
        self.client.put(f"/api/v2/tickets/{external_id}", json={"ticket": values})

    def resolve(self, key: str) -> SourceRecord | None:
        answer = self.client.get("/api/v2/tickets", params={"external_id": key})
        return self.found(answer["tickets"], key)
