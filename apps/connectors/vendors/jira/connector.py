"""One Jira site, as one of its users sees it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from apps.connectors.sdk.auth import BasicAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError
from apps.connectors.sdk.types import CheckResult, JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import hmac_sha256_hex, id_text, require_signature, take_apart
from apps.connectors.vendors.jira.manifest import MANIFEST
from apps.connectors.vendors.jira.sinks import IssueSink, ProjectSink, VersionSink
from apps.connectors.vendors.jira.streams import IssueStream, ProjectStream, UserStream, VersionStream
from apps.connectors.vendors.jira.worklogs import WorklogStream

# What a webhook event is about: prefix of its name → stream, and where the payload holds the object and its id.
SUBJECTS = {
    "jira:issue": ("issues", "issue", "id"),
    "worklog": ("worklogs", "worklog", "id"),
    "project": ("projects", "project", "id"),
    "jira:version": ("versions", "version", "id"),
    "user": ("users", "user", "accountId"),
}


def describe_error(data: Any) -> ErrorText:
    """Jira's `{errorMessages: [], errors: {field: message}}`."""
    fields = [f"{name}: {message}" for name, message in (data.get("errors") or {}).items()]
    return ErrorText("; ".join([*(data.get("errorMessages") or []), *fields]) or data.get("message", ""))


def refused_token(response: VendorResponse) -> type[ConnectorError] | None:
    """With a wrong token Jira answers what anybody may see as if nobody had signed in, and says so in this header."""
    if "FAILED" in response.headers.get("x-seraph-loginreason", ""):
        return ConfigurationError
    return None


class JiraConnector(Connector):
    manifest = MANIFEST
    stream_types = {
        "projects": ProjectStream,
        "issues": IssueStream,
        "versions": VersionStream,
        "users": UserStream,
        "worklogs": WorklogStream,
    }
    sink_types = {"projects": ProjectSink, "issues": IssueSink, "versions": VersionSink}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.client = VendorClient(
            context,
            str(context.settings["base_url"]),
            BasicAuth(str(context.settings.get("email", "")), context.credentials.get("api_token", "")),
            ErrorTable(describe=describe_error, classify=refused_token),
        )

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        site = self.client.get("/rest/api/3/serverInfo")
        name = self.myself["displayName"]
        return CheckResult(account_id=site["baseUrl"], account_name=f"{site.get('serverTitle') or 'Jira'} ({name})")

    @cached_property
    def myself(self) -> JsonDict:
        found: JsonDict = self.client.get("/rest/api/3/myself")
        return found

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the token's owner: Jira reads the times of a query in it."""
        return ZoneInfo(self.myself.get("timeZone") or "UTC")

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """WebSub's `sha256=<hex>` over the raw body, and nothing else: Atlassian's page "Webhooks" knows no signed time.

        So a delivery played again is told by its body: retries repeat it, and the header that names a delivery is not
        signed. What was stored once is not stored again; later than that, it could only make us read once more.
        """
        require_signature(expected=f"sha256={hmac_sha256_hex(secret, body)}", given=headers.get("x-hub-signature", ""))
        return take_apart(body, lambda payload: _events(payload, hashlib.sha256(body).hexdigest()))


def _events(payload: JsonDict, digest: str) -> list[WebhookEvent]:
    name = payload["webhookEvent"]
    subject = next((found for prefix, found in SUBJECTS.items() if name.startswith(f"{prefix}_")), None)
    if subject is None:
        return []
    stream, holder, id_field = subject
    return [
        WebhookEvent(
            event_id=digest,
            stream=stream,
            external_id=id_text(payload[holder][id_field]) if payload.get(holder) else "",
            occurred_at=datetime.fromtimestamp(payload["timestamp"] / 1000, tz=UTC),
        )
    ]
