"""Writing facts down, and taking deliveries in exactly once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core import correlation
from apps.core.tasks import enqueue
from apps.events.models import InboxEvent, OutboxEvent
from apps.events.registry import find_event_type, is_heard, watchers


class UnknownEvent(ValueError):
    """The event's name is not in the registry: a typo would silently reach nobody."""


def record_event(*, name: str, subject_key: str, payload: dict[str, Any], now: datetime) -> OutboxEvent:
    """This function will write the fact in the caller's transaction and wake the relay after commit."""
    _check(name, payload)
    event = OutboxEvent.objects.create(
        type=name, version=_version_of(name), subject_key=subject_key, payload=payload,
        request_id=correlation.request_id(), occurred_at=now,
    )  # fmt: skip
    _have_relayed({name}, now)
    return event


def record_events(*, facts: list[tuple[str, str, dict[str, Any]]], now: datetime) -> None:
    """Like `record_event`, for many (name, subject key, payload) at once."""
    if not facts:
        return
    for name, _, payload in facts:
        _check(name, payload)
    request_id = correlation.request_id()
    OutboxEvent.objects.bulk_create(
        OutboxEvent(
            type=name, version=_version_of(name), subject_key=subject_key, payload=payload, request_id=request_id,
            occurred_at=now,
        )
        for name, subject_key, payload in facts
    )  # fmt: skip
    _have_relayed({name for name, _, _ in facts}, now)


def _have_relayed(names: Collection[str], now: datetime) -> None:
    if not is_heard(names):
        return
    for watch in watchers():
        watch(now)
    enqueue("events.relay_outbox")


def _version_of(name: str) -> int:
    found = find_event_type(name)
    return found.version if found else 1


def _check(name: str, payload: dict[str, Any]) -> None:
    """Raises UnknownEvent. Where the settings ask for it (tests do) the data is held against the published schema."""
    event_type = find_event_type(name)
    if event_type is None:
        raise UnknownEvent(name)
    if settings.CHECK_EVENT_DATA and event_type.fields:
        undeclared = sorted(set(payload) - set(event_type.fields))
        if undeclared:
            raise ImproperlyConfigured(f"{name} does not declare {', '.join(undeclared)}")
        _validator(name).validate(event_type.data_of(payload))


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator

    found = find_event_type(name)
    return Draft202012Validator(found.schema if found else {})


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
