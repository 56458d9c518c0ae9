"""Write intents in bulk: planning them, taking the next ones to be sent, ending them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from apps.canonical.workspace import State
from apps.core.bulk import copy_rows, execute, fetch_rows, json_text, write
from apps.core.ids import uuid7
from apps.sync.engine.context import AtOnce, RunContext
from apps.sync.engine.hashing import write_key
from apps.sync.engine.payload import first_values
from apps.sync.engine.plan import PlannedWrite
from apps.sync.models import IntentKind, IntentStatus

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

_FIRST = """
SELECT connection_id, object_name, rank FROM sync_writeintent
WHERE flow_id = %s AND status = 'planned' AND NOT id = ANY(%s)
ORDER BY rank, connection_id, object_name, id LIMIT 1
"""
_COLUMNS = """
intent.id, intent.connection_id, intent.object_name, intent.record_id, intent.kind, intent.key, intent.rule,
intent.payload, intent.payload_hash, intent.rest_hash, intent.record_version, intent.diff, intent.attempts,
intent.source_changed_at
"""
# Ready: the payload was made for the record as it stands, or was sent before and must not differ from that; and no
# other write to the same object is under way. The next ones are chosen first and
# looked up one by one: as joins, without statistics of a table being filled, these compare everything with everything.
_TAKE = f"""
WITH next AS MATERIALIZED (
    SELECT intent.id, intent.record_id, intent.record_version, intent.payload_hash, intent.sent_at
    FROM sync_writeintent intent
    WHERE intent.flow_id = %(flow)s AND intent.rank = %(rank)s AND intent.connection_id = %(connection)s
      AND intent.object_name = %(object)s AND intent.status = 'planned' AND NOT intent.id = ANY(%(left_out)s)
    ORDER BY intent.id LIMIT %(limit)s)
UPDATE sync_writeintent intent SET
    status = 'sent', sent_at = %(now)s, run_id = %(run)s, attempts = intent.attempts + 1
FROM next
WHERE intent.id = next.id AND next.payload_hash <> ''
  AND (next.sent_at IS NOT NULL OR next.record_version = (
    SELECT version FROM canonical_canonicalrecord record WHERE record.id = next.record_id))
  AND (
    SELECT other.id FROM sync_writeintent other
    WHERE other.connection_id = %(connection)s AND other.object_name = %(object)s
      AND other.record_id = next.record_id AND other.status IN ('sent', 'uncertain') LIMIT 1) IS NULL
RETURNING {_COLUMNS}, next.sent_at
"""  # noqa: S608 - constant columns
_PLANNED = f"""
SELECT {_COLUMNS}, intent.sent_at FROM sync_writeintent intent
WHERE intent.flow_id = %(flow)s AND intent.rank = %(rank)s AND intent.connection_id = %(connection)s
  AND intent.object_name = %(object)s AND intent.status = 'planned' AND NOT intent.id = ANY(%(left_out)s)
ORDER BY intent.id LIMIT %(limit)s
"""  # noqa: S608 - constant columns
_LEFT_SENT = f"""
SELECT {_COLUMNS}, intent.sent_at FROM sync_writeintent intent
WHERE intent.flow_id = %s AND intent.status = 'sent' ORDER BY intent.rank, intent.id
"""  # noqa: S608 - constant columns
_UNDER_WAY = """
SELECT record_id FROM sync_writeintent
WHERE connection_id = %s AND object_name = %s AND record_id = ANY(%s) AND status IN ('sent', 'uncertain')
  AND NOT id = ANY(%s)
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
_OWN_COLUMNS = ("id", "record_id", "key", "rule", "payload", "payload_hash", "rest_hash", "record_version")
_SENT_FIELDS = ("kind", "payload", "payload_hash", "rest_hash", "diff", "record_version")
_PUT_BACK = """
UPDATE sync_writeintent SET status = 'planned', attempts = attempts - 1,
    sent_at = CASE WHEN id = ANY(%s) THEN sent_at END
WHERE id = ANY(%s)
"""
# What was sent stands in the log from now on, and what it made in the cross-reference.
_CONFIRM = "DELETE FROM sync_writeintent WHERE id = ANY(%s)"
_REJECT = """
UPDATE sync_writeintent SET status = 'rejected', finished_at = %s, payload = '{}', diff = '{}' WHERE id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Intents that may be sent together: one kind of object in one system."""

    connection_id: UUID
    object_name: str
    rank: int


@dataclass(slots=True)
class Intent:
    """A write intent in memory (`models.WriteIntent`). `sent_at`: it was sent before, and the outcome was a void."""

    id: UUID
    connection_id: UUID
    object_name: str
    record_id: UUID
    kind: str
    key: str
    rule: int | None
    payload: dict[str, Any]
    payload_hash: str
    rest_hash: str
    record_version: int
    diff: dict[str, list[Any]]
    attempts: int
    source_changed_at: datetime | None
    sent_at: datetime | None
    state: State | None = None  # the record it was made from in this run

    @property
    def is_create(self) -> bool:
        return self.kind == IntentKind.CREATE

    @property
    def is_frozen(self) -> bool:
        """It was sent before: only the very same call is harmless."""
        return self.sent_at is not None and bool(self.payload)

    def told_diff(self) -> dict[str, list[Any]]:
        """{vendor's field: [before, after]}; of a create all that was sent."""
        return first_values(self.payload) if self.is_create else self.diff


def save_planned(
    context: RunContext, writes: Collection[PlannedWrite], now: datetime, at_once: AtOnce | None
) -> list[Intent]:
    """This function will store intents; one that is already planned takes the newer wish over.

    A wish that meets an intent under way is kept by that intent's confirmation, which plans again when the record has
    moved on since. Returned are those that the caller has to send once this is committed.
    """
    sent = _save_sent(context, _choose(writes, at_once), now)
    rows = [_row(write) for write in writes if write.state.id not in sent]
    if rows:
        flow = context.flow
        owner = [flow.customer_id, flow.environment_id, flow.pk, context.run_id]
        execute(_PLAN, [*owner, now, now, json_text(rows)])
    return list(sent.values())


