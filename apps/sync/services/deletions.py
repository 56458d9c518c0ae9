"""Full comparisons, and a person's word on deletions that seemed too many."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.canonical.workspace import lock_environment
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.flows.models import Flow
from apps.sync.engine.context import build_context
from apps.sync.engine.deletions import apply_deletions
from apps.sync.models import DeletionReview, Removal, RemovalStatus, ReviewStatus, RunTrigger, SyncRun
from apps.sync.services.runs import make_due, queue_run, start_run


class UnableToReview(Conflict):
    """The review is answered already, or overtaken by a newer one."""


def start_reconcile(*, actor: Actor, now: datetime, flow: Flow) -> SyncRun:
    """This function will queue a run that reads everything and finds what vanished. Raises UnableToStartRun."""
    actor.require("integrations.manage")
    return start_run(actor=actor, now=now, flow=flow, trigger=RunTrigger.RECONCILE)


@transaction.atomic
def approve_deletions(*, actor: Actor, now: datetime, review: DeletionReview) -> DeletionReview:
    """This function will let exactly the listed deletions through. Raises UnableToReview, NotVisible, NotPermitted."""
    locked = _answer(actor, now, review, ReviewStatus.APPROVED)
    planned = Removal.objects.filter(
        flow=locked.flow, connection_id=locked.connection_id, object_name=locked.object_name,
        status=RemovalStatus.PLANNED, external_id__in=locked.external_ids,
    )  # fmt: skip
    if locked.is_removal:
        planned.update(is_approved=True)
    else:
        context = build_context(locked.flow, None)
        system = context.system_of(locked.connection_id)
        entity = system.manifest.stream(locked.object_name).entity
        apply_deletions(context, system, locked.object_name, entity, locked.external_ids, now)
        # Whoever approved that they are gone here has seen the number.
        Removal.objects.filter(flow=locked.flow, status=RemovalStatus.PLANNED, planned_at=now).update(is_approved=True)
    queue_run(flow=locked.flow, trigger=RunTrigger.MANUAL, label=actor.label, now=now)
    make_due(locked.flow_id, now)
    return locked


@transaction.atomic
def reject_deletions(*, actor: Actor, now: datetime, review: DeletionReview) -> DeletionReview:
    """This function will keep the records; planned removals are dropped. Raises UnableToReview, NotVisible, NotPermitted."""
    locked = _answer(actor, now, review, ReviewStatus.REJECTED)
    if locked.is_removal:
        Removal.objects.filter(
            flow=locked.flow, connection_id=locked.connection_id, object_name=locked.object_name,
            status=RemovalStatus.PLANNED, external_id__in=locked.external_ids,
        ).update(status=RemovalStatus.DROPPED, finished_at=now)  # fmt: skip
    return locked


def _answer(actor: Actor, now: datetime, review: DeletionReview, status: ReviewStatus) -> DeletionReview:
    actor.require("integrations.manage")
    actor.require_sight(review.customer_id, "There is no such question.")
    lock_environment(review.environment_id)
    related = DeletionReview.objects.select_related(
        "flow__integration", "flow__environment", "flow__customer", "flow__current_version", "connection"
    )
    locked = related.select_for_update(of=("self",)).get(pk=review.pk)
    if locked.status != ReviewStatus.WAITING:
        raise UnableToReview("This is answered already. Go back to the list for what still waits for an answer.")
    locked.status, locked.answered_at, locked.answered_by_label = status, now, actor.label
    locked.save(update_fields=["status", "answered_at", "answered_by_label"])
    record_change(
        actor=actor, now=now, target=locked.flow, action=f"deletions.{status}",
        after={"object": locked.object_name, "count": locked.count},
    )  # fmt: skip
    return locked
