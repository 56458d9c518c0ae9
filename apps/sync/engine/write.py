"""Sending planned intents, batch by batch: committed as sent, then called, then confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.canonical.references import by_record
from apps.canonical.workspace import State, Workspace
from apps.connectors.sdk.types import WriteRequest
from apps.sync.engine.claim import effects
from apps.sync.engine.confirm import Answer, confirm
from apps.sync.engine.consequences import settle_plan
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.crashpoints import crash_here
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.intents import end_intents, mark_sent, planned_intents, under_way_elsewhere
from apps.sync.engine.plan import Plan, Planner, PlanProblem
from apps.sync.models import ErrorClass, IntentStatus, WriteIntent


@dataclass
class Batch:
    """Intents committed as sent, with the ids of the objects to update."""

    system: BoundSystem
    sink: str
    intents: list[WriteIntent]
    external_ids: dict[UUID, str]


def send_next(context: RunContext, left_out: set[UUID]) -> bool:
    """This function will send one batch; False when nothing is left that could be sent now.

    `left_out` collects intents that must wait for another write to the same record. Raises the connector's errors:
    then the outcome of the batch is unknown, and `recover` finds out.
    """
    first = planned_intents(context.flow.pk, left_out).first()
    if first is None:
        return False
    system = context.system_of(first.connection_id)
    sink = system.connector.sink(first.object_name)
    batch = _prepare(context, system, first, left_out)
    if not batch.intents:
        return True
    crash_here("intents_sent")
    results = sink.write([_request(intent, batch) for intent in batch.intents])
    crash_here("vendor_called")
    if len(results) != len(batch.intents):
        raise RuntimeError(f"{system.manifest.key}: {len(results)} results for {len(batch.intents)} requests")
    answers = [Answer(i, r.record, r.error) for i, r in zip(batch.intents, results, strict=True)]
    confirm(context, system, batch.sink, answers)
    return True


def _request(intent: WriteIntent, batch: Batch) -> WriteRequest:
    return WriteRequest(key=intent.key, payload=intent.payload, external_id=batch.external_ids.get(intent.record_id))


def _prepare(context: RunContext, system: BoundSystem, first: WriteIntent, left_out: set[UUID]) -> Batch:
    spec = system.manifest.sink(first.object_name)
    with effects(context) as now:
        alike = planned_intents(context.flow.pk, left_out).filter(
            connection_id=first.connection_id, object_name=first.object_name, rank=first.rank
        )
        intents = list(alike[: max(spec.batch_size, 1)])
        blocked = under_way_elsewhere(intents)
        left_out |= blocked
        intents = [intent for intent in intents if intent.pk not in blocked]
        workspace = context.workspace()
        workspace.load(intent.record_id for intent in intents)
        ready = _renew(context, system, workspace, intents, left_out, now)
        references = by_record(system.connection.pk, [intent.record_id for intent in ready])
        ids = {
            i.record_id: references[i.record_id, spec.stream].external_id
            for i in ready
            if (i.record_id, spec.stream) in references
        }
        mark_sent(ready, context.run_id, now)
    return Batch(system, first.object_name, ready, ids)


def _renew(
    context: RunContext, system: BoundSystem, workspace: Workspace, intents: list[WriteIntent], left_out: set[UUID],
    now: datetime,
) -> list[WriteIntent]:  # fmt: skip
    """The intents with the payload of this moment; those that need no call any more, or cannot be sent, are ended."""
    ready: list[WriteIntent] = []
    stale: list[WriteIntent] = []
    for intent in intents:
        state = workspace.find(intent.record_id)
        is_frozen = intent.sent_at is not None and bool(intent.payload)
        is_current = bool(intent.payload) and state is not None and state.version == intent.record_version
        (ready if is_frozen or is_current else stale).append(intent)
    return [*ready, *(i for i in stale if _plan_again(context, system, workspace, i, left_out, now))]


def _is_on_its_way(state: State, system: BoundSystem) -> bool:
    """Something the record refers to is sent, its outcome still open: then this is no failure, only later."""
    return WriteIntent.objects.filter(
        connection=system.connection, record_id__in=state.links.values(), status=IntentStatus.SENT
    ).exists()


def _plan_again(
    context: RunContext, system: BoundSystem, workspace: Workspace, intent: WriteIntent, left_out: set[UUID],
    now: datetime,
) -> bool:  # fmt: skip
    """True when the intent can be sent now; otherwise it was ended, or left out for later."""
    state = workspace.find(intent.record_id)
    plan = Planner(context, workspace).again(system, intent.object_name, [state] if state else [], intent.rule)
    own = plan.writes.get((intent.record_id, system.connection.pk, intent.object_name))
    if own and own.desired:
        intent.kind, intent.payload, intent.diff = own.kind, own.desired.payload, own.desired.diff
        intent.payload_hash, intent.rest_hash = own.desired.payload_hash, own.desired.rest_hash
        intent.record_version = own.state.version
        return True
    if own and _is_on_its_way(own.state, system):
        left_out.add(intent.pk)
        return False
    if own or plan.problems:
        if own:  # what it waits for was tried before it and did not get there
            message = f"A record it refers to could not be written to {system.connection.name}."
            problem = RecordProblem(ErrorClass.MISSING_REFERENCE, message, code="waits")
            plan.problems.append(PlanProblem(own.state, system, own.mapping, problem))
        settle_plan(context, Plan(problems=plan.problems), now)
        end_intents([intent], IntentStatus.REJECTED, now)
    else:
        settle_plan(context, Plan(held=plan.held), now)
        context.journal.count("unchanged")
        intent.delete()
    return False
