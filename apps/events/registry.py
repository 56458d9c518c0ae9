"""Which events exist, and who listens. Rooms register in their `ready()`; lower rooms never know their listeners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent

Consumer = Callable[["OutboxEvent"], None]


@dataclass(frozen=True, slots=True)
class EventType:
    """Canonical events have two words (`opportunity.won`), the platform's three (`billing.invoice.opened`)."""

    name: str
    description: str
    version: int = 1


_types: dict[str, EventType] = {}
_consumers: dict[str, dict[str, Consumer]] = {}


def register_event(name: str, description: str) -> EventType:
    _types[name] = EventType(name, description)
    return _types[name]


def register_consumer(consumer_name: str, event_name: str, consumer: Consumer) -> None:
    """`consumer_name` is stable (it marks what was consumed); the consumer must be safe to repeat."""
    _consumers.setdefault(event_name, {})[consumer_name] = consumer


def event_types() -> list[EventType]:
    return sorted(_types.values(), key=lambda event_type: event_type.name)


def is_registered(name: str) -> bool:
    return name in _types


def consumers_of(name: str) -> dict[str, Consumer]:
    return dict(_consumers.get(name, {}))


def consumed_names() -> list[str]:
    """The events somebody listens to."""
    return sorted(_consumers)
