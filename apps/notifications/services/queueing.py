"""What is to be delivered: events as they happen, tests, and what is sent again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.core.cache import cache
from django.db import transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.core.ids import encode_id, uuid7
from apps.dispatch.services import complete, reschedule, schedule
from apps.events.models import OutboxEvent
from apps.events.registry import customer_of, find_event_type, shared_event_types
from apps.notifications.models import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint

KIND, PRUNE_KIND = "notifications.webhook", "notifications.prune"
TESTED = "notifications.webhook.tested"
KEPT_FOR = timedelta(days=30)
PRUNED_AT_A_TIME = 5000
_WANTED, _WANTED_SECONDS = "webhooks.wanted", 60
_QUEUED = (EndpointStatus.ACTIVE, EndpointStatus.PAUSED)


class UnableToReplay(Conflict):
    """The endpoint takes nothing, or the delivery is under way already."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Deliveries of one endpoint to send again. Empty: whatever was not delivered."""

    statuses: tuple[str, ...] = (DeliveryStatus.FAILED, DeliveryStatus.WITHDRAWN)
    event_types: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def wanted_types() -> frozenset[str]:
    """The events some endpoint hears; remembered for a minute, and asked anew after any change."""
    found = cache.get(_WANTED)
    if found is None:
        chosen = list(WebhookEndpoint.objects.filter(status__in=_QUEUED).values_list("events", flat=True))
        names = {name for events in chosen for name in events}
        if any(not events for events in chosen):
            names |= {event_type.name for event_type in shared_event_types()}
        found = sorted(names)
        cache.set(_WANTED, found, _WANTED_SECONDS)
    return frozenset(found)


def forget_wanted() -> None:
    cache.delete(_WANTED)
    transaction.on_commit(lambda: cache.delete(_WANTED))


def queue_deliveries(events: Sequence[OutboxEvent], now: datetime) -> None:
    """This function will queue each event for each endpoint that hears it, in the order they happened."""
    endpoints = list(WebhookEndpoint.objects.filter(status__in=_QUEUED).order_by("id"))
    rows = [_delivery(endpoint, event, now) for event in events for endpoint in endpoints if _concerns(endpoint, event)]
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    due = {row.endpoint_id for row in rows}
    for endpoint in endpoints:
        if endpoint.pk in due:
            wake_endpoint(endpoint, now)


def wake_endpoint(endpoint: WebhookEndpoint, now: datetime) -> None:
    """This function will have the endpoint's queue worked off, after its rest if it has one."""
    if endpoint.status == EndpointStatus.ACTIVE:
        schedule(kind=KIND, key=str(endpoint.pk), due_at=max(now, endpoint.rests_until or now))


def _concerns(endpoint: WebhookEndpoint, event: OutboxEvent) -> bool:
    event_type = find_event_type(event.type)
    if event_type is None or not event_type.is_shared or not endpoint.wants(event.type):
        return False
    if endpoint.customer_id is None:
        return True
    return event_type.is_for_customers and customer_of(event) == endpoint.customer_id


def _delivery(endpoint: WebhookEndpoint, event: OutboxEvent, now: datetime) -> WebhookDelivery:
    event_type = find_event_type(event.type)
    data = event_type.data_of(event.payload) if event_type else {}
    return WebhookDelivery(
        endpoint=endpoint, event_id=event.pk, event_type=event.type, occurred_at=event.occurred_at, created_at=now,
        next_at=now, body=_body(event.type, event.version, event.occurred_at, customer_of(event), data),
    )  # fmt: skip


def _body(name: str, version: int, at: datetime, customer_id: UUID | None, data: dict[str, Any]) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    customer = encode_id("cus", customer_id) if customer_id else None
    content = {"type": name, "version": version, "timestamp": moment, "customer": customer, "data": data}
    return orjson.dumps(content).decode()


@transaction.atomic
def send_test(*, actor: Actor, now: datetime, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """This function will queue a test event for this endpoint alone, whatever it hears. Raises UnableToReplay."""
    actor.require("webhooks.manage")
    _demand_active(endpoint)
    data = {"endpoint_id": encode_id("wep", endpoint.pk)}
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event_id=uuid7(), event_type=TESTED, is_test=True, occurred_at=now, created_at=now,
        next_at=now, body=_body(TESTED, 1, now, endpoint.customer_id, data),
    )  # fmt: skip
    # A person waits for it: the rest of an endpoint that failed is over.
    endpoint.rests_until = None
    endpoint.save(update_fields=["rests_until"])
    wake_endpoint(endpoint, now)
    return delivery


def replay_delivery(*, actor: Actor, now: datetime, delivery: WebhookDelivery) -> WebhookDelivery:
    """This function will send the delivery again with the id it had, all attempts anew. Raises UnableToReplay."""
    actor.require("webhooks.manage")
    if delivery.status == DeliveryStatus.WAITING:
        raise UnableToReplay("It is waiting to be delivered already.")
    _replay(actor, now, delivery.endpoint, [delivery.pk])
    delivery.refresh_from_db()
    return delivery


def replay_selection(*, actor: Actor, now: datetime, endpoint: WebhookEndpoint, selection: Selection) -> int:
    """This function will send a range again, in the order the events happened; returns how many. Raises UnableToReplay."""
    actor.require("webhooks.manage")
    found = endpoint.deliveries.filter(is_test=False, status__in=selection.statuses).exclude(
        status=DeliveryStatus.WAITING
    )
    if selection.event_types:
        found = found.filter(event_type__in=selection.event_types)
    if selection.since:
        found = found.filter(occurred_at__gte=selection.since)
    if selection.until:
        found = found.filter(occurred_at__lt=selection.until)
    return _replay(actor, now, endpoint, found.values("pk"))


@transaction.atomic
def _replay(actor: Actor, now: datetime, endpoint: WebhookEndpoint, ids: Iterable[Any]) -> int:
    _demand_active(endpoint)
    count = WebhookDelivery.objects.filter(pk__in=ids).update(
        status=DeliveryStatus.WAITING, attempt_count=0, next_at=now, ended_at=None
    )
    if count:
        wake_endpoint(endpoint, now)
        record_change(
            actor=actor, now=now, target=endpoint, action="webhook_endpoint.replayed", after={"deliveries": count}
        )
    return count


def _demand_active(endpoint: WebhookEndpoint) -> None:
    if endpoint.status != EndpointStatus.ACTIVE:
        state = endpoint.get_status_display().lower()
        raise UnableToReplay(f"The endpoint is {state}. Resume it first.")


def prune_deliveries(*, now: datetime) -> int:
    """This function will forget deliveries that ended more than 30 days ago; returns how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=now - KEPT_FOR).exclude(status=DeliveryStatus.WAITING)
    ids = list(old.order_by("id").values_list("pk", flat=True)[:PRUNED_AT_A_TIME])
    WebhookDelivery.objects.filter(pk__in=ids).delete()
    if len(ids) == PRUNED_AT_A_TIME:
        reschedule(kind=PRUNE_KIND, key="all", due_at=now)
    elif WebhookEndpoint.objects.exists():
        reschedule(kind=PRUNE_KIND, key="all", due_at=now + timedelta(days=1))
    else:
        complete(kind=PRUNE_KIND, key="all")
    return len(ids)
