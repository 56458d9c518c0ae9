"""Which events exist, and who listens. Rooms register in their `ready()`; lower rooms never know their listeners.

Canonical events have two words (`opportunity.won`), the platform's three (`billing.invoice.opened`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core.ids import encode_id

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent

Consumer = Callable[["OutboxEvent"], None]
Handler = Callable[[Sequence["OutboxEvent"], datetime], None]
_NAME = re.compile(r"^[a-z][a-z_]*(\.[a-z][a-z_]*){1,2}$")
_CUSTOMER = "customer:"


class MisnamedEvent(ValueError):
    """An event's name has two words (canonical) or three (platform), in lower case."""


@dataclass(frozen=True, slots=True)
class EventField:
    """One value of an event's data. With a `prefix` it is an id, written as the API writes it (`rec_…`).

    What is hidden is for the rooms alone.
    """

    schema: Mapping[str, Any]
    prefix: str = ""
    is_hidden: bool = False

    def shown(self, value: Any) -> Any:
        return encode_id(self.prefix, UUID(value)) if self.prefix and value else value


def id_field(prefix: str, *, nullable: bool = False) -> EventField:
    kind: Any = ["string", "null"] if nullable else "string"
    return EventField({"type": kind, "pattern": f"^{prefix}_[0-9a-f]{{32}}$"}, prefix)


def choice_field(*choices: str) -> EventField:
    return EventField({"type": "string", "enum": list(choices)})


TEXT = EventField({"type": "string"})
NULLABLE_TEXT = EventField({"type": ["string", "null"]})
INTEGER = EventField({"type": "integer"})
HIDDEN = EventField({}, is_hidden=True)
BOOLEAN = EventField({"type": "boolean"})
MOMENT = EventField({"type": "string", "format": "date-time"})
MONEY = EventField(
    {
        "type": ["object", "null"],
        "properties": {"amount": {"type": "integer"}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
        "required": ["amount", "currency"],
        "additionalProperties": False,
    }
)


@dataclass(frozen=True)
class EventType:
    """What happened, in which version, with which data.

    `is_shared`: told to whoever subscribes outside; others are for the rooms alone. `is_for_customers`: also told to
    the customer it is about.
    """

    name: str
    description: str
    fields: Mapping[str, EventField] = field(default_factory=dict)
    version: int = 1
    is_shared: bool = True
    is_for_customers: bool = False

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The published JSON Schema (2020-12) of the event's `data`."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:event:{self.name}:{self.version}",
            "description": self.description,
            "type": "object",
            "properties": {name: dict(one.schema) for name, one in self._shown.items()},
            "required": sorted(self._shown),
            "additionalProperties": False,
        }

    def data_of(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload as told outside: ids as the API writes them."""
        return {name: one.shown(payload.get(name)) for name, one in self._shown.items()}

    @property
    def _shown(self) -> dict[str, EventField]:
        return {name: one for name, one in self.fields.items() if not one.is_hidden}


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears many events at once. `wants()` gives the names somebody is interested in at the moment."""

    wants: Callable[[], Collection[str]]
    handle: Handler


_types: dict[str, EventType] = {}
_consumers: dict[str, dict[str, Consumer]] = {}
_listeners: dict[str, Listener] = {}
_watchers: list[Callable[[datetime], None]] = []


def register_event(
    name: str, description: str, fields: Mapping[str, EventField] | None = None, **traits: Any
) -> EventType:
    """`traits`: version, is_shared, is_for_customers. Raises MisnamedEvent."""
    if not _NAME.match(name):
        raise MisnamedEvent(name)
    _types[name] = EventType(name, description, fields or {}, **traits)
    return _types[name]


def register_consumer(consumer_name: str, event_name: str, consumer: Consumer) -> None:
    """`consumer_name` is stable (it marks what was consumed). What the consumer writes commits with that mark."""
    _consumers.setdefault(event_name, {})[consumer_name] = consumer


def register_listener(name: str, wants: Callable[[], Collection[str]], handle: Handler) -> None:
    """Like a consumer, for any number of events and for many at a time: thousands cost it one statement."""
    _listeners[name] = Listener(wants, handle)


def watch_recording(watcher: Callable[[datetime], None]) -> None:
    """The room that knows of due work makes sure, in the event's own transaction, that a sweeper comes by."""
    if watcher not in _watchers:
        _watchers.append(watcher)


def event_types() -> list[EventType]:
    return sorted(_types.values(), key=lambda event_type: event_type.name)


def shared_event_types(*, for_customers: bool = False) -> list[EventType]:
    """What may be subscribed to from outside."""
    return [one for one in event_types() if one.is_shared and (one.is_for_customers or not for_customers)]


def find_event_type(name: str) -> EventType | None:
    return _types.get(name)


def consumers_of(name: str) -> dict[str, Consumer]:
    return dict(_consumers.get(name, {}))


def consumer_names() -> list[str]:
    """Under which consumers and listeners mark what they have consumed."""
    return sorted({name for known in _consumers.values() for name in known} | set(_listeners))


def listeners() -> dict[str, Listener]:
    return dict(_listeners)


def watchers() -> list[Callable[[datetime], None]]:
    return list(_watchers)


def consumed_names() -> set[str]:
    """The events somebody listens to at the moment."""
    return set(_consumers).union(*(listener.wants() for listener in _listeners.values()))


def is_heard(names: Collection[str]) -> bool:
    if any(name in _consumers for name in names):
        return True
    return any(not set(names).isdisjoint(listener.wants()) for listener in _listeners.values())


def customer_of(event: OutboxEvent) -> UUID | None:
    """Whom of the partner's customers the event is about."""
    if event.subject_key.startswith(_CUSTOMER):
        return UUID(event.subject_key.removeprefix(_CUSTOMER))
    named = event.payload.get("customer_id")
    return UUID(named) if named else None
