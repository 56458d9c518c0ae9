"""What a flow's rules must see although its own pages did not bring it: other flows' changes, and earlier failures.

Another flow may have read a record first (then it is unchanged for us), and a new flow finds records that were there
before it. The position in the change history is kept like a checkpoint; a new flow version starts over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby, islice
from typing import Any
from uuid import UUID

import msgspec

from apps.canonical.workspace import State, Workspace
from apps.core.bulk import execute, fetch_rows, json_text
from apps.core.expressions.guards import tokenize
from apps.core.ids import uuid7
from apps.flows.definition import RuleSpec
from apps.sync.engine.claim import effects
from apps.sync.engine.consequences import draw_consequences, settle_plan
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.hashing import digest
from apps.sync.engine.invoiced_time import OBJECT as INVOICED_TIME
from apps.sync.engine.invoiced_time import look_again
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
    position = {
        "version": _version(context), "phase": phase, "record": str(NONE), "change": last, "day": context.today,
    }  # fmt: skip
    with effects(context) as now:
        _save(context, position, now)


def catch_up(context: RunContext) -> Iterator[int]:
    """This function will work off the rules for what others changed, batch by batch; yields how many records each time."""
    position = _find_position(context)
    if position is None:
        return
    environment_id, entities, dated = context.flow.environment_id, _entities(context), _dated_entities(context)
    if dated and position["phase"] == "changes" and position.get("day") != context.today:
        # A new day: what was due today yesterday is late now, although nothing of it changed.
        position.update(phase="day", record=str(NONE), day=context.today)
    while position["phase"] != "changes":
        passed = entities if position["phase"] == "all" else dated
        rows = fetch_rows(_ALL, [environment_id, passed, UUID(position["record"]), BATCH])
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


def _dated_entities(context: RunContext) -> list[str]:
    """Those whose rules look at the calendar."""
    return sorted({rule.on for rule in context.spec.rules if any("today" in tokenize(s) for s in _sources(rule))})


def _sources(rule: RuleSpec) -> list[str]:
    told = [rule.notify.subject, rule.notify.text] if rule.notify else []
    inputs = rule.call.inputs.values() if rule.call else []
    return [rule.when, rule.gather, *rule.fields.values(), *inputs, *told]


def _version(context: RunContext) -> str:
    # Changed mappings count too: what is written by them is planned again for every record.
    spec = context.spec
    mappings = [msgspec.to_builtins(spec.mappings)] if spec.mappings else []
    return digest([msgspec.to_builtins(spec.rules), context.settings, *mappings])


def _find_position(context: RunContext) -> dict[str, Any] | None:
    """Looked up once a run, once there is one: only this run moves it on."""
    if HISTORY not in context.caches:
        found = Checkpoint.objects.filter(flow=context.flow, stream=HISTORY).first()
        if found is None or found.position["version"] != _version(context):
            return None
        context.caches[HISTORY] = found.position
    return dict(context.caches[HISTORY])


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
    for place, alike in groupby(failures, key=lambda f: (f.connection_id, f.direction, f.object_name)):
        system = next((s for s in context.systems.values() if s.connection.pk == place[0]), None)
        if system is None:
            continue
        context.active = system
        again = _read_again if place[1] == "read" else _write_again
        for batch in batched(alike, BATCH):
            if wanted := _still_wanted(batch):
                again(context, system, wanted)
            context.check()
    return len(failures)


def batched(items: Iterable[RecordFailure], size: int) -> Iterator[list[RecordFailure]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _still_wanted(failures: list[RecordFailure]) -> list[RecordFailure]:
    """Without those that a person withdrew while the ones before them were tried."""
    states = dict(RecordFailure.objects.filter(pk__in=[f.pk for f in failures]).values_list("pk", "status"))
    return [failure for failure in failures if states.get(failure.pk) == failure.status]


def _read_again(context: RunContext, system: BoundSystem, failures: list[RecordFailure]) -> None:
    name = failures[0].object_name
    read = next((r for r in context.spec.reads if r.stream == name), None)
    mapping = stream_mapping(system.manifest, system.manifest.stream(name), read.fields if read else None)
    stream = system.connector.stream(name)
    found = {failure.pk: stream.get(failure.external_id) for failure in failures}
    gone = [failure_id for failure_id, record in found.items() if record is None]
    if gone:
        with effects(context) as now:
            _settle(gone, "System: gone at its source", now)
    records = [record for record in found.values() if record is not None]
    if records:
        StreamReader(context, system, mapping).take(records, None)


def _write_again(context: RunContext, system: BoundSystem, failures: list[RecordFailure]) -> None:
    name = failures[0].object_name
    with effects(context) as now:
        workspace = context.workspace()
        workspace.load(failure.record_id for failure in failures if failure.record_id)
        states = {f.pk: state for f in failures if (state := workspace.find(f.record_id))}
        if name == INVOICED_TIME:
            look_again([(f, states[f.pk]) for f in failures if f.pk in states], now)
            return
        _settle([f.pk for f in failures if f.record_id and f.pk not in states], "", now)
        for failure in failures:
            _release_uncertain(context, failure)
        consequences = draw_consequences(context, workspace, list(states.values()), now)
        outcomes = _outcomes(consequences.plan)
        asked = [f for f in failures if f.pk in states and f.status == FailureStatus.RETRYING]
        unplanned = [states[f.pk] for f in asked if _key(system, f) not in consequences.plan.writes]
        outcomes |= _on_demand(context, workspace, system, name, unplanned, now)
        needless = [f.pk for f in failures if f.pk in states and _key(system, f) not in outcomes]
        stuck = {f.pk for f in failures if f.record_id in consequences.stuck}
        _settle([pk for pk in needless if pk not in stuck], "System: no longer needed", now)


def _settle(failure_ids: list[UUID], label: str, now: datetime) -> None:
    if failure_ids:
        RecordFailure.objects.filter(pk__in=failure_ids).update(
            status=FailureStatus.RESOLVED, resolved_at=now, resolved_by_label=label
        )


def _key(system: BoundSystem, failure: RecordFailure) -> tuple[Any, ...]:
    return (failure.record_id, system.connection.pk, failure.object_name)


def _on_demand(
    context: RunContext, workspace: Workspace, system: BoundSystem, sink: str, states: list[State], now: datetime
) -> set[tuple[Any, ...]]:
    """Written because others needed them: no rule asks for them. Returns for which this came to something."""
    if not states or not any(spec.name == sink for spec in system.manifest.sinks):
        return set()
    plan = Planner(context, workspace).again(system, sink, states, None)
    settle_plan(context, plan, now)
    return _outcomes(plan)


def _outcomes(plan: Plan) -> set[tuple[Any, ...]]:
    """What is planned now, or failed again."""
    problems = {(p.state.id, p.system.connection.pk, p.mapping.spec.name) for p in plan.problems}
    return problems | set(plan.writes)


def _release_uncertain(context: RunContext, failure: RecordFailure) -> None:
    """A person looked and found nothing: only then an unconfirmed create is sent again."""
    if failure.error_class == ErrorClass.UNCERTAIN and failure.status == FailureStatus.RETRYING:
        WriteIntent.objects.filter(
            flow=context.flow, record_id=failure.record_id, object_name=failure.object_name,
            status=IntentStatus.UNCERTAIN,
        ).update(status=IntentStatus.PLANNED, sent_at=None, payload={}, payload_hash="")  # fmt: skip
