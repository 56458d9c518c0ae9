"""One record across all systems: what changed, where, when, why and by which run; who last set each field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.canonical.models import CanonicalChange, CanonicalRecord, CrossReference, MatchQuestion, RecordMerge
from apps.canonical.selectors import list_merges, list_questions, related_records
from apps.connectors.models import Connection
from apps.connectors.sdk.entities import REFERENCES, in_order
from apps.core.actor import Actor
from apps.sync.models import RecordAction, RecordLog, SyncRun
from apps.ui.links import link_to

LENGTH = 150
# Where changes come from that no system and no flow made.
_BY = {"person": "A colleague's decision", "flow": "The rules", "service": "A business service"}
_WRITES = {
    RecordAction.CREATED: ("Created in {}", "ok", "plus"),
    RecordAction.UPDATED: ("Updated in {}", "ok", "refresh"),
    RecordAction.SKIPPED: ("Held back from {}", "attention", "player-pause"),
    RecordAction.FAILED: ("Could not be brought to {}", "failing", "alert-circle"),
    RecordAction.DELETED: ("Deleted in {}", "attention", "trash"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline; `before` and `after` hold what changed: our fields, or those of the system."""

    at: datetime
    title: str
    tone: str = "idle"
    icon: str = "point"
    actor: str = ""
    url: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    is_canonical: bool = False


@dataclass(frozen=True, slots=True)
class FieldOwner:
    """A field, its value, and which system or decision set it last."""

    name: str
    value: object
    source: str
    at: datetime | None


@dataclass(frozen=True)
class RecordView:
    record: CanonicalRecord
    references: list[CrossReference]
    fields: list[FieldOwner]
    related: list[tuple[str, CanonicalRecord]]
    entries: list[Entry]
    questions: list[MatchQuestion]
    merges: list[RecordMerge]


def describe_record(actor: Actor, record: CanonicalRecord) -> RecordView:
    references = list(record.cross_references.select_related("connection").order_by("connection__name", "object_name"))
    changes = list(record.changes.select_related("connection").order_by("-version")[: 2 * LENGTH])
    merges = list(list_merges(actor).filter(kept=record))
    questions = [q for q in list_questions(actor).filter(entity=record.entity) if record.pk in (q.left_id, q.right_id)]
    writes = _writes(actor, [record.pk, *(merge.dropped_id for merge in merges)])
    runs = _runs(actor, {*(c.run_id for c in changes), *(w.run_id for w in writes)})
    names = names_in(actor, [(record.entity, change.fields) for change in changes])
    entries = [_change(record.entity, c, runs, names) for c in changes if c.fields or c.version == 1]
    entries += _told(writes, runs)
    entries += [e for merge in merges for e in _merge(merge)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return RecordView(
        record, references, _owners(record, changes), related_records(record), entries[:LENGTH], questions, merges
    )


def _writes(actor: Actor, record_ids: list[UUID]) -> list[Any]:
    visible = RecordLog.objects.visible_to(actor).filter(
        record_id__in=record_ids, direction="write", action__in=_WRITES
    )
    return list(visible.select_related("payload").order_by("-id")[:LENGTH])


def _runs(actor: Actor, ids: set[UUID | None]) -> dict[UUID, SyncRun]:
    found = SyncRun.objects.visible_to(actor).filter(pk__in=[i for i in ids if i]).select_related("flow")
    return {run.pk: run for run in found}


def _why(run: SyncRun | None) -> tuple[str, str]:
    """(by which flow and what started it, address of the run)."""
    if run is None:
        return "", ""
    trigger = str(run.get_trigger_display()).lower()
    by = f" by {run.triggered_by_label}" if run.triggered_by_label else ""
    return f"{run.flow.name} · {trigger}{by}", link_to("partner_portal:run")(run.pk)


def before_and_after(
    log: RecordLog, diff: dict[str, Any], names: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides of what a run changed; of our own fields in their order, with the names of what they refer to."""
    fields = dict(in_order(log.entity, diff)) if log.direction == "read" else diff
    sides = [
        {name: names.get(str(pair[side]), pair[side]) for name, pair in fields.items() if pair[side] is not None}
        for side in (0, 1)
    ]
    return sides[0], sides[1]


def _source(change: CanonicalChange) -> str:
    return change.connection.name if change.connection else _BY.get(change.source_kind, "A removed system")


def names_in(actor: Actor, changes: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """What the records are called that references point or pointed at, by id. `changes`: (kind of record, {field: both values})."""
    ids = {
        str(value)
        for entity, fields in changes
        for name in REFERENCES.get(entity, {}).keys() & fields.keys()
        for value in fields[name]
        if value
    }
    if not ids:
        return {}
    found = CanonicalRecord.objects.visible_to(actor).filter(pk__in=ids).defer("data")
    return {str(other.pk): str(other) for other in found}


def _change(entity: str, change: CanonicalChange, runs: dict[UUID, SyncRun], names: dict[str, str]) -> Entry:
    why, url = _why(runs.get(change.run_id) if change.run_id else None)
    title = f"First seen in {_source(change)}" if change.version == 1 else f"Changed: {_source(change)}"
    if change.version == 1 and not change.connection:
        title = f"Made by: {_source(change)}"
    fields = {
        name: [names.get(value, value) if isinstance(value, str) else value for value in values]
        for name, values in in_order(entity, change.fields).items()
        if isinstance(values, list) and len(values) == 2
    }
    return Entry(
        change.at, title, icon="sparkles" if change.version == 1 else "edit", tone="info", actor=why, url=url,
        before={name: values[0] for name, values in fields.items() if values[0] is not None},
        after={name: values[1] for name, values in fields.items() if values[1] is not None}, is_canonical=True,
    )  # fmt: skip


def _told(writes: Iterable[Any], runs: dict[UUID, SyncRun]) -> list[Entry]:
    writes = list(writes)
    known = Connection.objects.filter(pk__in={log.connection_id for log in writes})
    names = dict(known.values_list("pk", "name"))
    found = []
    for log in writes:
        words, tone, icon = _WRITES[RecordAction(log.action)]
        why, url = _why(runs.get(log.run_id))
        diff = log.payload.diff if hasattr(log, "payload") else {}
        found.append(
            Entry(
                log.at, words.format(names.get(log.connection_id, "a removed system")), tone, icon, why, url,
                {name: values[0] for name, values in diff.items() if values[0] not in (None, "")},
                {name: values[1] for name, values in diff.items() if values[1] not in (None, "")},
            )
        )  # fmt: skip
    return found


def _merge(merge: RecordMerge) -> list[Entry]:
    found = [Entry(merge.merged_at, f"Merged with “{merge.dropped_title}”", "info", "git-merge", merge.merged_by_label)]
    if merge.undone_at:
        parted = f"Parted from “{merge.dropped_title}” again"
        found.append(Entry(merge.undone_at, parted, "info", "arrow-back-up", merge.undone_by_label))
    return found


def _owners(record: CanonicalRecord, changes: list[CanonicalChange]) -> list[FieldOwner]:
    """`changes` newest first: the first that touched a field set it."""
    last: dict[str, CanonicalChange] = {}
    for change in changes:
        for name in change.fields:
            last.setdefault(name, change)
    return [
        FieldOwner(
            name, value, _source(last[name]) if name in last else "", last[name].at if name in last else None
        )
        for name, value in in_order(record.entity, record.data).items()
    ]  # fmt: skip
