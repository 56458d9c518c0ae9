"""Webhooks from vendors: proven, split by connection, stored once, acknowledged; handled afterwards.

The hot path looks nothing up that it saw in the last half minute and sends one statement to the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import transaction

from apps.connectors.models import Connection, OAuthApp
from apps.connectors.pushed_records import keep_pushed
from apps.connectors.registry import UnknownVendor, get_connector, get_manifest
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.types import WebhookEvent
from apps.connectors.sdk.webhooks import ForgedWebhook, require_keepable
from apps.connectors.services.credentials import open_secrets
from apps.connectors.services.inputs import WEBHOOK_SECRET
from apps.connectors.services.oauth_apps import open_oauth_app
from apps.core.planes import require_tenant_schema
from apps.dispatch.intake import Delivery, list_waiting, mark_handled, take_in
from apps.dispatch.services import complete, reschedule, schedule
from apps.events.services import record_event

WEBHOOK_KIND = "connectors.webhook"
WEBHOOK_RECEIVED = "connectors.webhook.received"
BATCH = 500
CACHE_SECONDS = 30.0
CACHE_ENTRIES = 10_000

Key = TypeVar("Key")
Value = TypeVar("Value")
Hearer = Callable[[Connection, list[str]], None]


class UnknownHook(LookupError):
    """No connection and no app has this address. Answer as for any page that does not exist."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a hook address leads: to one connection, or to a vendor app whose events carry their account."""

    vendor: str
    secret: str = field(repr=False)
    connection_key: str = ""

    @property
    def connector(self) -> type[Connector]:
        return get_connector(self.vendor)


_routes: dict[tuple[str, str], tuple[float, Route]] = {}
_accounts: dict[tuple[str, str, str], tuple[float, tuple[str, ...]]] = {}


def receive_delivery(*, token: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime) -> int:
    """This function will store a genuine delivery for every connection it concerns; returns how many events were new.

    Raises UnknownHook, ForgedWebhook, InvalidDelivery. Header names are lower case.
    """
    route, was_cached = _find_route(token)
    try:
        events = _verify(route, headers, body, url, now)
    except ForgedWebhook:
        if not was_cached:
            raise
        # The secret may have been replaced a moment ago.
        _routes.pop((require_tenant_schema(), token), None)
        route, _ = _find_route(token)
        events = _verify(route, headers, body, url, now)
    if any(event.record is not None for event in events):
        return _take_pushed(route, events, now)
    return take_in(deliveries=_split(route, events), kind=WEBHOOK_KIND, now=now)


@transaction.atomic
def _take_pushed(route: Route, events: list[WebhookEvent], now: datetime) -> int:
    """What was seen before must not be applied again: the record may have changed since."""
    taken = 0
    for event in events:
        if take_in(deliveries=_split(route, [event]), kind=WEBHOOK_KIND, now=now):
            keep_pushed(UUID(route.connection_key.partition(":")[2]), event, now)
            taken += 1
    return taken


def hook_status(token: str) -> int:
    """What the system behind this address expects of a delivery that was stored. Raises UnknownHook."""
    return _find_route(token)[0].connector.hook_status


def _verify(route: Route, headers: Mapping[str, str], body: bytes, url: str, now: datetime) -> list[WebhookEvent]:
    if not route.secret:
        # Anybody can sign with an empty secret.
        raise ForgedWebhook("no secret has been stored for this address")
    events = route.connector.verify_webhook(secret=route.secret, headers=headers, body=body, url=url, now=now)
    require_keepable(events)
    return events


def _find_route(token: str) -> tuple[Route, bool]:
    key = (require_tenant_schema(), token)
    until, known = _routes.get(key, (0.0, None))
    if known is not None and until > time.monotonic():
        return known, True
    route = _look_up(token)
    _remember(_routes, key, route)
    return route, False