def _choose(writes: Collection[PlannedWrite], at_once: AtOnce | None) -> list[PlannedWrite]:
    """Creates of records that came to life in this very transaction: nobody else can be writing those.

    Only where all go to one place, so that nothing is sent before what it refers to.
    """
    first = next(iter(writes), None)
    if first is None or at_once is None:
        return []
    if any(write.mapping is not first.mapping for write in writes):
        return []
    fresh = [write for write in writes if write.is_fresh and write.desired and write.kind is IntentKind.CREATE]
    return fresh[: at_once(first.mapping.spec)]


def _save_sent(context: RunContext, writes: list[PlannedWrite], now: datetime) -> dict[UUID, Intent]:
    if not writes:
        return {}
    place = (writes[0].system.connection.pk, writes[0].mapping.spec.name)
    sent = {write.state.id: _sent_intent(write, *place, now) for write in writes}
    rows = (
        (i.id, i.record_id, i.key, i.rule, json_text(i.payload), i.payload_hash, i.rest_hash, i.record_version)
        for i in sent.values()
    )
    flow = context.flow
    shared = {
        "customer_id": flow.customer_id, "environment_id": flow.environment_id, "flow_id": flow.pk,
        "run_id": context.run_id, "connection_id": place[0], "object_name": place[1], "kind": str(IntentKind.CREATE),
        "rank": writes[0].rank, "diff": "{}", "attempts": 1, "status": str(IntentStatus.SENT), "sent_at": now,
        "source_changed_at": now, "created_at": now,
    }  # fmt: skip
    copy_rows("sync_writeintent", _OWN_COLUMNS, rows, shared)
    return sent


def _sent_intent(write: PlannedWrite, connection_id: UUID, object_name: str, now: datetime) -> Intent:
    state, desired = write.state, write.desired
    assert desired is not None  # noqa: S101 - chosen by the caller
    return Intent(
        id=uuid7(), connection_id=connection_id, object_name=object_name, record_id=state.id, kind=str(write.kind),
        key=write_key(connection_id, object_name, state.id), rule=write.rule, payload=desired.payload,
        payload_hash=desired.payload_hash, rest_hash=desired.rest_hash, record_version=state.version, diff={},
        attempts=1, source_changed_at=now, sent_at=None, state=state,
    )  # fmt: skip


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
        # The differences of a create are its payload.
        "diff": desired.diff if desired and write.kind is IntentKind.UPDATE else {},
    }


def next_group(flow_id: UUID, leave_out: set[UUID]) -> Group | None:
    """Whose turn it is: what others refer to goes first."""
    rows = fetch_rows(_FIRST, [flow_id, list(leave_out)])
    return Group(*rows[0]) if rows else None


def take_ready(context: RunContext, group: Group, limit: int, leave_out: set[UUID], now: datetime) -> list[Intent]:
    """This function will mark what can be sent as it stands as sent, and return it in the order of its planning.

    The unique index refuses a second write to the same object under way.
    """
    values = {**_of(context, group, limit, leave_out), "now": now, "run": context.run_id}
    return sorted(map(_intent, fetch_rows(_TAKE, values)), key=lambda intent: intent.id)


def planned_intents(context: RunContext, group: Group, limit: int, leave_out: set[UUID]) -> list[Intent]:
    return [_intent(row) for row in fetch_rows(_PLANNED, _of(context, group, limit, leave_out))]


def sent_intents(flow_id: UUID) -> list[Intent]:
    """What an earlier attempt left without an answer."""
    return [_intent(row) for row in fetch_rows(_LEFT_SENT, [flow_id])]


def _of(context: RunContext, group: Group, limit: int, leave_out: set[UUID]) -> dict[str, Any]:
    return {
        "flow": context.flow.pk,
        "rank": group.rank,
        "connection": group.connection_id,
        "object": group.object_name,
        "left_out": list(leave_out),
        "limit": limit,
    }


def _intent(row: tuple[Any, ...]) -> Intent:
    intent = Intent(*row)
    intent.payload, intent.diff = orjson.loads(row[7]), orjson.loads(row[11])
    return intent


def under_way_elsewhere(intents: Sequence[Intent]) -> set[UUID]:
    """Those whose record has another write to the same object whose outcome is still open."""
    if not intents:
        return set()
    records = [intent.record_id for intent in intents]
    place = [intents[0].connection_id, intents[0].object_name]
    blocked = {row[0] for row in fetch_rows(_UNDER_WAY, [*place, records, [intent.id for intent in intents]])}
    return {intent.id for intent in intents if intent.record_id in blocked}


def mark_sent(intents: Sequence[Intent], run_id: UUID | None, now: datetime) -> None:
    """This function will freeze what was made anew and is about to be sent."""
    rows = [{"id": i.id, **{name: getattr(i, name) for name in _SENT_FIELDS}} for i in intents]
    if rows:
        execute(_SENT, [now, run_id, json_text(rows)])


def put_back(intents: Sequence[Intent]) -> None:
    """This function will plan again what was marked as sent but never called."""
    if intents:
        execute(_PUT_BACK, [[i.id for i in intents if i.is_frozen], [i.id for i in intents]])


def confirm_intents(intents: Sequence[Intent]) -> None:
    if intents:
        write(_CONFIRM, [[intent.id for intent in intents]])


def reject_intents(intents: Sequence[Intent], now: datetime) -> None:
    if intents:
        execute(_REJECT, [now, [intent.id for intent in intents]])
