"""Writing facts down, relaying them upwards, and taking deliveries in exactly once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core import correlation
from apps.core.tasks import enqueue
from apps.events.models import ConsumedEvent, InboxEvent, OutboxEvent
from apps.events.registry import consumed_names, consumers_of, is_registered

RELAY_BATCH = 200


class UnknownEvent(ValueError):
    """The event's name is not in the registry: a typo would silently reach nobody."""


def record_event(*, name: str, subject_key: str, payload: dict[str, Any], now: datetime) -> OutboxEvent:
    """This function will write the fact in the caller's transaction and wake the relay after commit."""
    if not is_registered(name):
        raise UnknownEvent(name)
    event = OutboxEvent.objects.create(
        type=name, subject_key=subject_key, payload=payload, request_id=correlation.request_id(), occurred_at=now
    )
    if consumers_of(name):
        enqueue("events.relay_outbox")
    return event


def record_events(*, facts: list[tuple[str, str, dict[str, Any]]], now: datetime) -> None:
    """Like `record_event`, for many (name, subject key, payload) at once."""
    unknown = next((name for name, _, _ in facts if not is_registered(name)), None)
    if unknown:
        raise UnknownEvent(unknown)
    request_id = correlation.request_id()
    OutboxEvent.objects.bulk_create(
        OutboxEvent(type=name, subject_key=subject_key, payload=payload, request_id=request_id, occurred_at=now)
        for name, subject_key, payload in facts
    )
    if any(consumers_of(name) for name, _, _ in facts):
        enqueue("events.relay_outbox")


def relay_outbox(*, now: datetime) -> int:
    """This function will hand unrelayed events to their consumers, oldest first, a batch at a time; returns how many.

    Each (consumer, event) commits on its own; a consumer that fails leaves its event unrelayed for the sweeper.
    """
    waiting = OutboxEvent.objects.filter(relayed_at=None)
    heard = consumed_names()
    # What nobody listens to must not stand in the way: a run writes thousands of facts.
    relayed = waiting.exclude(type__in=heard).update(relayed_at=now)
    batch = list(waiting.filter(type__in=heard).order_by("id")[:RELAY_BATCH])
    for event in batch:
        for consumer_name, consumer in consumers_of(event.type).items():
            _consume_once(event, consumer_name, consumer, now)
        relayed += OutboxEvent.objects.filter(pk=event.pk, relayed_at=None).update(relayed_at=now)
    if len(batch) == RELAY_BATCH:
        enqueue("events.relay_outbox")
    return relayed


def _consume_once(event: OutboxEvent, consumer_name: str, consumer: Any, now: datetime) -> None:
    with transaction.atomic():
        _, fresh = ConsumedEvent.objects.get_or_create(
            consumer=consumer_name, event_id=event.pk, defaults={"consumed_at": now}
        )
        if fresh:
            consumer(event)


def receive(
    *, source: str, external_id: str, payload: dict[str, Any], now: datetime, subject_key: str = ""
) -> InboxEvent | None:
    """This function will store a verified delivery; None when this very delivery was stored before."""
    event, created = InboxEvent.objects.get_or_create(
        source=source,
        external_id=external_id,
        defaults={"payload": payload, "received_at": now, "subject_key": subject_key},
    )
    return event if created else None