def _look_up(token: str) -> Route:
    connection = Connection.objects.filter(webhook_token=token, archived_at=None).first()
    if connection is not None and _scope(connection.vendor) == "connection":
        secret = open_secrets(connection).get(WEBHOOK_SECRET, "")
        return Route(connection.vendor, secret, connection.subject_key)
    app = OAuthApp.objects.filter(webhook_token=token).first()
    opened = open_oauth_app(app.vendor) if app is not None and _scope(app.vendor) == "app" else None
    if app is None or opened is None:
        raise UnknownHook
    # Vendors without a secret of their own for webhooks sign with the app's secret.
    return Route(app.vendor, opened.webhook_secret or opened.client_secret)


def _scope(vendor: str) -> str:
    try:
        webhook = get_manifest(vendor).webhook
    except UnknownVendor:
        return ""  # the connector was taken out; its connections stay
    return webhook.scope if webhook else ""


def _split(route: Route, events: list[WebhookEvent]) -> list[Delivery]:
    """One delivery per event and connection; events of accounts nobody here has connected are dropped."""
    return [
        Delivery(key, event.event_id, _payload(event))
        for event in events
        for key in (
            (route.connection_key,) if route.connection_key else _keys_of_account(route.vendor, event.account_id)
        )
    ]


def _payload(event: WebhookEvent) -> dict[str, str]:
    occurred = event.occurred_at.isoformat() if event.occurred_at else ""
    return {"stream": event.stream, "external_id": event.external_id, "occurred_at": occurred}


def _keys_of_account(vendor: str, account_id: str) -> tuple[str, ...]:
    key = (require_tenant_schema(), vendor, account_id)
    until, known = _accounts.get(key, (0.0, ()))
    if known and until > time.monotonic():
        return known
    found = Connection.objects.filter(vendor=vendor, account_id=account_id, archived_at=None).exclude(account_id="")
    keys = tuple(connection.subject_key for connection in found.order_by("id"))
    if keys:
        _remember(_accounts, key, keys)
    return keys


def _remember(cache: dict[Key, tuple[float, Value]], key: Key, value: Value) -> None:
    if len(cache) >= CACHE_ENTRIES:
        cache.clear()
    cache[key] = (time.monotonic() + CACHE_SECONDS, value)


@transaction.atomic(savepoint=False)
def handle_deliveries(*, key: str, now: datetime, tell: Hearer | None = None) -> int:
    """This function will tell which streams of the connection changed; returns how many events it took.

    `tell` hears it in this very transaction; without it the rooms above hear of it as an event.
    """
    waiting = list_waiting(key, limit=BATCH)
    connection = Connection.objects.filter(pk=UUID(key.partition(":")[2]), archived_at=None).first()
    if connection is not None and waiting:
        payloads = [event.payload for event in waiting]
        if tell is not None:
            tell(connection, sorted({payload["stream"] for payload in payloads if payload["stream"]}))
        else:
            _announce(connection, payloads, now)
    mark_handled(waiting, now)
    if len(waiting) == BATCH:
        reschedule(kind=WEBHOOK_KIND, key=key, due_at=now, priority=2)
    else:
        complete(kind=WEBHOOK_KIND, key=key)
    return len(waiting)


def sweep_deliveries(*, connection: Connection, now: datetime) -> None:
    """This function will make stored deliveries due again that a worker missed (it ended just as they arrived)."""
    if list_waiting(connection.subject_key, limit=1):
        schedule(kind=WEBHOOK_KIND, key=connection.subject_key, due_at=now, priority=2)


def announce_changes(*, connection: Connection, streams: list[str], now: datetime) -> None:
    """This function will tell the rooms above that these streams have something new."""
    _announce(connection, [{"stream": stream, "external_id": ""} for stream in streams], now)


def _announce(connection: Connection, payloads: list[dict[str, str]], now: datetime) -> None:
    objects = {(payload["stream"], payload["external_id"]) for payload in payloads}
    record_event(
        name=WEBHOOK_RECEIVED,
        subject_key=connection.subject_key,
        payload={
            "connection_id": str(connection.pk),
            "customer_id": str(connection.customer_id),
            "environment_id": str(connection.environment_id),
            "vendor": connection.vendor,
            "streams": sorted({stream for stream, _ in objects if stream}),
            "objects": [{"stream": stream, "external_id": found} for stream, found in sorted(objects) if found],
        },
        now=now,
    )
