"""One record: what it is, where it stands, and everything that happened to it in one line of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.canonical.models import CanonicalChange, CanonicalLink, CanonicalRecord, Entity
from apps.canonical.selectors import list_places
from apps.connectors.models import Connection
from apps.connectors.sdk.entities import in_order
from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.customer_portal.selectors.activity import name_record
from apps.customer_portal.selectors.landscape import describe_system
from apps.customer_portal.words import join_words
from apps.sync.models import RecordAction, RecordLog
from apps.ui.differences import said_text
from apps.ui.formatting import money_text
from apps.ui.status import humanize_word

TIMELINE_LENGTH = 100
SHOWN_FIELDS = 4


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    title: str
    body: str = ""
    tone: str = "idle"
    icon: str = "point"
    actor: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the record is known, under which id."""

    system: str
    object_name: str
    external_id: str
    url: str


@dataclass(frozen=True, slots=True)
class RecordPage:
    record: CanonicalRecord
    name: str
    places: list[Place]
    related: list[tuple[str, CanonicalRecord]]
    entries: list[TimelineEntry]


def get_record(actor: Actor, record_id: UUID) -> CanonicalRecord:
    """Raises NotVisible."""
    return get_visible(CanonicalRecord.objects.visible_to(actor).production(), record_id, "There is no such record.")


def describe_record(actor: Actor, record: CanonicalRecord) -> RecordPage:
    places = [
        Place(describe_system(r.connection).name, humanize_word(r.object_name), r.external_id, r.url)
        for r in list_places(actor, record.pk)
    ]
    return RecordPage(record, name_record(record), places, _related(record), _timeline(actor, record))


def _related(record: CanonicalRecord) -> list[tuple[str, CanonicalRecord]]:
    links = CanonicalLink.objects.filter(source=record).select_related("target").order_by("name")
    return [(humanize_word(link.name), link.target) for link in links]


def _timeline(actor: Actor, record: CanonicalRecord) -> list[TimelineEntry]:
    entries = [*_writes(actor, record), *_changes(record)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:TIMELINE_LENGTH]


def _changes(record: CanonicalRecord) -> list[TimelineEntry]:
    """What changed in the record itself, and by whom."""
    rows = CanonicalChange.objects.filter(record=record).select_related("connection").order_by("-version")
    return [_change(record.entity, row) for row in rows[:TIMELINE_LENGTH]]


def _change(entity: str, row: CanonicalChange) -> TimelineEntry:
    by = f" in {describe_system(row.connection).name}" if row.connection else ""
    if row.version == 1:
        return TimelineEntry(
            row.at, f"First seen{by}" if by else "Made by an integration", icon="sparkles", tone="info"
        )
    return TimelineEntry(
        row.at,
        f"Changed{by}" if by else "Changed by an integration",
        _fields(in_order(entity, row.fields)),
        icon="edit",
    )


def _fields(changes: dict[str, Any]) -> str:
    named = [
        f"{humanize_word(name)}: {_short(values[0])} → {_short(values[1])}"
        for name, values in changes.items()
        if isinstance(values, list) and len(values) == 2
    ]
    more = len(named) - SHOWN_FIELDS
    return " · ".join(named[:SHOWN_FIELDS]) + (f" · and {more} more" if more > 0 else "")


def _short(value: Any) -> str:
    """Money, lists and the like have a page of their own; a line of time shows plain values."""
    if value is None or value == "":
        return "empty"
    if isinstance(value, dict) and {"amount", "currency"} <= set(value):
        return money_text(int(value["amount"]), str(value["currency"]))
    text = "…" if isinstance(value, dict | list) else said_text(str(value))
    return text if len(text) <= 60 else f"{text[:59]}…"


_OUTCOMES = {
    RecordAction.CREATED: ("Created in {system}", "ok", "plus"),
    RecordAction.UPDATED: ("Updated in {system}", "ok", "refresh"),
    RecordAction.FAILED: ("Could not be brought to {system}", "failing", "alert-circle"),
    RecordAction.DELETED: ("Deleted in {system}", "attention", "trash"),
}


def _writes(actor: Actor, record: CanonicalRecord) -> list[TimelineEntry]:
    rows = RecordLog.objects.visible_to(actor).filter(
        record_id=record.pk, direction="write", action__in=list(_OUTCOMES)
    )
    facts: list[Any] = list(rows.order_by("-id")[:TIMELINE_LENGTH])
    known = Connection.objects.visible_to(actor).filter(pk__in={fact.connection_id for fact in facts})
    names = {connection.pk: describe_system(connection).name for connection in known}
    return [_write(fact, names.get(fact.connection_id, "a system")) for fact in facts]


def _write(fact: Any, system: str) -> TimelineEntry:
    text, tone, icon = _OUTCOMES[RecordAction(fact.action)]
    fields = [humanize_word(name).lower() for name in fact.changed_fields]
    told = fact.action == RecordAction.UPDATED and fields
    return TimelineEntry(fact.at, text.format(system=system), join_words(fields) if told else "", tone, icon)


def facts_of(record: CanonicalRecord) -> list[tuple[str, Any]]:
    """The record's own fields for people; nested ones are left to the systems they come from."""
    shown: list[tuple[str, Any]] = [("Kind", Entity(record.entity).label)]
    for name, value in in_order(record.entity, record.data).items():
        if value not in (None, "", [], {}) and not isinstance(value, list):
            shown.append((humanize_word(name), _short(value)))
    return shown
