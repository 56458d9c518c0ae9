"""One Asana workspace, as one of its members sees it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector, Handshake
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError, TransientError
from apps.connectors.sdk.passes import moment
from apps.connectors.sdk.types import CheckResult, JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import hmac_sha256_hex, id_text, require_signature, take_apart
from apps.connectors.vendors.asana.manifest import BASE_URL, MANIFEST
from apps.connectors.vendors.asana.sinks import MilestoneSink, ProjectSink, TaskSink
from apps.connectors.vendors.asana.streams import (
    MilestoneStream,
    ProjectStream,
    TaskStream,
    TimeEntryStream,
    UserStream,
)

SUBJECTS = {"task": "tasks", "project": "projects", "user": "users", "time_tracking_entry": "time_entries"}


def describe_error(data: Any) -> ErrorText:
    """`{errors: [{message, help, phrase}]}`."""
    return ErrorText("; ".join(entry["message"] for entry in data["errors"]))


class AsanaConnector(Connector):
    manifest = MANIFEST
    stream_types = {
        "projects": ProjectStream,
        "users": UserStream,
        "tasks": TaskStream,
        "milestones": MilestoneStream,
        "time_entries": TimeEntryStream,
    }
    sink_types = {"projects": ProjectSink, "tasks": TaskSink, "milestones": MilestoneSink}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.client = VendorClient(
            context,
            str(context.settings.get("base_url") or BASE_URL),
            BearerAuth(context.credentials.get("access_token", "")),
            # 412 asks to begin anew with another token.
            ErrorTable(describe=describe_error, overrides={412: TransientError}),
        )

    def close(self) -> None:
        self.client.close()

    @property
    def workspace(self) -> str:
        return str(self.context.settings.get("workspace", ""))

    def check(self) -> CheckResult:
        me = self.client.get("/users/me", params={"opt_fields": "name,workspaces.name"})["data"]
        names = {workspace["gid"]: workspace["name"] for workspace in me["workspaces"]}
        if self.workspace not in names:
            listed = ", ".join(f"{name} ({gid})" for gid, name in names.items())
            raise ConfigurationError(
                f"the token sees no workspace {self.workspace}; it sees {listed}", code="workspace"
            )
        return CheckResult(account_id=self.workspace, account_name=f"Asana {names[self.workspace]} ({me['name']})")

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """Hex HMAC-SHA256 over the body. Events have no ids of their own; an empty list is a heartbeat."""
        given = headers.get("x-hook-signature", "")
        # Each hook has a secret of its own.
        expected = [hmac_sha256_hex(one, body) for one in secret.split()]
        fitting = [one for one in expected if hmac.compare_digest(one.encode(), given.encode())]
        require_signature(expected=(fitting or expected)[-1], given=given)
        digest = hashlib.sha256(body).hexdigest()[:32]
        return take_apart(body, lambda data: _events(data["events"], digest))

    @classmethod
    def webhook_handshake(cls, headers: Mapping[str, str]) -> Handshake | None:
        """Asana offers a secret when a hook is made and wants to see it again."""
        secret = headers.get("x-hook-secret")
        return Handshake(secret=secret, answer={"X-Hook-Secret": secret}) if secret else None


def _events(given: list[JsonDict], digest: str) -> list[WebhookEvent]:
    return [event for number, entry in enumerate(given) if (event := _event(entry, f"{digest}:{number}"))]


def _event(entry: JsonDict, event_id: str) -> WebhookEvent | None:
    resource = entry["resource"]
    stream = SUBJECTS.get(resource["resource_type"])
    if stream is None:
        return None
    if resource.get("resource_subtype") == "milestone":
        stream = "milestones"
    return WebhookEvent(
        event_id=event_id,
        stream=stream,
        external_id=id_text(resource["gid"]),
        occurred_at=moment(entry.get("created_at")),
    )
