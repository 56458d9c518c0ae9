"""The error desk's actions: try again, all of them again, leave it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.audit.services import record_audit, record_change
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.flows.models import Flow, IntegrationStatus
from apps.sync.models import FailureNote, FailureRetry, FailureStatus, NoteKind, RecordFailure, RunTrigger
from apps.sync.services.runs import make_due, queue_run

NOT_RUNNING = Q(flow__integration__status__in=[IntegrationStatus.PAUSED, IntegrationStatus.RETIRED])


class UnableToRetry(Conflict):
    """The failure is settled already, or its integration does not run."""


def retry_failure(*, actor: Actor, now: datetime, failure: RecordFailure) -> RecordFailure:
    """This function will have this one record tried again at once, from its source or from what we know of it.

    Raises UnableToRetry, NotVisible, NotPermitted.
    """
    if retry_failures(actor=actor, now=now, failure_ids=[failure.pk]) == 0:
        raise UnableToRetry("This entry is settled already. Go back to the error desk for what is still open.")
    failure.refresh_from_db()
    return failure


@transaction.atomic
def retry_failures(*, actor: Actor, now: datetime, failure_ids: Iterable[UUID]) -> int:
    """This function will have the open ones among these tried again, oldest first; returns how many."""
    actor.require("errors.resolve")
    visible = RecordFailure.objects.visible_to(actor).filter(pk__in=list(failure_ids), status=FailureStatus.OPEN)
    for name in visible.filter(NOT_RUNNING).values_list("flow__integration__name", flat=True)[:1]:
        raise UnableToRetry(f"The integration {name} does not run. Resume it first.")
    return ask_again(actor, visible, now)


def ask_again(actor: Actor, failures: QuerySet[RecordFailure], now: datetime) -> int:
    """This function will mark the failures and have their flows run: the engine tries them again, oldest first."""
    by_flow = mark_asked(actor.label, failures, None, now)
    start_flows(actor.label, by_flow, now)
    for flow in Flow.objects.filter(pk__in=by_flow):
        record_change(actor=actor, now=now, target=flow, action="failures.retried", after={"count": by_flow[flow.pk]})
    return by_flow.total()


def mark_asked(
    label: str, failures: QuerySet[RecordFailure], retry: FailureRetry | None, now: datetime
) -> Counter[UUID]:  # fmt: skip
    """This function will mark them as wanted again by the person of this name; returns how many by flow."""
    chosen = dict(failures.select_for_update(of=("self",)).order_by("id").values_list("pk", "flow_id"))
    marked = RecordFailure.objects.filter(pk__in=list(chosen))
    marked.update(status=FailureStatus.RETRYING, retry=retry)
    note_failures(label, marked, NoteKind.RETRIED, "", now)
    return Counter(chosen.values())


def start_flows(label: str, flow_ids: Iterable[UUID], now: datetime) -> None:
    """This function will have the flows run at once: what is marked is tried again by their next run."""
    for flow in Flow.objects.filter(pk__in=list(flow_ids)).select_related("integration", "customer"):
        queue_run(flow=flow, trigger=RunTrigger.RETRY, label=label, now=now)
        make_due(flow.pk, now)


def note_failures(label: str, failures: QuerySet[RecordFailure], kind: NoteKind, text: str, now: datetime) -> None:
    """This function will put what was done on each failure's record of who did what."""
    owners = failures.values_list("pk", "customer_id", "environment_id")
    notes = (
        FailureNote(
            failure_id=pk, customer_id=customer_id, environment_id=environment_id, kind=kind, text=text[:2000],
            by_label=label, at=now,
        )
        for pk, customer_id, environment_id in owners
    )  # fmt: skip
    FailureNote.objects.bulk_create(notes, batch_size=1000)


@transaction.atomic
def ignore_failure(*, actor: Actor, now: datetime, failure: RecordFailure, reason: str) -> RecordFailure:
    """This function will leave the record as it is, for as long as it fails for the same cause. Raises UnableToRetry."""
    actor.require("errors.resolve")
    actor.require_sight(failure.customer_id, "There is no such entry.")
    locked = RecordFailure.objects.select_for_update().get(pk=failure.pk)
    if locked.status not in (FailureStatus.OPEN, FailureStatus.RETRYING):
        raise UnableToRetry("This entry is settled already. Go back to the error desk for what is still open.")
    if not reason.strip():
        raise UnableToRetry("Say why this can be left.", field="reason")
    locked.status, locked.ignore_reason = FailureStatus.IGNORED, reason.strip()[:300]
    locked.resolved_at, locked.resolved_by_label = now, actor.label
    locked.save(update_fields=["status", "ignore_reason", "resolved_at", "resolved_by_label"])
    note_failures(actor.label, RecordFailure.objects.filter(pk=locked.pk), NoteKind.IGNORED, locked.ignore_reason, now)
    record_audit(
        actor=actor, action="failure.ignored", target_key=f"failure:{failure.pk}", target_label=failure.record_title,
        owner_key=failure.owner_key, after={"reason": locked.ignore_reason}, now=now,
    )  # fmt: skip
    return locked
