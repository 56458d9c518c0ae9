"""What a flow's rules must see although its own pages did not bring it: other flows' changes, and earlier failures.

Another flow may have read a record first (then it is unchanged for us), and a new flow finds records that were there
before it. The position in the change history is kept like a checkpoint; a new flow version starts over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from apps.canonical.workspace import State, Workspace
from apps.core.bulk import execute, fetch_rows, json_text
from apps.core.ids import uuid7
from apps.sync.engine.claim import effects
from apps.sync.engine.consequences import draw_consequences, settle_plan
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.hashing import digest
from apps.sync.engine.mapping import stream_mapping
from apps.sync.engine.page import StreamReader
from apps.sync.engine.plan import Plan, Planner
from apps.sync.models import Checkpoint, ErrorClass, FailureStatus, IntentStatus, RecordFailure, WriteIntent

HISTORY = "@history"
BATCH = 200
WORTH_KEEPING = 1000
NONE = UUID(int=0)
_ALL = """
SELECT id, id FROM canonical_canonicalrecord
WHERE environment_id = %s AND entity = ANY(%s) AND id > %s ORDER BY id LIMIT %s
"""
_CHANGED = """
SELECT id, record_id FROM canonical_canonicalchange
WHERE environment_id = %s AND entity = ANY(%s) AND id > %s AND flow_id IS DISTINCT FROM %s ORDER BY id LIMIT %s
"""
_LAST_CHANGE = "SELECT COALESCE(max(id), 0) FROM canonical_canonicalchange WHERE environment_id = %s"
_SAVE = """
INSERT INTO sync_checkpoint (id, flow_id, connection_id, stream, position, updated_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (flow_id, connection_id, stream) DO UPDATE SET position = EXCLUDED.position, updated_at = EXCLUDED.updated_at
"""


def open_history(context: RunContext) -> None:
    """This function will fix, before a flow reads anything, from where on it follows the history.

    Where there are records already, the rules go through all of them once; where there are none, all that comes is
    either read by the flow itself or a change by another one.
    """
    if context.is_dry or _find_position(context):
        return
    entities = _entities(context)
    last = fetch_rows(_LAST_CHANGE, [context.flow.environment_id])[0][0]
    has_records = bool(fetch_rows(_ALL, [context.flow.environment_id, entities, NONE, 1]))
    phase = "all" if has_records else "changes"
    with effects(context) as now:
        _save(context, {"version": _version(context), "phase": phase, "record": str(NONE), "change": last}, now)


def catch_up(context: RunContext) -> Iterator[int]:
    """This function will work off the rules for what others changed, batch by batch; yields how many records each time."""
    position = _find_position(context)
    if position is None:
        return
    environment_id, entities = context.flow.environment_id, _entities(context)
    while position["phase"] == "all":
        rows = fetch_rows(_ALL, [environment_id, entities, UUID(position["record"]), BATCH])
        if rows:
            position["record"] = str(rows[-1][0])
        if len(rows) < BATCH:
            position["phase"] = "changes"
        yield _work_off(context, [row[1] for row in rows], position)
    is_behind = True
    while is_behind:
        last = fetch_rows(_LAST_CHANGE, [environment_id])[0][0]
        rows = fetch_rows(_CHANGED, [environment_id, entities, position["change"], context.flow.pk, BATCH])
        is_behind = len(rows) == BATCH
        own = last - position["change"]
        position["change"] = rows[-1][0] if is_behind else max([last, *(row[0] for row in rows)])
        # The flow's own changes are passed over; the place is kept when that was a long way.
        if rows or own > WORTH_KEEPING:
            yield _work_off(context, [row[1] for row in rows], position)


def _entities(context: RunContext) -> list[str]:
    return sorted({rule.on for rule in context.spec.rules})


def _version(context: RunContext) -> str:
    return digest([msgspec.to_builtins(context.spec.rules), context.settings])


def _find_position(context: RunContext) -> dict[str, Any] | None:
    found = Checkpoint.objects.filter(flow=context.flow, stream=HISTORY).first()
    return dict(found.position) if found and found.position["version"] == _version(context) else None


def _save(context: RunContext, position: dict[str, Any], now: datetime) -> None:
    anchor = next(iter(context.systems.values())).connection.pk
    execute(_SAVE, [uuid7(), context.flow.pk, anchor, HISTORY, json_text(position), now])


def _work_off(context: RunContext, record_ids: Iterable[UUID], position: dict[str, Any]) -> int:
    with effects(context) as now:
        workspace = context.workspace()
        ids = list(dict.fromkeys(record_ids))
        workspace.load(ids)
        states = [state for state in map(workspace.find, ids) if state]
        draw_consequences(context, workspace, states, now)
        _save(context, position, now)
    return len(ids)


def retry_failures(context: RunContext) -> int:
    """This function will try again what waited for something else, and what a person asked for; returns how many."""
    open_ones = RecordFailure.objects.filter(flow=context.flow)
    asked = open_ones.filter(status=FailureStatus.RETRYING)
    waiting = open_ones.filter(status=FailureStatus.OPEN, error_class=ErrorClass.MISSING_REFERENCE)
    failures = list((asked | waiting).order_by("first_at", "id"))
    for failure in failures:
        system = next((s for s in context.systems.values() if s.connection.pk == failure.connection_id), None)
        if system is None:
            continue
        context.active = system
        if failure.direction == "read":
            _read_again(context, system, failure)
        elif failure.record_id:
            _write_again(context, system, failure)
    return len(failures)


def _read_again(context: RunContext, system: BoundSystem, failure: RecordFailure) -> None:
    read = next((r for r in context.spec.reads if r.stream == failure.object_name), None)
    spec = system.manifest.stream(failure.object_name)
    mapping = stream_mapping(system.manifest, spec, read.fields if read else None)
    record = system.connector.stream(failure.object_name).get(failure.external_id)
    if record is None:
        with effects(context) as now:
            RecordFailure.objects.filter(pk=failure.pk).update(
                status=FailureStatus.RESOLVED, resolved_at=now, resolved_by_label="System: gone at its source"
            )
        return
    StreamReader(context, system, mapping).take([record], None)


def _write_again(context: RunContext, system: BoundSystem, failure: RecordFailure) -> None:
    with effects(context) as now:
        workspace = context.workspace()
        assert failure.record_id is not None  # noqa: S101 - checked by the caller
        workspace.load([failure.record_id])
        state: State | None = workspace.find(failure.record_id)
        if state is None:
            RecordFailure.objects.filter(pk=failure.pk).update(status=FailureStatus.RESOLVED, resolved_at=now)
            return
        _release_uncertain(context, failure)
        consequences = draw_consequences(context, workspace, [state], now)
        plan = consequences.plan
        key = (state.id, system.connection.pk, failure.object_name)
        if failure.status == FailureStatus.RETRYING and key not in plan.writes:
            plan = _on_demand(context, workspace, system, failure.object_name, state, now) or plan
        if not _has_outcome(plan, key) and state.id not in consequences.stuck:
            RecordFailure.objects.filter(pk=failure.pk).update(
                status=FailureStatus.RESOLVED, resolved_at=now, resolved_by_label="System: no longer needed"
            )


def _on_demand(
    context: RunContext, workspace: Workspace, system: BoundSystem, sink: str, state: State, now: datetime
) -> Plan | None:
    """Written because others needed it: no rule asks for it."""
    if not any(spec.name == sink for spec in system.manifest.sinks):
        return None
    plan = Planner(context, workspace).again(system, sink, [state], None)
    settle_plan(context, plan, now)
    return plan


def _has_outcome(plan: Plan, key: tuple[UUID, UUID, str]) -> bool:
    return key in plan.writes or any(
        (problem.state.id, problem.system.connection.pk, problem.mapping.spec.name) == key for problem in plan.problems
    )


def _release_uncertain(context: RunContext, failure: RecordFailure) -> None:
    """A person looked and found nothing: only then an unconfirmed create is sent again."""
    if failure.error_class == ErrorClass.UNCERTAIN and failure.status == FailureStatus.RETRYING:
        WriteIntent.objects.filter(
            flow=context.flow, record_id=failure.record_id, object_name=failure.object_name,
            status=IntentStatus.UNCERTAIN,
        ).update(status=IntentStatus.PLANNED, sent_at=None, payload={}, payload_hash="")  # fmt: skip
