"""The error desk's actions: try again, all of them again, leave it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotVisible
from apps.dispatch.services import schedule
from apps.flows.models import Flow, IntegrationStatus
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.sync.models import FailureStatus, RecordFailure, RunTrigger
from apps.sync.services.runs import queue_run


class UnableToRetry(Conflict):
    """The failure is settled already, or its integration does not run."""


def retry_failure(*, actor: Actor, now: datetime, failure: RecordFailure) -> RecordFailure:
    """This function will have this one record tried again at once, from its source or from what we know of it.

    Raises UnableToRetry, NotVisible, NotPermitted.
    """
    if retry_failures(actor=actor, now=now, failure_ids=[failure.pk]) == 0:
        raise UnableToRetry("This entry is settled already.")
    failure.refresh_from_db()
    return failure


@transaction.atomic
def retry_failures(*, actor: Actor, now: datetime, failure_ids: Iterable[UUID]) -> int:
    """This function will have the open ones among these tried again, oldest first; returns how many."""
    actor.require("errors.resolve")
    visible = RecordFailure.objects.visible_to(actor).filter(pk__in=list(failure_ids), status=FailureStatus.OPEN)
    chosen = list(visible.select_for_update().order_by("first_at", "id").values_list("pk", "flow_id"))
    flows = Flow.objects.filter(pk__in={flow_id for _, flow_id in chosen}).select_related("integration", "customer")
    for flow in flows:
        if flow.integration.status in (IntegrationStatus.PAUSED, IntegrationStatus.RETIRED):
            raise UnableToRetry(f"The integration {flow.integration.name} does not run. Resume it first.")
    RecordFailure.objects.filter(pk__in=[pk for pk, _ in chosen]).update(status=FailureStatus.RETRYING)
    for flow in flows:
        queue_run(flow=flow, trigger=RunTrigger.RETRY, label=actor.label, now=now)
        schedule(kind=FLOW_DUE_KIND, key=str(flow.pk), due_at=now, priority=3)
        count = sum(1 for _, flow_id in chosen if flow_id == flow.pk)
        record_audit(
            actor=actor, action="failures.retried", target_key=f"flow:{flow.pk}", target_label=flow.name,
            owner_key=f"customer:{flow.customer_id}", after={"count": count}, now=now,
        )  # fmt: skip
    return len(chosen)


@transaction.atomic
def ignore_failure(*, actor: Actor, now: datetime, failure: RecordFailure, reason: str) -> RecordFailure:
    """This function will leave the record as it is, for as long as it fails for the same cause. Raises UnableToRetry."""
    actor.require("errors.resolve")
    if not actor.sees(failure.customer_id):
        raise NotVisible("There is no such entry.")
    locked = RecordFailure.objects.select_for_update().get(pk=failure.pk)
    if locked.status not in (FailureStatus.OPEN, FailureStatus.RETRYING):
        raise UnableToRetry("This entry is settled already.")
    if not reason.strip():
        raise UnableToRetry("Say why this can be left.", field="reason")
    locked.status, locked.ignore_reason = FailureStatus.IGNORED, reason.strip()[:300]
    locked.resolved_at, locked.resolved_by_label = now, actor.label
    locked.save(update_fields=["status", "ignore_reason", "resolved_at", "resolved_by_label"])
    record_audit(
        actor=actor, action="failure.ignored", target_key=f"failure:{failure.pk}", target_label=failure.record_title,
        owner_key=f"customer:{failure.customer_id}", after={"reason": locked.ignore_reason}, now=now,
    )  # fmt: skip
    return locked
