"""Answering “are these two the same?”, with what follows: writes that waited go on, merged records are written anew."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
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
from apps.flows.models import Flow, IntegrationStatus
from apps.sync.models import UNSOLVED, FailureStatus, IntentStatus, RecordFailure, RunTrigger, WriteIntent
from apps.sync.services.runs import make_due, queue_run


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
    demand_quiet([merge.kept_id])
    record = unmerge_records(actor=actor, now=now, merge=merge, ask_again=ask_again)
    wake_flows(merge.environment_id, actor, now)
    return record


@transaction.atomic
def answer_value(*, actor: Actor, now: datetime, question: FieldQuestion, answer: str) -> FieldQuestion:
    """This function will make the record's value (`ours`) or the system's (`theirs`) the one everywhere. Raises UnableToDecide."""
    answered = decide_value(actor=actor, now=now, question=question, answer=answer)
    wake_flows(question.environment_id, actor, now)
    return answered


def _merge(actor: Actor, now: datetime, question: MatchQuestion, take: Collection[str]) -> RecordMerge:
    """Whichever of the two stays: the newcomer is right in `take`, the known record in the rest of what it says."""
    keep, _ = order_pair(question.right, question.left)
    chosen = chosen_fields(question, keep, take)
    return merge_settled(actor=actor, now=now, first=question.right, second=question.left, take=chosen)


def chosen_fields(question: MatchQuestion, keep: CanonicalRecord, take: Collection[str]) -> Collection[str]:
    """The fields in which the record that ends is right, when the newcomer is right in `take`."""
    return take if keep == question.right else [name for name in question.right.data if name not in take]


def merge_settled(
    *, actor: Actor, now: datetime, first: CanonicalRecord, second: CanonicalRecord, take: Collection[str] = (),
    batch_id: UUID | None = None,
) -> RecordMerge:  # fmt: skip
    """This function will merge two records of which nothing is on its way to a system. Raises UnableToMerge."""
    demand_quiet([first.pk, second.pk])
    merge = merge_records(actor=actor, now=now, first=first, second=second, take=take, batch_id=batch_id)
    RecordFailure.objects.filter(record_id=merge.dropped_id, status__in=UNSOLVED).update(
        status=FailureStatus.RESOLVED, resolved_at=now, resolved_by_label=f"{actor.label}: merged"
    )
    return merge


def demand_quiet(record_ids: list[UUID]) -> None:
    """Raises UnableToMerge while one of the records is on its way to a system."""
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
        make_due(flow.pk, now)
