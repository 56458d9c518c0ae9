"""One BottleCRM organization."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.numbers import unix_moment
from apps.connectors.sdk.types import CheckResult, JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import (
    ForgedWebhook,
    hmac_sha256_hex,
    id_text,
    require_fresh,
    require_signature,
    take_apart,
)
from apps.connectors.vendors.bottlecrm.manifest import MANIFEST
from apps.connectors.vendors.bottlecrm.objects import OBJECTS, BottleObject
from apps.connectors.vendors.bottlecrm.sinks import BottleSink
from apps.connectors.vendors.bottlecrm.streams import BottleStream

STREAM_OF_EVENT = {"account": "accounts", "contact": "contacts", "deal": "opportunities"}


def describe_error(data: Any) -> ErrorText:
    """`{"error": true, "errors": {field: [text]} | text}` or `"message"` of its views, `{"detail"}` of the framework."""
    errors = data.get("errors") or data.get("detail") or data.get("message") or ""
    if isinstance(errors, dict):
        errors = "; ".join(f"{field}: {_flat(problem)}" for field, problem in errors.items())
    return ErrorText(_flat(errors), str(data.get("code") or ""))


def _flat(problem: Any) -> str:
    return ", ".join(map(str, problem)) if isinstance(problem, list) else str(problem)


class BottleConnector(Connector):
    manifest = MANIFEST
    stream_types = {name: partial(BottleStream, bottle_object=found) for name, found in OBJECTS.items()}
    sink_types = {spec.name: partial(BottleSink, bottle_object=OBJECTS[spec.name]) for spec in MANIFEST.sinks}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.base_url = str(context.settings.get("base_url") or "").rstrip("/")
        auth = BearerAuth(context.credentials.get("api_key", ""))
        self.client = VendorClient(context, self.base_url, auth, ErrorTable(describe=describe_error))

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """Names the organization, and custom fields that neither exist nor may be added by this token."""
        org = self.organization
        for spec in MANIFEST.sinks:
            self.require_definitions(OBJECTS[spec.name])
        return CheckResult(account_id=str(org["id"]), account_name=org["name"])

    @cached_property
    def organization(self) -> JsonDict:
        found = self.client.get("/api/org/settings/")
        if not isinstance(found, dict) or "id" not in found:
            raise ConfigurationError("This address does not answer as BottleCRM.", code="not_bottlecrm")
        return found

    @property
    def currency(self) -> str | None:
        """The organization's own currency, for opportunities that name none."""
        return self.organization.get("default_currency") or None

    @cached_property
    def pipelines(self) -> list[JsonDict]:
        found: list[JsonDict] = self.client.get("/api/opportunities/pipelines/")["pipelines"]
        return found

    def require_definitions(self, found: BottleObject) -> None:
        """Add our custom fields that the organization lacks. BottleCRM drops values of unknown ones without a word."""
        answer = self.client.get(
            "/api/custom-fields/", params={"target_model": found.target, "include_counts": "false"}
        )
        active = {definition["key"] for definition in answer["definitions"] if definition["is_active"]}
        missing = [definition for definition in found.custom if definition["key"] not in active]
        try:
            for definition in missing:
                self._add_definition({**definition, "target_model": found.target})
        except ConfigurationError as error:
            names = ", ".join(definition["key"] for definition in missing)
            message = f"An administrator must add the custom fields {names} to {found.name}."
            raise ConfigurationError(message, code="missing_fields", status=error.status) from error

    def _add_definition(self, definition: JsonDict) -> None:
        try:
            self.client.post("/api/custom-fields/", json=definition)
        except RecordRejected as error:
            message = f"BottleCRM refuses the custom field {definition['key']}: {error.message}"
            raise ConfigurationError(message, code="missing_fields", status=error.status) from error

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """`t=<unix>,v1=<hex HMAC-SHA256 of "<unix>.<body>">`, at most five minutes old."""
        parts = dict(part.partition("=")[::2] for part in headers.get("x-bottlecrm-signature", "").split(","))
        sent = parts.get("t", "")
        sent_at = unix_moment(sent)
        if sent_at is None:
            raise ForgedWebhook("the delivery carries no time stamp")
        require_signature(expected=hmac_sha256_hex(secret, f"{sent}.".encode() + body), given=parts.get("v1", ""))
        require_fresh(sent_at, now=now)
        return take_apart(body, lambda payload: filter(None, [_event(payload)]))


def _event(payload: JsonDict) -> WebhookEvent | None:
    """None for the test message and for objects that are no stream."""
    stream = STREAM_OF_EVENT.get(payload["event"].partition(".")[0])
    if stream is None:
        return None
    return WebhookEvent(
        event_id=id_text(payload["id"]),
        account_id=id_text(payload["org_id"]),
        stream=stream,
        external_id=id_text(payload["data"]["id"]) if "id" in payload["data"] else "",
        occurred_at=datetime.fromisoformat(payload["created_at"]).astimezone(UTC),
    )
