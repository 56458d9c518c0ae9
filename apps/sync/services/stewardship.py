"""Answering “are these two the same?”, with what follows: writes that waited go on, merged records are written anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.canonical.models import CanonicalRecord, FieldQuestion, MatchQuestion, RecordMerge
from apps.canonical.services import (
    UnableToMerge,
    decide_value,
    keep_apart,
    merge_records,
    order_pair,
    put_off,
    unmerge_records,
)
from apps.core.actor import Actor
from apps.dispatch.services import schedule
from apps.flows.models import Flow, IntegrationStatus
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.sync.engine.consequences import draw_consequences
from apps.sync.engine.context import build_context
from apps.sync.engine.plan import PlannedWrite
from apps.sync.models import FailureStatus, IntentStatus, RecordFailure, RunTrigger, WriteIntent
from apps.sync.services.runs import queue_run


@dataclass(frozen=True, slots=True)
class PlannedUpdate:
    """What a system would be told after the merge. `diff` is {the vendor's field: [now, then]}."""

    system: str
    object_label: str
    action: str
    diff: dict[str, list[Any]]


@transaction.atomic
def answer_same(*, actor: Actor, now: datetime, question: MatchQuestion, take: Collection[str] = ()) -> RecordMerge:
    """This function will merge the two; flows write on what follows. `take`: fields in which the newcomer is right.

    Raises UnableToMerge.
    """
    merge = _merge(actor, now, question, take)
    wake_flows(question.environment_id, actor, now)
    return merge


@transaction.atomic
def answer_different(*, actor: Actor, now: datetime, question: MatchQuestion) -> MatchQuestion:
    """This function will keep the two apart for good; what was held is written with the next run. Raises UnableToAnswer."""
    answered = keep_apart(actor=actor, now=now, question=question)
    wake_flows(question.environment_id, actor, now)
    return answered


def answer_later(*, actor: Actor, now: datetime, question: MatchQuestion) -> MatchQuestion:
    """Raises UnableToAnswer."""
    return put_off(actor=actor, now=now, question=question)


@transaction.atomic
def undo_merge(*, actor: Actor, now: datetime, merge: RecordMerge, ask_again: bool = False) -> CanonicalRecord:
    """This function will part what was merged and have each system told. Raises UnableToUnmerge, UnableToMerge."""
    _demand_quiet([merge.kept_id])
    record = unmerge_records(actor=actor, now=now, merge=merge, ask_again=ask_again)
    wake_flows(merge.environment_id, actor, now)
    return record


@transaction.atomic
def answer_value(*, actor: Actor, now: datetime, question: FieldQuestion, answer: str) -> FieldQuestion:
    """This function will make the record's value (`ours`) or the system's (`theirs`) the one everywhere. Raises UnableToDecide."""
    answered = decide_value(actor=actor, now=now, question=question, answer=answer)
    wake_flows(question.environment_id, actor, now)
    return answered


def preview_merge(
    *, actor: Actor, now: datetime, question: MatchQuestion, take: Collection[str] = ()
) -> list[PlannedUpdate]:
    """What the live flows would write after this merge: the real merge and the real planning, rolled back.

    Raises UnableToMerge.
    """
    with transaction.atomic():
        merge = _merge(actor, now, question, take)
        planned = [write for flow in live_flows(question.environment_id) for write in _plan(flow, merge.kept_id, now)]
        transaction.set_rollback(True)
    unique = {(w.system.connection.pk, w.mapping.spec.name, w.state.id): w for w in planned if w.desired}
    return [
        PlannedUpdate(w.system.connection.name, w.mapping.spec.label, str(w.kind), w.desired.diff if w.desired else {})
        for w in unique.values()
    ]


def _plan(flow: Flow, record_id: UUID, now: datetime) -> Iterable[PlannedWrite]:
    context = build_context(flow, None)
    workspace = context.workspace()
    workspace.load([record_id])
    state = workspace.find(record_id)
    if state is None:
        return []
    return draw_consequences(context, workspace, [state], now).plan.writes.values()


def _merge(actor: Actor, now: datetime, question: MatchQuestion, take: Collection[str]) -> RecordMerge:
    """Whichever of the two stays: the newcomer is right in `take`, the known record in the rest of what it says."""
    keep, _ = order_pair(question.right, question.left)
    chosen = take if keep == question.right else [name for name in question.right.data if name not in take]
    return merge_settled(actor=actor, now=now, first=question.right, second=question.left, take=chosen)


def merge_settled(
    *, actor: Actor, now: datetime, first: CanonicalRecord, second: CanonicalRecord, take: Collection[str] = (),
    batch_id: UUID | None = None,
) -> RecordMerge:  # fmt: skip
    """This function will merge two records of which nothing is on its way to a system. Raises UnableToMerge."""
    _demand_quiet([first.pk, second.pk])
    merge = merge_records(actor=actor, now=now, first=first, second=second, take=take, batch_id=batch_id)
    open_ones = [FailureStatus.OPEN, FailureStatus.RETRYING]
    RecordFailure.objects.filter(record_id=merge.dropped_id, status__in=open_ones).update(
        status=FailureStatus.RESOLVED, resolved_at=now, resolved_by_label=f"{actor.label}: merged"
    )
    return merge


def _demand_quiet(record_ids: list[UUID]) -> None:
    under_way = WriteIntent.objects.filter(
        record_id__in=record_ids, status__in=[IntentStatus.SENT, IntentStatus.UNCERTAIN]
    )
    if under_way.exists():
        raise UnableToMerge("One of the two is being written to a system at this moment. Answer again in a minute.")


def live_flows(environment_id: UUID) -> list[Flow]:
    related = Flow.objects.select_related("integration", "environment", "customer", "current_version")
    return list(
        related.filter(
            environment_id=environment_id, is_enabled=True, integration__status=IntegrationStatus.LIVE
        ).order_by("created_at", "id")
    )


def wake_flows(environment_id: UUID, actor: Actor, now: datetime) -> None:
    """This function will have the environment's live flows run now: they find what changed in the history."""
    for flow in live_flows(environment_id):
        queue_run(flow=flow, trigger=RunTrigger.MANUAL, label=actor.label, now=now)
        schedule(kind=FLOW_DUE_KIND, key=str(flow.pk), due_at=now, priority=3)
