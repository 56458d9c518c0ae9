"""One authorized portal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.fields import Choice, FieldDescription
from apps.connectors.sdk.numbers import unix_moment, whole_number
from apps.connectors.sdk.paginators import CursorPaginator, paginate
from apps.connectors.sdk.types import CheckResult, JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import (
    ForgedWebhook,
    hmac_sha256_base64,
    id_text,
    require_fresh,
    require_signature,
    take_apart,
)
from apps.connectors.vendors.hubspot.manifest import BASE_URL, MANIFEST
from apps.connectors.vendors.hubspot.objects import OBJECTS
from apps.connectors.vendors.hubspot.sinks import HubSpotSink
from apps.connectors.vendors.hubspot.streams import HubSpotStream

SUBSCRIBED = {"company": "companies", "contact": "contacts", "deal": "deals"}
# Names travel in addresses too, which servers cut off at some thousands of characters.
MOST_PROPERTIES = 150
# Subscriptions of the newer kind are "object.…" and name the type by its id.
TYPE_IDS = {"0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-14": "quotes"}


def describe_error(data: Any) -> ErrorText:
    """HubSpot's `{message, category, errors[]}`."""
    details = [entry["message"] for entry in data.get("errors") or [] if entry.get("message")]
    return ErrorText("; ".join(dict.fromkeys([data["message"], *details])), data.get("category", ""))


def announced_delay(headers: Mapping[str, str]) -> float | None:
    """Without `Retry-After`, the window of the limit that was hit is the longest useful wait."""
    if headers.get("x-hubspot-ratelimit-secondly-remaining") == "0":
        return 1.0
    interval = whole_number(headers.get("x-hubspot-ratelimit-interval-milliseconds", ""))
    return None if interval is None else interval / 1000


class HubSpotConnector(Connector):
    manifest = MANIFEST
    stream_types = {name: partial(HubSpotStream, crm_object=found) for name, found in OBJECTS.items()}
    sink_types = {spec.name: partial(HubSpotSink, crm_object=OBJECTS[spec.name]) for spec in MANIFEST.sinks}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.client = VendorClient(
            context,
            context.settings.get("base_url") or BASE_URL,
            BearerAuth(context.credentials.get("api_key", "")),
            ErrorTable(describe=describe_error, delay=announced_delay),
        )
        self._custom_properties: dict[str, list[str]] = {}

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        details = self.account_details
        # The account's details need no CRM scope; one cheap read proves that the token has one.
        self.client.get("/crm/v3/objects/companies", params={"limit": 1})
        portal = str(details["portalId"])
        return CheckResult(account_id=portal, account_name=f"HubSpot {portal}")

    @cached_property
    def account_details(self) -> JsonDict:
        found: JsonDict = self.client.get("/account-info/v3/details")
        return found

    @property
    def currency(self) -> str:
        """The portal's own currency, for deals that name none."""
        return str(self.account_details["companyCurrency"])

    @cached_property
    def owner_emails(self) -> dict[str, str]:
        pages = paginate(
            self.client, "/crm/v3/owners", CursorPaginator("paging.next.after", "after"), params={"limit": 500}
        )
        return {owner["id"]: owner.get("email") or "" for page in pages for owner in page.data["results"]}

    def custom_properties(self, name: str) -> list[str]:
        """The properties that the portal itself added to an object: mappings may use them all."""
        if name not in self._custom_properties:
            found = self.client.get(f"/crm/v3/properties/{name}")["results"]
            own = [p["name"] for p in found if not p.get("hubspotDefined") and not p.get("archived")]
            self._custom_properties[name] = own[:MOST_PROPERTIES]
        return self._custom_properties[name]

    def describe(self, name: str) -> list[FieldDescription]:
        """What is read of the object, and what may be written. Choices are for people; their values are what is stored."""
        found = self.client.get(f"/crm/v3/properties/{name}")["results"]
        read = {*OBJECTS[name].properties, *(self.custom_properties(name) if OBJECTS[name].custom else ())}
        told = [_description(entry, is_read=entry["name"] in read) for entry in found if not entry.get("archived")]
        return [field for field in told if field.path or field.target]

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """Version 3 of the signature where any sign of it is there, else version 1 (still sent for CRM subscriptions).

        Version 1 knows no time stamp; a delivery played again is recognized by the ids of its events.
        """
        if "x-hubspot-signature-v3" in headers or "x-hubspot-request-timestamp" in headers:
            _require_version_3(secret, headers, body, url, now)
        else:
            _require_version_1(secret, headers, body)
        return take_apart(body, lambda entries: [event for entry in _list(entries) if (event := _event(entry))])


def _description(entry: JsonDict, *, is_read: bool) -> FieldDescription:
    is_fixed = bool((entry.get("modificationMetadata") or {}).get("readOnlyValue")) or bool(entry.get("calculated"))
    return FieldDescription(
        path=f"properties.{entry['name']}" if is_read else "",
        label=entry.get("label") or entry["name"],
        # HubSpot hands every value out as text, whatever its type.
        kind={"bool": "boolean", "date": "date", "datetime": "datetime", "number": "number"}.get(entry["type"], "text"),
        choices=tuple(Choice(o["value"], o.get("label") or o["value"]) for o in entry.get("options") or []),
        target="" if is_fixed else entry["name"],
    )


def _require_version_3(secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime) -> None:
    """Method, address, body and time stamp, at most five minutes old."""
    timestamp = headers.get("x-hubspot-request-timestamp", "")
    sent_at = unix_moment(timestamp, per_second=1000)
    if sent_at is None:
        raise ForgedWebhook("the delivery carries no time stamp")
    message = b"POST" + url.encode() + body + timestamp.encode()
    require_signature(expected=hmac_sha256_base64(secret, message), given=headers.get("x-hubspot-signature-v3", ""))
    require_fresh(sent_at, now=now)


def _require_version_1(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """The app's secret and the body, hashed. Version 2 (of the same header) is for workflows, which we do not receive."""
    if headers.get("x-hubspot-signature-version") != "v1":
        raise ForgedWebhook("the delivery carries no signature we know")
    digest = hashlib.sha256(secret.encode() + body).hexdigest()
    require_signature(expected=digest, given=headers.get("x-hubspot-signature", ""))


def _list(entries: Any) -> list[JsonDict]:
    if not isinstance(entries, list):
        raise TypeError("a delivery is a list of events")
    return entries


def _event(entry: JsonDict) -> WebhookEvent | None:
    stream = SUBSCRIBED.get(entry["subscriptionType"].partition(".")[0]) or TYPE_IDS.get(entry.get("objectTypeId", ""))
    if stream is None:
        return None
    return WebhookEvent(
        event_id=id_text(entry["eventId"]),
        account_id=id_text(entry["portalId"]),
        stream=stream,
        external_id=id_text(entry["objectId"]) if "objectId" in entry else "",
        occurred_at=_moment(entry["occurredAt"]),
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
