"""What was deleted in one system: noted, and carried over where the policy says so; never too much at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.canonical.models import CrossReference
from apps.canonical.references import mark_deleted
from apps.connectors.sdk.errors import RecordRejected
from apps.core.bulk import execute, json_text
from apps.core.ids import uuid7
from apps.flows.definition import IGNORE, PROPAGATE
from apps.sync.engine.claim import effects
from apps.sync.engine.consequences import note_failures
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.failures import FailedRecord
from apps.sync.engine.journal import Entry
from apps.sync.models import DeletionReview, ErrorClass, RecordAction, Removal, RemovalStatus, ReviewStatus

# Up to so many are never too many; beyond, no more than this share of what the system holds.
HARMLESS = 5
STOP_SHARE = 0.2
_MARK = """
WITH marked AS (
    UPDATE canonical_canonicalrecord SET version = version + 1 WHERE id = ANY(%s)
    RETURNING id, environment_id, entity, version)
INSERT INTO canonical_canonicalchange
    (record_id, environment_id, entity, flow_id, version, at, source_kind, connection_id, run_id, fields)
SELECT id, environment_id, entity, %s, version, %s, 'connection', %s, %s, %s::jsonb FROM marked
"""


def is_too_many(count: int, total: int) -> bool:
    return count > HARMLESS and count > STOP_SHARE * total


def live_references(connection_id: UUID, object_name: str) -> QuerySet[CrossReference]:
    return CrossReference.objects.filter(connection_id=connection_id, object_name=object_name, deleted_at=None)


def newly_deleted(connection_id: UUID, object_name: str, external_ids: Collection[str]) -> list[UUID]:
    """The records that lived in the system until now."""
    if not external_ids:
        return []
    return list(
        live_references(connection_id, object_name)
        .filter(external_id__in=external_ids)
        .values_list("record_id", flat=True)
    )


def note_deletions(
    context: RunContext, system: BoundSystem, entity: str, record_ids: list[UUID], now: datetime
) -> None:
    """This function will do as the policy says about records that were deleted in `system`, in the caller's transaction."""
    policy = context.policies.of_deletion(entity)
    if policy == IGNORE or not record_ids:
        return
    connection = system.connection
    fields = json_text({"deleted_in": [None, connection.name]})
    execute(_MARK, [record_ids, context.flow.pk, now, connection.pk, context.run_id, fields])
    if policy == PROPAGATE:
        _plan_removals(context, system, entity, record_ids, now)


def _plan_removals(
    context: RunContext, origin: BoundSystem, entity: str, record_ids: list[UUID], now: datetime
) -> None:
    for system in context.systems.values():
        sink = next((s for s in system.manifest.sinks if s.entity == entity and s.deletes), None)
        if sink is None or system.connection.pk == origin.connection.pk:
            continue
        found = live_references(system.connection.pk, sink.stream).filter(record_id__in=record_ids)
        Removal.objects.bulk_create(
            (
                Removal(
                    id=uuid7(), customer_id=context.flow.customer_id, environment_id=context.flow.environment_id,
                    flow=context.flow, connection=system.connection, object_name=sink.name,
                    record_id=reference.record_id, external_id=reference.external_id, planned_at=now,
                )
                for reference in found
            ),
            ignore_conflicts=True,
        )  # fmt: skip


def send_removals(context: RunContext) -> int:
    """This function will carry planned removals out, each committed by itself; returns how many. Too many wait for a person.

    Raises the connector's errors: what is left is tried with the next run.
    """
    planned = Removal.objects.filter(flow=context.flow, status=RemovalStatus.PLANNED)
    places = sorted(set(planned.values_list("connection_id", "object_name")), key=str)
    return sum(_send_place(context, planned.filter(connection_id=c, object_name=o), c, o) for c, o in places)


