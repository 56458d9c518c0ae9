"""Handing facts to whoever listens: once to each, in order, and what fails is tried again without holding up the rest.

What a consumer writes commits together with the mark that it has consumed the event: killed before the commit it has
done nothing and is asked again, killed after it is not. A consumer that fails is noted in the same place and asked
again later with growing pauses; events after that one go on, so consumers must not rely on order across a failure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from apps.core.bulk import fetch_rows
from apps.core.tasks import enqueue
from apps.events.models import ConsumedEvent, OutboxEvent
from apps.events.registry import Handler, consumed_names, consumers_of, listeners

log = structlog.get_logger()
RELAY_BATCH = 200
FAILURES_AT_A_TIME = 100
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)
_MARK = """
INSERT INTO events_consumedevent (consumer, event_id, consumed_at)
SELECT %s, id, %s FROM unnest(%s::uuid[]) AS given(id)
ON CONFLICT (consumer, event_id) DO UPDATE SET consumed_at = EXCLUDED.consumed_at, next_at = NULL
WHERE events_consumedevent.consumed_at IS NULL RETURNING event_id
"""


def relay_outbox(*, now: datetime) -> int:
    """This function will hand unrelayed events to their consumers, oldest first, a batch at a time; returns how many."""
    waiting = OutboxEvent.objects.filter(relayed_at=None)
    heard = consumed_names()
    # What nobody listens to must not stand in the way: a run writes thousands of facts.
    relayed = waiting.exclude(type__in=heard).update(relayed_at=now)
    batch = list(waiting.filter(type__in=heard).order_by("id")[:RELAY_BATCH])
    for event in batch:
        for name, consumer in consumers_of(event.type).items():
            _try(name, [event], _one_by_one(consumer), now)
    for name, listener in listeners().items():
        wanted = set(listener.wants())
        _try(name, [event for event in batch if event.type in wanted], listener.handle, now)
    relayed += OutboxEvent.objects.filter(pk__in=[event.pk for event in batch], relayed_at=None).update(relayed_at=now)
    if len(batch) == RELAY_BATCH:
        enqueue("events.relay_outbox")
    return relayed


def retry_failures(*, now: datetime) -> int:
    """This function will ask consumers again that failed before and whose pause is over; returns how many succeeded."""
    due = list(ConsumedEvent.objects.filter(next_at__lte=now).order_by("next_at", "id")[:FAILURES_AT_A_TIME])
    events = OutboxEvent.objects.in_bulk([failure.event_id for failure in due])
    done = 0
    for failure in due:
        event, handler = events.get(failure.event_id), None
        if event is not None:
            handler = _handler_of(failure.consumer, event.type)
        if event is None or handler is None:
            failure.delete()  # the consumer is gone, or the event was cleared away: nothing is owed any more
        else:
            done += _try(failure.consumer, [event], handler, now)
    return done


def _handler_of(name: str, event_type: str) -> Handler | None:
    consumer = consumers_of(event_type).get(name)
    if consumer is not None:
        return _one_by_one(consumer)
    listener = listeners().get(name)
    return listener.handle if listener else None


def _one_by_one(consumer: Callable[[OutboxEvent], None]) -> Handler:
    def handle(events: Sequence[OutboxEvent], now: datetime) -> None:
        for event in events:
            consumer(event)

    return handle


def _try(name: str, events: Sequence[OutboxEvent], handler: Handler, now: datetime) -> int:
    """Returns how many of the events were consumed just now."""
    if not events:
        return 0
    try:
        return _consume(name, events, handler, now)
    except Exception as error:
        # Whatever it was, it concerns this consumer alone: the others and the next events must not wait for a repair.
        log.exception("events.consumer_failed", consumer=name, events=len(events))
        _note_failure(name, [event.pk for event in events], repr(error), now)
        return 0


@transaction.atomic
def _consume(name: str, events: Sequence[OutboxEvent], handler: Handler, now: datetime) -> int:
    fresh = {row[0] for row in fetch_rows(_MARK, [name, now, [event.pk for event in events]])}
    if fresh:
        handler([event for event in events if event.pk in fresh], now)
    if len(fresh) < len(events):
        # Consumed by somebody else, while we noted a failure.
        noted = ConsumedEvent.objects.filter(consumer=name, event_id__in=[event.pk for event in events])
        noted.exclude(consumed_at=None).exclude(next_at=None).update(next_at=None)
    return len(fresh)


@transaction.atomic
def _note_failure(name: str, event_ids: list[UUID], error: str, now: datetime) -> None:
    known = {one.event_id: one for one in ConsumedEvent.objects.filter(consumer=name, event_id__in=event_ids)}
    owed = {event_id for event_id in event_ids if event_id not in known or known[event_id].consumed_at is None}
    attempts = defaultdict[UUID, int](int, {event_id: one.attempts for event_id, one in known.items()})
    rows = [
        ConsumedEvent(
            consumer=name, event_id=event_id, attempts=attempts[event_id] + 1, error=error[:500],
            next_at=now + pause_after(attempts[event_id] + 1),
        )
        for event_id in sorted(owed)
    ]  # fmt: skip
    ConsumedEvent.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["consumer", "event_id"],
        update_fields=["attempts", "error", "next_at"],
    )  # fmt: skip


def pause_after(attempts: int) -> timedelta:
    """30 seconds after the first failure, twice as long after each, at most six hours."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
