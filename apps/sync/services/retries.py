"""Many failed records tried again as one piece of work: counted exactly, watched, canceled."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotVisible
from apps.sync.models import FailureRetry, FailureStatus, RecordFailure
from apps.sync.services.failures import NOT_RUNNING, UnableToRetry, ask_again


class UnableToCancelRetry(Conflict):
    """There is nothing left to withdraw."""


@transaction.atomic
def start_retry(
    *, actor: Actor, now: datetime, failures: QuerySet[RecordFailure], label: str
) -> FailureRetry:  # fmt: skip
    """This function will have all the open ones among `failures` tried again in the background, by their flows' runs.

    Those of integrations that do not run are left out and counted. Raises UnableToRetry when nothing is left.
    """
    actor.require("errors.resolve")
    visible = RecordFailure.objects.visible_to(actor).filter(pk__in=failures.order_by().values("pk"))
    is_open = visible.filter(status=FailureStatus.OPEN)
    left_out = is_open.filter(NOT_RUNNING).count()
    running = is_open.exclude(NOT_RUNNING)
    customers = sorted(set(running.order_by().values_list("customer_id", flat=True).distinct()))
    if not customers:
        raise UnableToRetry(
            "Their integrations do not run. Resume them first." if left_out else "These entries are settled already."
        )
    retry = FailureRetry.objects.create(
        customer_ids=customers, label=label[:300], total=0, left_out_count=left_out, requested_by_label=actor.label,
        requested_at=now,
    )  # fmt: skip
    retry.total = ask_again(actor, running, retry, now)
    retry.save(update_fields=["total"])
    return retry


@transaction.atomic
def cancel_retry(*, actor: Actor, now: datetime, retry: FailureRetry) -> FailureRetry:
    """This function will put back what was not tried yet; what is on its way to a system arrives.

    Raises UnableToCancelRetry, NotVisible.
    """
    actor.require("errors.resolve")
    locked = FailureRetry.objects.visible_to(actor).select_for_update().filter(pk=retry.pk).first()
    if locked is None:
        raise NotVisible("There is no such retry.")
    waiting = RecordFailure.objects.filter(retry=locked, status=FailureStatus.RETRYING)
    withdrawn = waiting.update(status=FailureStatus.OPEN, retry=None)
    if not withdrawn:
        raise UnableToCancelRetry("Everything has been tried already.")
    locked.canceled_at, locked.withdrawn_count = now, locked.withdrawn_count + withdrawn
    locked.save(update_fields=["canceled_at", "withdrawn_count"])
    for customer_id in locked.customer_ids:
        record_audit(
            actor=actor, action="failures.retry_canceled", target_key=f"retry:{locked.pk}", target_label=locked.label,
            owner_key=f"customer:{customer_id}", after={"withdrawn": withdrawn}, now=now,
        )  # fmt: skip
    return locked
