"""Write intents in bulk: planning them, claiming the next batch, ending them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.core.bulk import execute, json_text
from apps.core.ids import uuid7
from apps.sync.engine.context import RunContext
from apps.sync.engine.hashing import write_key
from apps.sync.engine.plan import PlannedWrite
from apps.sync.models import IntentStatus, WriteIntent

UNDER_WAY = [IntentStatus.SENT, IntentStatus.UNCERTAIN]
_PLAN = """
INSERT INTO sync_writeintent (
    id, customer_id, environment_id, flow_id, run_id, connection_id, object_name, record_id, kind, key, rule, rank,
    payload, payload_hash, rest_hash, record_version, diff, attempts, status, source_changed_at, created_at)
SELECT id, %s, %s, %s, %s, connection_id, object_name, record_id, kind, key, rule, rank, payload, payload_hash,
    rest_hash, record_version, diff, 0, 'planned', %s, %s
FROM jsonb_to_recordset(%s::jsonb) AS new(
    id uuid, connection_id uuid, object_name text, record_id uuid, kind text, key text, rule int, rank int,
    payload jsonb, payload_hash text, rest_hash text, record_version int, diff jsonb)
ON CONFLICT (flow_id, connection_id, object_name, record_id) WHERE status IN ('planned', 'sent', 'uncertain')
DO UPDATE SET
    kind = EXCLUDED.kind, rule = COALESCE(EXCLUDED.rule, sync_writeintent.rule), payload = EXCLUDED.payload,
    payload_hash = EXCLUDED.payload_hash, rest_hash = EXCLUDED.rest_hash, record_version = EXCLUDED.record_version,
    diff = EXCLUDED.diff, run_id = EXCLUDED.run_id
WHERE sync_writeintent.status = 'planned' AND sync_writeintent.sent_at IS NULL
"""


_SENT = """
UPDATE sync_writeintent intent SET
    status = 'sent', sent_at = %s, run_id = COALESCE(%s, intent.run_id), attempts = intent.attempts + 1,
    kind = new.kind, payload = new.payload, payload_hash = new.payload_hash, rest_hash = new.rest_hash,
    diff = new.diff, record_version = new.record_version
FROM jsonb_to_recordset(%s::jsonb) AS new(
    id uuid, kind text, payload jsonb, payload_hash text, rest_hash text, diff jsonb, record_version int)
WHERE intent.id = new.id
"""
_SENT_FIELDS = ("kind", "payload", "payload_hash", "rest_hash", "diff", "record_version")


def save_planned(context: RunContext, writes: Iterable[PlannedWrite], now: datetime) -> int:
    """This function will store intents; one that is already planned takes the newer wish over.

    A wish that meets an intent under way is kept by that intent's confirmation, which plans again when the record has
    moved on since.
    """
    rows = [_row(write) for write in writes]
    if not rows:
        return 0
    flow = context.flow
    owner = [flow.customer_id, flow.environment_id, flow.pk, context.run_id]
    return execute(_PLAN, [*owner, now, now, json_text(rows)])


def _row(write: PlannedWrite) -> dict[str, Any]:
    desired, connection_id, sink = write.desired, write.system.connection.pk, write.mapping.spec.name
    return {
        "id": uuid7(),
        "connection_id": connection_id,
        "object_name": sink,
        "record_id": write.state.id,
        "kind": str(write.kind),
        "key": write_key(connection_id, sink, write.state.id),
        "rule": write.rule,
        "rank": write.rank,
        "payload": desired.payload if desired else {},
        "payload_hash": desired.payload_hash if desired else "",
        "rest_hash": desired.rest_hash if desired else "",
        "record_version": write.state.version,
        "diff": desired.diff if desired else {},
    }


def planned_intents(flow_id: UUID, leave_out: set[UUID]) -> QuerySet[WriteIntent]:
    """Planned intents of a flow, what others refer to first."""
    planned = WriteIntent.objects.filter(flow_id=flow_id, status=IntentStatus.PLANNED).exclude(pk__in=leave_out)
    return planned.order_by("rank", "connection_id", "object_name", "id")


def under_way_elsewhere(intents: list[WriteIntent]) -> set[UUID]:
    """Those whose record has another write to the same object whose outcome is still open."""
    own = {intent.pk for intent in intents}
    open_ones = WriteIntent.objects.filter(
        connection_id=intents[0].connection_id,
        object_name=intents[0].object_name,
        record_id__in=[intent.record_id for intent in intents],
        status__in=UNDER_WAY,
    ).exclude(pk__in=own)
    blocked = set(open_ones.values_list("record_id", flat=True))
    return {intent.pk for intent in intents if intent.record_id in blocked}


def mark_sent(intents: list[WriteIntent], run_id: UUID | None, now: datetime) -> None:
    """This function will freeze what is about to be sent; the unique index refuses a second write under way."""
    for intent in intents:
        intent.status, intent.sent_at, intent.attempts = IntentStatus.SENT, now, intent.attempts + 1
    rows = [{"id": i.pk, **{name: getattr(i, name) for name in _SENT_FIELDS}} for i in intents]
    if rows:
        execute(_SENT, [now, run_id, json_text(rows)])


def end_intents(intents: Iterable[WriteIntent], status: IntentStatus, now: datetime) -> None:
    WriteIntent.objects.filter(pk__in=[i.pk for i in intents]).update(status=status, finished_at=now)
