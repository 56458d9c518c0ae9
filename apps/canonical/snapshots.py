"""What it takes to bring a record that ended in a merge back exactly as it was, as plain JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.canonical.models import CanonicalChange, CanonicalLink, CanonicalRecord, CrossReference, MatchQuestion
from apps.canonical.promoted import match_keys, promoted

Snapshot = dict[str, Any]
_CHANGE = (
    "id", "environment_id", "entity", "flow_id", "version", "at", "source_kind", "connection_id", "run_id", "fields",
    "source_at",
)  # fmt: skip
_QUESTION = (
    "id", "entity", "left_id", "right_id", "pair", "score", "reasons", "status", "asked_at", "answered_at",
    "answered_by_label",
)  # fmt: skip
_AT = ("at", "source_at", "asked_at", "answered_at")
_OWN = ("flow_id", "connection_id", "run_id", "environment_id", "id", "left_id", "right_id")


def take_snapshot(record: CanonicalRecord) -> Snapshot:
    """The record with its references, ids in systems, history and questions."""
    questions = MatchQuestion.objects.filter(left=record) | MatchQuestion.objects.filter(right=record)
    return {
        "data": record.data,
        "version": record.version,
        "created_at": record.created_at.isoformat(),
        "changed_at": record.changed_at.isoformat(),
        "links": [[name, str(target)] for name, target in record.links.values_list("name", "target_id")],
        "backlinks": [[str(source), name] for source, name in record.backlinks.values_list("source_id", "name")],
        "references": [str(pk) for pk in record.cross_references.values_list("pk", flat=True)],
        "changes": [_plain(row) for row in record.changes.order_by("id").values(*_CHANGE)],
        "questions": [_plain(row) for row in questions.values(*_QUESTION)],
    }


def restore(snapshot: Snapshot, *, record_id: UUID, merged_into: CanonicalRecord) -> CanonicalRecord:
    """This function will bring the record back: what moved to `merged_into` and is still there moves back."""
    data, entity = snapshot["data"], merged_into.entity
    record = CanonicalRecord.objects.create(
        id=record_id,
        customer_id=merged_into.customer_id,
        environment_id=merged_into.environment_id,
        entity=entity,
        data=data,
        **promoted(data)._asdict(),
        version=snapshot["version"],
        match_keys=match_keys(entity, data),
        created_at=datetime.fromisoformat(snapshot["created_at"]),
        changed_at=datetime.fromisoformat(snapshot["changed_at"]),
    )
    CrossReference.objects.filter(pk__in=snapshot["references"], record=merged_into).update(record=record)
    _restore_links(snapshot, record, merged_into)
    CanonicalChange.objects.bulk_create(CanonicalChange(record=record, **_typed(row)) for row in snapshot["changes"])
    _restore_questions(snapshot, record)
    return record


def _restore_links(snapshot: Snapshot, record: CanonicalRecord, merged_into: CanonicalRecord) -> None:
    back = []
    for source_id, name in snapshot["backlinks"]:
        if UUID(source_id) == merged_into.pk:  # a reference of the kept record to the other: it went with it
            back.append(CanonicalLink(source=merged_into, name=name, target=record))
        CanonicalLink.objects.filter(source_id=source_id, name=name, target=merged_into).update(target=record)
    alive = _alive(target for _, target in snapshot["links"])
    own = [
        CanonicalLink(source=record, name=name, target_id=UUID(target))
        for name, target in snapshot["links"]
        if UUID(target) in alive
    ]
    CanonicalLink.objects.bulk_create([*back, *own], ignore_conflicts=True)


def _restore_questions(snapshot: Snapshot, record: CanonicalRecord) -> None:
    rows = [_typed(row) for row in snapshot["questions"]]
    alive = _alive(row[side] for row in rows for side in ("left_id", "right_id"))
    MatchQuestion.objects.bulk_create(
        (
            MatchQuestion(customer_id=record.customer_id, environment_id=record.environment_id, **row)
            for row in rows
            if {row["left_id"], row["right_id"]} <= alive
        ),
        ignore_conflicts=True,
    )


def _alive(ids: Any) -> set[UUID]:
    return set(CanonicalRecord.objects.filter(pk__in=set(ids)).values_list("pk", flat=True))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    found = dict(row)
    for name, value in row.items():
        if name in _AT and value:
            found[name] = datetime.fromisoformat(value)
        elif name in _OWN and isinstance(value, str):
            found[name] = UUID(value)
    return found
