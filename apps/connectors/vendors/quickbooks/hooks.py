"""Deliveries of the app's webhooks: one address for all companies, two formats, only ids inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from apps.connectors.sdk.types import JsonDict, WebhookEvent
from apps.connectors.sdk.webhooks import hmac_sha256_base64, require_signature, take_apart

_STREAMS = {"customer": "customers", "invoice": "invoices", "payment": "payments", "estimate": "estimates"}


class QuickBooksHooks:
    """Verification of a delivery; signed with the app's verifier token."""

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        require_signature(expected=hmac_sha256_base64(secret, body), given=headers.get("intuit-signature", ""))
        return take_apart(body, _events)


def _events(given: Any) -> Iterator[WebhookEvent]:
    for entry in _cloud_events(given) if isinstance(given, list) else _notifications(given):
        yield from _with_invoices(entry)


def _cloud_events(given: list[JsonDict]) -> Iterator[WebhookEvent]:
    """The format of 2026: `[{"type": "qbo.invoice.updated.v1", "intuitaccountid": …, "intuitentityid": …}]`."""
    for entry in given:
        stream = _STREAMS.get(entry["type"].split(".")[1])
        if stream is not None:
            yield _event(entry["id"], entry["intuitaccountid"], stream, entry["intuitentityid"], entry["time"])


def _notifications(given: Any) -> Iterator[WebhookEvent]:
    """The format until 2026: per company a list of `{"name": "Invoice", "id": …, "operation": …, "lastUpdated": …}`."""
    for notification in given["eventNotifications"]:
        realm = notification["realmId"]
        for entity in notification["dataChangeEvent"]["entities"]:
            stream = _STREAMS.get(entity["name"].lower())
            if stream is not None:
                parts = (entity["name"], entity["id"], entity["operation"], entity["lastUpdated"])
                yield _event(":".join((realm, *parts)), realm, stream, entity["id"], entity["lastUpdated"])


def _event(event_id: str, realm: str, stream: str, external_id: str, at: str) -> WebhookEvent:
    return WebhookEvent(
        event_id=event_id,
        account_id=realm,
        stream=stream,
        external_id=external_id,
        occurred_at=datetime.fromisoformat(at.replace("Z", "+00:00")),
    )


def _with_invoices(event: WebhookEvent) -> Iterator[WebhookEvent]:
    """A payment changes the balance of invoices that the delivery does not name."""
    yield event
    if event.stream == "payments":
        yield WebhookEvent(
            event_id=f"{event.event_id}:invoices",
            account_id=event.account_id,
            stream="invoices",
            occurred_at=event.occurred_at,
        )
