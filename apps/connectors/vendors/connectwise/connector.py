"""One company's ConnectWise PSA."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.connectors.sdk.auth import BasicAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.types import CheckResult, JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import id_text, require_signature, take_apart
from apps.connectors.vendors.connectwise import sinks, streams
from apps.connectors.vendors.connectwise.manifest import MANIFEST

PATH = "/v4_6_release/apis/3.0"
# Callback types; tickets are told apart by their record type.
SUBJECTS = {
    "company": "companies",
    "contact": "contacts",
    "project": "projects",
    "ticket": "tickets",
    "time": "time_entries",
    "expense": "expenses",
    "member": "members",
}


def describe_error(data: Any) -> ErrorText:
    """`{code, message, errors: [{field, message}]}`."""
    details = [f"{entry.get('field') or ''}: {entry['message']}".lstrip(": ") for entry in data.get("errors") or []]
    return ErrorText("; ".join([data["message"], *details]), data.get("code", ""))


class ConnectWiseConnector(Connector):
    manifest = MANIFEST
    stream_types = {
        "companies": streams.CompanyStream,
        "contacts": streams.ContactStream,
        "members": streams.MemberStream,
        "projects": streams.ProjectStream,
        "tasks": streams.ProjectTicketStream,
        "tickets": streams.ServiceTicketStream,
        "time_entries": streams.TimeEntryStream,
        "expenses": streams.ExpenseStream,
    }
    sink_types = {
        "companies": sinks.CompanySink,
        "contacts": sinks.ContactSink,
        "projects": sinks.ProjectSink,
        "tasks": sinks.TaskSink,
        "tickets": sinks.TicketSink,
        "time_entries": sinks.TimeEntrySink,
    }

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        settings = context.settings
        user = f"{settings.get('company_id', '')}+{settings.get('public_key', '')}"
        self.client = VendorClient(
            context,
            f"{str(settings['base_url']).rstrip('/')}{PATH}",
            BasicAuth(user, context.credentials.get("private_key", "")),
            ErrorTable(describe=describe_error),
            headers={"clientid": str(settings.get("client_id", ""))},
        )

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        self.client.get("/company/companies", params={"pageSize": 1})
        _ = self.zone
        company = str(self.context.settings["company_id"])
        return CheckResult(account_id=company, account_name=f"ConnectWise {company}")

    @cached_property
    def closed_project_statuses(self) -> set[int]:
        """Ids of the statuses that mean the end of a project: each company names its own."""
        rows = self.client.get("/project/statuses", params={"pageSize": 1000})
        return {row["id"] for row in rows if row["closedFlag"]}

    @property
    def zone(self) -> ZoneInfo:
        """Where the company's days begin. Raises ConfigurationError."""
        name = str(self.context.settings.get("time_zone") or "UTC")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigurationError(f"{name!r} is no time zone", code="time_zone") from None

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """Base64 HMAC-SHA256 of the body, keyed with the SHA-256 of the signing key. No time is signed."""
        key = hashlib.sha256(secret.encode()).digest()
        expected = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        require_signature(expected=expected, given=headers.get("x-content-signature", ""))
        return take_apart(body, lambda payload: _events(payload, hashlib.sha256(body).hexdigest()))


def _events(payload: JsonDict, digest: str) -> list[WebhookEvent]:
    stream = SUBJECTS.get(payload["Type"].lower())
    if stream == "tickets" and '"ProjectTicket"' in (payload.get("Entity") or ""):
        stream = "tasks"
    if stream is None:
        return []
    return [
        WebhookEvent(
            event_id=id_text(payload.get("MessageId") or digest),
            account_id=id_text(payload["CompanyId"]) if payload.get("CompanyId") else "",
            stream=stream,
            external_id=id_text(payload["ID"]) if "ID" in payload else "",
        )
    ]
