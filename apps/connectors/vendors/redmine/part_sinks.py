"""Writing versions and memberships, which are made below their project."""

from __future__ import annotations

from typing import Any, ClassVar

from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.redmine.parts import MembershipStream, VersionStream
from apps.connectors.vendors.redmine.sinks import mark

DEFAULT_ROLE = "Developer"


class VersionSink(SingleSink, Removing):
    """Milestones as versions; the mark is in the description."""

    stream: VersionStream
    checks: ClassVar = {
        "name": lambda data: data["name"],
        "status": lambda data: data["status"],
        "due_date": lambda data: data["due_date"],
    }

    def __init__(self, connector: Any) -> None:
        super().__init__(connector, VersionStream(connector))

    def create(self, request: WriteRequest) -> str:
        body = {"version": {**values(request.payload), "description": mark(request.key)}}
        path = f"/projects/{request.payload['project']}/versions.json"
        return str(self.connector.client.post(path, json=body)["version"]["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        self.connector.client.put(f"/versions/{external_id}.json", json={"version": values(request.payload)})

    def resolve(self, key: str) -> SourceRecord | None:
        return self.stream.find_described(mark(key))

    def remove(self, external_id: str) -> None:
        """Redmine keeps a version that issues belong to."""
        self.connector.client.delete(f"/versions/{external_id}.json", expects_json=False)


def values(payload: JsonDict) -> JsonDict:
    names = ("name", "status", "due_date")
    return {name: payload[name] for name in names if payload.get(name) is not None}


class MembershipSink(SingleSink, Removing):
    """A person is in a project once; a create finds the membership that is there."""

    stream: MembershipStream

    def __init__(self, connector: Any) -> None:
        super().__init__(connector, MembershipStream(connector))

    def create(self, request: WriteRequest) -> str:
        project, user = int(request.payload["project"]), int(request.payload["user"])
        found = self.stream.find_member(project, user)
        if found:
            return str(found["id"])
        body = {"membership": {"user_id": user, "role_ids": [self._role()]}}
        path = f"/projects/{project}/memberships.json"
        return str(self.connector.client.post(path, json=body)["membership"]["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        """The manifest declares no updates: roles are the customer's own affair."""

    def resolve(self, key: str) -> SourceRecord | None:
        """Nothing carries the key: the create itself, repeated, finds what it made."""
        return None

    def remove(self, external_id: str) -> None:
        self.connector.client.delete(f"/memberships/{external_id}.json", expects_json=False)

    def _role(self) -> int:
        name = str(self.connector.context.settings.get("role") or DEFAULT_ROLE)
        roles = {role["name"]: int(role["id"]) for role in self.connector.client.get("/roles.json")["roles"]}
        if name not in roles:
            raise ConfigurationError(f"Redmine has no role {name!r}; it has {', '.join(roles)}", code="role")
        return roles[name]
