"""Deliveries from outside: stored once and made due in one statement, so that acknowledging costs one round trip.

A delivery that is stored is always also due, since both happen at once; a repeated one changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from apps.core.bulk import fetch_rows
from apps.core.ids import uuid7
from apps.core.planes import require_tenant_schema
from apps.core.prepared import prepared_statements
from apps.dispatch.services import CHANNEL
from apps.events.models import InboxEvent

# The second NOT EXISTS keeps a burst of deliveries from queueing for the lock of the one work item they share, and the
# notice (which takes a lock of the whole database) is given only where something became due.
_TAKE_IN = """
WITH fresh AS (
    INSERT INTO events_inboxevent (id, source, external_id, subject_key, payload, received_at, error)
    SELECT id, source, external_id, source, payload::jsonb, %(now)s::timestamptz, ''
    FROM unnest(%(ids)s::uuid[], %(sources)s::text[], %(external_ids)s::text[], %(payloads)s::text[])
        AS given(id, source, external_id, payload)
    ON CONFLICT (source, external_id) DO NOTHING
    RETURNING source
), due AS (
    INSERT INTO public.dispatch_workitem AS item (schema, kind, key, due_at, priority, attempts)
    SELECT %(schema)s::text, %(kind)s::text, wanted.source, %(now)s::timestamptz, %(priority)s::int, 0
    FROM (SELECT DISTINCT source FROM fresh ORDER BY source) wanted
    WHERE NOT EXISTS (
        SELECT 1 FROM public.dispatch_workitem known
        WHERE known.schema = %(schema)s AND known.kind = %(kind)s AND known.key = wanted.source
          AND (known.wanted_at <= %(now)s OR (known.lease_until IS NULL AND known.due_at <= %(now)s))
    )
    ON CONFLICT (schema, kind, key) DO UPDATE SET
        due_at = CASE WHEN item.lease_until IS NULL THEN LEAST(item.due_at, EXCLUDED.due_at) ELSE item.due_at END,
        wanted_at = CASE WHEN item.lease_until IS NULL THEN NULL ELSE LEAST(item.wanted_at, EXCLUDED.due_at) END
    RETURNING item.id
)
SELECT (SELECT count(*) FROM fresh), pg_notify(%(channel)s, '') FROM due
UNION ALL SELECT count(*), NULL FROM fresh WHERE NOT EXISTS (SELECT 1 FROM due)
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`source` is the subject key of whoever it concerns and becomes the key of the work (`connection:<id>`)."""

    source: str
    external_id: str
    payload: dict[str, Any]


def take_in(*, deliveries: Sequence[Delivery], kind: str, now: datetime, priority: int = 2) -> int:
    """This function will store what is new and make its work due now; returns how many were new."""
    if not deliveries:
        return 0
    # Always in the same order, so that two copies of a batch wait for each other instead of deadlocking.
    ordered = sorted(deliveries, key=lambda delivery: (delivery.source, delivery.external_id))
    values = {
        "ids": [uuid7() for _ in ordered],
        "sources": [delivery.source for delivery in ordered],
        "external_ids": [delivery.external_id for delivery in ordered],
        "payloads": [orjson.dumps(delivery.payload).decode() for delivery in ordered],
        "schema": require_tenant_schema(), "kind": kind, "now": now, "priority": priority, "channel": CHANNEL,
    }  # fmt: skip
    with prepared_statements():
        return int(fetch_rows(_TAKE_IN, values)[0][0])


def list_waiting(source: str, *, limit: int) -> list[InboxEvent]:
    """Stored and not yet handled, oldest first."""
    return list(InboxEvent.objects.filter(source=source, handled_at=None).order_by("id")[:limit])


def mark_handled(events: Sequence[InboxEvent], now: datetime) -> None:
    InboxEvent.objects.filter(pk__in=[event.pk for event in events], handled_at=None).update(handled_at=now)