def _send_place(context: RunContext, planned: QuerySet[Removal], connection_id: UUID, object_name: str) -> int:
    system = context.system_of(connection_id)
    stream = system.manifest.sink(object_name).stream
    removals = list(planned.select_related("record").order_by("planned_at", "id"))
    waiting = [removal for removal in removals if not removal.is_approved]
    total = live_references(connection_id, stream).count()
    if is_too_many(len(waiting), total):
        ask_review(context, system, object_name, [r.external_id for r in waiting], total, is_removal=True)
        removals = [removal for removal in removals if removal.is_approved]
    sink: Any = system.connector.sink(object_name)
    for removal in removals:
        _send_one(context, system, sink, removal, stream)
        context.check(is_progress=True)
    return len(removals)


def _send_one(context: RunContext, system: BoundSystem, sink: Any, removal: Removal, stream: str) -> None:
    problem = None
    try:
        sink.delete(removal.external_id)
    except RecordRejected as error:
        problem = RecordProblem(ErrorClass.VALIDATION, error.message, code=error.code)
    with effects(context) as now:
        status = RemovalStatus.REFUSED if problem else RemovalStatus.DONE
        Removal.objects.filter(pk=removal.pk).update(status=status, finished_at=now)
        if problem is None:
            mark_deleted(system.connection.pk, stream, [removal.external_id], now)
        else:
            note_failures(context, [_failed(system, removal, problem)], now)
        context.journal.note(
            Entry(
                connection_id=system.connection.pk, direction="write", object_name=removal.object_name,
                entity=removal.record.entity, action=RecordAction.FAILED if problem else RecordAction.DELETED,
                record_id=removal.record_id, external_id=removal.external_id, title=removal.record.title,
            )
        )  # fmt: skip


def _failed(system: BoundSystem, removal: Removal, problem: RecordProblem) -> FailedRecord:
    return FailedRecord(
        connection_id=system.connection.pk, direction="write", object_name=removal.object_name,
        record_id=removal.record_id, title=removal.record.title, problem=problem,
    )  # fmt: skip


def ask_review(
    context: RunContext, system: BoundSystem, object_name: str, external_ids: Iterable[str], total: int, *,
    is_removal: bool,
) -> None:  # fmt: skip
    """This function will stop the deletions and ask a person; a review that waits takes the newer list over."""
    ids = sorted(external_ids)
    with effects(context) as now:
        DeletionReview.objects.update_or_create(
            flow=context.flow,
            connection=system.connection,
            object_name=object_name,
            is_removal=is_removal,
            status=ReviewStatus.WAITING,
            defaults={"external_ids": ids, "count": len(ids), "total": total, "asked_at": now},
            create_defaults={
                "customer_id": context.flow.customer_id, "environment_id": context.flow.environment_id,
                "external_ids": ids, "count": len(ids), "total": total, "asked_at": now,
            },
        )  # fmt: skip


def find_vanished(context: RunContext, system: BoundSystem, stream: str, entity: str, seen: set[str]) -> int:
    """This function will compare what we know of a stream with all that a full reading showed; returns how many are gone.

    Each candidate is asked for by its id first: pages shift while they are read. Too many to be asked for: a person
    decides at once, an empty answer of a whole system must not cost one call per record.
    """
    known = list(live_references(system.connection.pk, stream).values_list("external_id", flat=True))
    candidates = [external_id for external_id in known if external_id not in seen]
    if is_too_many(len(candidates), len(known)):
        ask_review(context, system, stream, candidates, len(known), is_removal=False)
        return 0
    reader = system.connector.stream(stream)
    gone = [external_id for external_id in candidates if _is_gone(reader, external_id)]
    with effects(context) as now:
        apply_deletions(context, system, stream, entity, gone, now)
    return len(gone)


def apply_deletions(
    context: RunContext, system: BoundSystem, stream: str, entity: str, external_ids: list[str], now: datetime
) -> None:
    """This function will take deletions over, in the caller's transaction and under the environment's lock."""
    record_ids = newly_deleted(system.connection.pk, stream, external_ids)
    mark_deleted(system.connection.pk, stream, external_ids, now)
    note_deletions(context, system, entity, record_ids, now)


def _is_gone(reader: Any, external_id: str) -> bool:
    try:
        found = reader.get(external_id)
    except RecordRejected:
        return True
    return found is None or found.deleted
