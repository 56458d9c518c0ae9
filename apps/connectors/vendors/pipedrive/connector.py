"""One Pipedrive company."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from apps.connectors.sdk.auth import HeaderKeyAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, RecordRejected
from apps.connectors.sdk.numbers import whole_number
from apps.connectors.sdk.paginators import CursorPaginator, paginate
from apps.connectors.sdk.types import CheckResult, JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import id_text, require_signature, take_apart
from apps.connectors.vendors.pipedrive.manifest import BASE_URL, MANIFEST
from apps.connectors.vendors.pipedrive.objects import OBJECTS, PipedriveObject
from apps.connectors.vendors.pipedrive.sinks import PipedriveSink
from apps.connectors.vendors.pipedrive.streams import PipedriveStream

LARGEST_PAGE = 500
DAY_USED_UP_SECONDS = 3600.0
STREAM_OF_ENTITY = {"organization": "organizations", "person": "persons", "deal": "deals"}


def describe_error(data: Any) -> ErrorText:
    """`{"success": false, "error", "error_info", "code"}`."""
    return ErrorText(str(data["error"]), str(data.get("code") or ""))


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    """A refusal may come with status 200."""
    refused = isinstance(response.data, dict) and response.data.get("success") is False
    return RecordRejected if refused and response.status < 300 else None


def announced_delay(headers: Mapping[str, str]) -> float | None:
    """Seconds to the end of the burst window; a used-up day says nothing of its end."""
    if headers.get("x-daily-ratelimit-token-remaining") == "0":
        return DAY_USED_UP_SECONDS
    reset = headers.get("x-ratelimit-reset", "")
    return whole_number(reset)


class PipedriveConnector(Connector):
    manifest = MANIFEST
    stream_types = {name: partial(PipedriveStream, pipedrive_object=found) for name, found in OBJECTS.items()}
    sink_types = {name: partial(PipedriveSink, pipedrive_object=found) for name, found in OBJECTS.items()}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.base_url = str(context.settings.get("base_url") or BASE_URL).rstrip("/")
        auth = HeaderKeyAuth("x-api-token", context.credentials.get("api_key", ""))
        errors = ErrorTable(describe=describe_error, classify=classify, delay=announced_delay)
        self.client = VendorClient(context, self.base_url, auth, errors)
        self._codes: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """Names the company, and custom fields that neither exist nor may be added by this user."""
        me = self.client.get("/api/v1/users/me")["data"]
        for found in OBJECTS.values():
            self.require_fields(found)
        return CheckResult(account_id=str(me["company_id"]), account_name=me["company_name"])

    @cached_property
    def owner_emails(self) -> dict[int, str]:
        """Users are found in version 1 only."""
        return {user["id"]: user["email"] for user in self.client.get("/api/v1/users")["data"] or []}

    def codes(self, found: PipedriveObject) -> dict[str, str]:
        """The codes of our custom fields, as far as they exist, by our key."""
        if found.name not in self._codes:
            by_label = {field["field_name"]: field["field_code"] for field in self._fields(found)}
            self._codes[found.name] = {f.key: by_label[f.label] for f in found.custom if f.label in by_label}
        return self._codes[found.name]

    def require_fields(self, found: PipedriveObject) -> dict[str, str]:
        """The codes of our custom fields, after adding those that are missing."""
        missing = [field for field in found.custom if field.key not in self.codes(found)]
        try:
            for field in missing:
                body = {"field_name": field.label, "field_type": field.type}
                made = self.client.post(f"/api/v2/{found.fields_path}", json=body)["data"]
                self._codes[found.name][field.key] = made["field_code"]
        except (ConfigurationError, RecordRejected) as error:
            names = ", ".join(field.label for field in missing)
            message = f"Add these custom fields to {found.name} in Pipedrive: {names}."
            raise ConfigurationError(message, code="missing_fields", status=error.status) from error
        return self._codes[found.name]

    def _fields(self, found: PipedriveObject) -> Iterator[JsonDict]:
        pages = paginate(
            self.client,
            f"/api/v2/{found.fields_path}",
            CursorPaginator("additional_data.next_cursor", "cursor"),
            params={"limit": LARGEST_PAGE},
        )
        return (field for page in pages for field in page.data["data"] or [])

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """Pipedrive signs nothing: the password of the Basic authentication is all the proof there is.

        So nothing of the body is believed but which record to look at.
        """
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        try:
            password = base64.b64decode(encoded, validate=True).decode().partition(":")[2]
        except ValueError:
            password = ""
        require_signature(expected=secret, given=password if scheme.lower() == "basic" else "")
        return take_apart(body, lambda data: _events(data["meta"]))


def _events(meta: JsonDict) -> list[WebhookEvent]:
    stream = STREAM_OF_ENTITY.get(meta["entity"])
    if stream is None:
        return []
    event = WebhookEvent(
        event_id=id_text(meta["id"]),
        account_id=id_text(meta["company_id"]),
        stream=stream,
        external_id=id_text(meta["entity_id"]),
        occurred_at=datetime.fromisoformat(meta["timestamp"]).astimezone(UTC),
    )
    return [event]
