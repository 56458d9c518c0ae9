"""One Zendesk, as one of its administrators sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.connectors.sdk.auth import BasicAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.passes import moment
from apps.connectors.sdk.types import CheckResult, JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import (
    ForgedWebhook,
    hmac_sha256_base64,
    id_text,
    require_fresh,
    require_signature,
    take_apart,
)
from apps.connectors.vendors.zendesk.manifest import MANIFEST
from apps.connectors.vendors.zendesk.sinks import ContactSink, OrganizationSink, TicketSink
from apps.connectors.vendors.zendesk.streams import (
    AgentStream,
    ContactStream,
    OrganizationStream,
    TicketStream,
)

END_USER = "end-user"


def describe_error(data: Any) -> ErrorText:
    """`{error, description, details: {field: [{description}]}}`, where `error` may be an object of its own."""
    error = data.get("error") or ""
    if isinstance(error, dict):
        return ErrorText(error.get("message") or error.get("title", ""), error.get("title", ""))
    fields = [entry["description"] for entries in (data.get("details") or {}).values() for entry in entries]
    return ErrorText("; ".join(fields) or data.get("description") or error, error)


class ZendeskConnector(Connector):
    manifest = MANIFEST
    stream_types = {
        "organizations": OrganizationStream,
        "contacts": ContactStream,
        "agents": AgentStream,
        "tickets": TicketStream,
    }
    sink_types = {"organizations": OrganizationSink, "contacts": ContactSink, "tickets": TicketSink}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.client = VendorClient(
            context,
            str(context.settings["base_url"]),
            BasicAuth(f"{context.settings.get('email', '')}/token", context.credentials.get("api_token", "")),
            ErrorTable(describe=describe_error),
        )

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """Zendesk answers "who am I" with 200 to strangers too: a user without an id."""
        me = self.client.get("/api/v2/users/me")["user"]
        if not me.get("id"):
            raise ConfigurationError("Zendesk does not know this email and token", code="anonymous", status=401)
        if me["role"] != "admin":
            raise ConfigurationError("the token's owner must be an administrator: exports need it", code="admin")
        account = self.client.get("/api/v2/account/settings")["settings"]
        name = account.get("branding", {}).get("name") or me["name"]
        return CheckResult(account_id=self.client.base_url, account_name=f"Zendesk {name}")

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """Base64 HMAC-SHA256 over the time stamp and the body, at most five minutes old."""
        timestamp = headers.get("x-zendesk-webhook-signature-timestamp", "")
        message = timestamp.encode() + body
        given = headers.get("x-zendesk-webhook-signature", "")
        require_signature(expected=hmac_sha256_base64(secret, message), given=given)
        sent_at = moment(timestamp)
        if sent_at is None:
            raise ForgedWebhook("the delivery carries no time stamp")
        require_fresh(sent_at, now=now)
        return take_apart(body, lambda payload: filter(None, [_event(payload)]))


def _event(payload: JsonDict) -> WebhookEvent | None:
    """`subject` reads "zen:ticket:35436"."""
    _, _, subject = payload["subject"].partition(":")
    kind, _, external_id = subject.partition(":")
    role = (payload.get("detail") or {}).get("role")
    people = "contacts" if role == END_USER else "agents"
    stream = {"ticket": "tickets", "organization": "organizations", "user": people}.get(kind)
    if stream is None:
        return None
    return WebhookEvent(
        event_id=id_text(payload["id"]),
        account_id=id_text(payload["account_id"]) if "account_id" in payload else "",
        stream=stream,
        external_id=external_id,
        occurred_at=moment(payload.get("time")),
    )
