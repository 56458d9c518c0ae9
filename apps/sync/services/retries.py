"""Many failed records tried again as one piece of work: counted exactly, watched, canceled.

Who asks waits for no row: the ids are kept, oldest first, and marked by a worker in batches. Each batch commits with
its place in the list, so that whoever takes over from a worker that died goes on behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotVisible
from apps.customers.askers import RightsGone, note_asker, present_asker
from apps.dispatch.services import cancel, complete, extend_lease, schedule
from apps.sync.models import FailureRetry, FailureStatus, RecordFailure
from apps.sync.services.failures import NOT_RUNNING, UnableToRetry, mark_asked, start_flows
from apps.sync.services.runs import AWAITED

RETRY_KIND = "sync.retry"
PERMISSION = "errors.resolve"
BATCH = 1000


class UnableToCancelRetry(Conflict):
    """There is nothing left to withdraw."""


@transaction.atomic
def start_retry(
    *, actor: Actor, now: datetime, failures: QuerySet[RecordFailure], label: str
) -> FailureRetry:  # fmt: skip
    """This function will have all the open ones among `failures` tried again in the background, by their flows' runs.

    Those of integrations that do not run are left out and counted. Raises UnableToRetry when nothing is left.
    """
    actor.require(PERMISSION)
    visible = RecordFailure.objects.visible_to(actor).filter(pk__in=failures.order_by().values("pk"))
    is_open = visible.filter(status=FailureStatus.OPEN)
    left_out = is_open.filter(NOT_RUNNING).count()
    running = is_open.exclude(NOT_RUNNING).order_by("first_at", "id")
    chosen = list(running.values_list("pk", "customer_id"))
    if not chosen:
        raise UnableToRetry(
            "Their integrations do not run. Resume them first." if left_out else "These entries are settled already."
        )
    by_customer = Counter(customer_id for _, customer_id in chosen)
    retry = FailureRetry.objects.create(
        customer_ids=sorted(by_customer), label=label[:300], total=len(chosen), left_out_count=left_out,
        failure_ids=[pk for pk, _ in chosen], requested_by_label=actor.label, requested_at=now,
        asked_by=note_asker(actor),
    )  # fmt: skip
    for customer_id, count in sorted(by_customer.items()):
        record_audit(
            actor=actor, action="failures.retried", target_key=f"retry:{retry.pk}", target_label=retry.label,
            owner_key=f"customer:{customer_id}", after={"count": count}, now=now,
        )  # fmt: skip
    schedule(kind=RETRY_KIND, key=str(retry.pk), due_at=now, priority=AWAITED)
    return retry


def carry_out_retry(*, retry_id: UUID, now: Callable[[], datetime]) -> None:
    """This function will ask for what the retry names, batch by batch, and then have its flows run once.

    Begun again after a crash, it goes on behind the last whole batch; ended or canceled, it does nothing. Once whoever
    asked may not ask for it any more, the rest stays as it is.
    """
    while _ask_for_batch(retry_id, now()):
        extend_lease(kind=RETRY_KIND, key=str(retry_id), now=now())
    _let_flows_run(retry_id, now())


@transaction.atomic
def _ask_for_batch(retry_id: UUID, now: datetime) -> bool:
    """False when there was none left."""
    retry = FailureRetry.objects.select_for_update().filter(pk=retry_id).first()
    if retry is None or not retry.to_ask_count:
        return False
    try:
        present_asker(retry.asked_by, now=now, permissions=[PERMISSION], owners=retry.customer_ids)
    except RightsGone as error:
        _give_up(retry, error.user_message, now)
        return False
    ids = retry.failure_ids[retry.asked_count : retry.asked_count + BATCH]
    wanted = RecordFailure.objects.filter(pk__in=ids, status=FailureStatus.OPEN).exclude(NOT_RUNNING)
    asked = mark_asked(retry.requested_by_label, wanted, retry, now).total()
    retry.asked_count += len(ids)
    retry.passed_over_count += len(ids) - asked
    retry.save(update_fields=["asked_count", "passed_over_count"])
    return True


def _give_up(retry: FailureRetry, reason: str, now: datetime) -> None:
    """What was asked for goes on; what was not stays on the desk."""
    retry.stop_reason, retry.canceled_at = reason[:300], now
    retry.withdrawn_count += retry.to_ask_count
    retry.asked_count = retry.total
    retry.save(update_fields=["stop_reason", "canceled_at", "withdrawn_count", "asked_count"])


@transaction.atomic
def _let_flows_run(retry_id: UUID, now: datetime) -> None:
    retry = FailureRetry.objects.select_for_update().filter(pk=retry_id, asked_at=None).first()
    if retry is not None:
        waiting = RecordFailure.objects.filter(retry=retry, status=FailureStatus.RETRYING).order_by()
        start_flows(retry.requested_by_label, waiting.values_list("flow_id", flat=True).distinct(), now)
        retry.asked_at, retry.failure_ids = now, []
        retry.save(update_fields=["asked_at", "failure_ids"])
    complete(kind=RETRY_KIND, key=str(retry_id))


@transaction.atomic
def cancel_retry(*, actor: Actor, now: datetime, retry: FailureRetry) -> FailureRetry:
    """This function will put back what was not tried yet; what is on its way to a system arrives.

    Raises UnableToCancelRetry, NotVisible.
    """
    actor.require(PERMISSION)
    locked = FailureRetry.objects.visible_to(actor).select_for_update().filter(pk=retry.pk).first()
    if locked is None:
        raise NotVisible("There is no such retry.")
    waiting = RecordFailure.objects.filter(retry=locked, status=FailureStatus.RETRYING)
    withdrawn = waiting.update(status=FailureStatus.OPEN, retry=None) + locked.to_ask_count
    if not withdrawn:
        raise UnableToCancelRetry("Everything has been tried already: there is nothing left to stop.")
    locked.canceled_at, locked.withdrawn_count = now, locked.withdrawn_count + withdrawn
    locked.failure_ids, locked.asked_at = [], locked.asked_at or now
    locked.save(update_fields=["canceled_at", "withdrawn_count", "failure_ids", "asked_at"])
    cancel(kind=RETRY_KIND, key=str(locked.pk))
    for customer_id in locked.customer_ids:
        record_audit(
            actor=actor, action="failures.retry_canceled", target_key=f"retry:{locked.pk}", target_label=locked.label,
            owner_key=f"customer:{customer_id}", after={"withdrawn": withdrawn}, now=now,
        )  # fmt: skip
    return locked
