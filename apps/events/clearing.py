"""What was handed on and handled is kept a month, for those who look into a question, and then cleared away.

Ids rise with time, so what is old enough is found by id, without an index on a time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from apps.core.bulk import execute
from apps.events.registry import consumer_names

KEPT = timedelta(days=30)
ANSWERS_KEPT = timedelta(days=1)
BATCH = 2_000
# An event whose consumer failed is owed to it still, however old.
_EVENTS = """
WITH gone AS (
    DELETE FROM events_outboxevent WHERE id IN (
        SELECT id FROM events_outboxevent event WHERE id < %s AND relayed_at < %s AND NOT EXISTS (
            SELECT 1 FROM events_consumedevent owed WHERE owed.event_id = event.id AND owed.next_at IS NOT NULL)
        ORDER BY id LIMIT %s)
    RETURNING id
), marks AS (
    DELETE FROM events_consumedevent mark USING gone WHERE mark.consumer = ANY(%s::text[]) AND mark.event_id = gone.id
)
SELECT FROM gone
"""
_DELIVERIES = """
DELETE FROM events_inboxevent WHERE id IN (
    SELECT id FROM events_inboxevent WHERE id < %s AND handled_at < %s ORDER BY id LIMIT %s)
"""
_ANSWERS = """
DELETE FROM events_idempotencyrecord WHERE id IN (
    SELECT id FROM events_idempotencyrecord WHERE created_at < %s ORDER BY id LIMIT %s)
"""


def clear_away(*, now: datetime) -> int:
    """This function will delete one batch of each kind that is old enough; returns how many rows that were."""
    before = now - KEPT
    return (
        execute(_EVENTS, [_first_id(before), before, BATCH, consumer_names()])
        + execute(_DELIVERIES, [_first_id(before), before, BATCH])
        + execute(_ANSWERS, [now - ANSWERS_KEPT, BATCH])
    )


def _first_id(moment: datetime) -> UUID:
    """The lowest id that can have been made at the moment: UUIDv7 begins with 48 bits of milliseconds (RFC 9562, 5.7)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
