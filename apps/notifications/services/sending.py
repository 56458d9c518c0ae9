"""Delivering: at least once, oldest first, one request at a time per endpoint.

1. Claim the next due delivery: count the attempt, set `next_at` ahead, commit. Nobody else takes it meanwhile.
2. Send it, outside of any transaction.
3. Note what came of it. A worker that dies between 1 and 3 leaves the delivery due again once the claim has passed:
   the receiver may hear it twice, with the same id.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.core import clock
from apps.dispatch.services import complete, reschedule
from apps.notifications.models import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint
from apps.notifications.posting import Outcome, Poster
from apps.notifications.schedule import pause_after
from apps.notifications.secrets import secrets_in_use
from apps.notifications.services.breaking import GONE_REASON, disable_endpoint, worn_out_reason
from apps.notifications.services.queueing import KIND

MOST_AT_A_TIME = 200
LONGEST_TURN = timedelta(minutes=4)
CLAIMED_FOR = timedelta(minutes=2)
RESTS_AFTER, REST = 3, timedelta(minutes=5)
GONE = 410


def work_endpoint(*, endpoint_id: UUID, now: datetime) -> int:
    """This function will deliver what is due for the endpoint and set the next turn; returns how many were accepted."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, status=EndpointStatus.ACTIVE).first()
    if endpoint is None:
        complete(kind=KIND, key=str(endpoint_id))
        return 0
    accepted = _work_off(endpoint, now)
    _set_next(endpoint_id, clock.now())
    return accepted


def _work_off(endpoint: WebhookEndpoint, began: datetime) -> int:
    accepted = failed_in_a_row = 0
    secrets = secrets_in_use(endpoint, began)
    with Poster(endpoint.url) as poster:
        for _ in range(MOST_AT_A_TIME):
            now = clock.now()
            delivery = claim_next(endpoint, now) if now - began < LONGEST_TURN else None
            if delivery is None:
                break
            outcome = poster.post(delivery.message_id, delivery.body.encode(), secrets, now)
            is_active = note_outcome(delivery, outcome, clock.now())
            accepted += outcome.is_accepted
            failed_in_a_row = 0 if outcome.is_accepted else failed_in_a_row + 1
            if failed_in_a_row >= RESTS_AFTER:
                # What else waits must not spend its attempts on an address that does not answer.
                WebhookEndpoint.objects.filter(pk=endpoint.pk).update(rests_until=clock.now() + REST)
            if not is_active or failed_in_a_row >= RESTS_AFTER:
                break
    return accepted


@transaction.atomic
def claim_next(endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery | None:
    due = WebhookDelivery.objects.due(now).filter(endpoint=endpoint).order_by("next_at", "id")
    delivery = due.select_for_update(skip_locked=True).first()
    if delivery is not None:
        delivery.attempt_count += 1
        delivery.next_at = now + CLAIMED_FOR
        delivery.save(update_fields=["attempt_count", "next_at"])
    return delivery


@transaction.atomic
def note_outcome(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> bool:
    """This function will note the attempt and what follows from it; returns whether the endpoint goes on."""
    endpoint = WebhookEndpoint.objects.select_for_update().get(pk=delivery.endpoint_id)
    delivery.note(
        {
            "at": now.isoformat(), "status": outcome.status, "error": outcome.error, "excerpt": outcome.excerpt,
            "duration_ms": outcome.duration_ms,
        }
    )  # fmt: skip
    delivery.last_status, delivery.last_error = outcome.status, outcome.error
    if outcome.is_accepted:
        delivery.status, delivery.next_at, delivery.ended_at = DeliveryStatus.DELIVERED, None, now
    else:
        _put_off(delivery, outcome, now)
    delivery.save(update_fields=["status", "next_at", "ended_at", "last_status", "last_error", "log"])
    return _draw_consequence(endpoint, outcome, now)


def _put_off(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    pause = pause_after(delivery.attempt_count, str(delivery.pk))
    if pause is None or delivery.is_test:
        delivery.status, delivery.next_at, delivery.ended_at = DeliveryStatus.FAILED, None, now
    else:
        delivery.next_at = now + max(pause, outcome.retry_after)


def _draw_consequence(endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> bool:
    if outcome.is_accepted:
        if endpoint.failing_since or endpoint.rests_until:
            endpoint.failing_since = endpoint.rests_until = None
            endpoint.save(update_fields=["failing_since", "rests_until"])
        return True
    reason = GONE_REASON if outcome.status == GONE else worn_out_reason(endpoint, now)
    if reason:
        disable_endpoint(endpoint=endpoint, reason=reason, now=now)
        return False
    if endpoint.failing_since is None:
        endpoint.failing_since = now
        endpoint.save(update_fields=["failing_since"])
    return True


@transaction.atomic
def _set_next(endpoint_id: UUID, now: datetime) -> None:
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, status=EndpointStatus.ACTIVE).first()
    waiting = WebhookDelivery.objects.filter(endpoint_id=endpoint_id, status=DeliveryStatus.WAITING)
    next_at = waiting.order_by("next_at", "id").values_list("next_at", flat=True).first() if endpoint else None
    if endpoint is None or next_at is None:
        complete(kind=KIND, key=str(endpoint_id))
    else:
        reschedule(kind=KIND, key=str(endpoint_id), due_at=max(next_at, endpoint.rests_until or now, now))
