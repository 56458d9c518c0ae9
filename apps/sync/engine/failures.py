"""Dead letters: opened once per record, renewed while it keeps failing, resolved when it goes through."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.core.bulk import execute, fetch_rows, json_text
from apps.core.ids import uuid7
from apps.sync.engine.context import RunContext
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.events import FAILURE_OPENED, record_facts
from apps.sync.engine.hashing import digest
from apps.sync.engine.plan import PlanProblem
from apps.sync.engine.read import ReadFailure
from apps.sync.models import FailureStatus, RecordFailure
from apps.sync.redaction import TITLE, PayloadRules, payload_rules

_VARIABLE = re.compile(r"[“\"'].*?[”\"']|\d+|[0-9a-f]{8,}")
# A person's "ignore" holds as long as the record fails for the same cause.
_OPEN = """
INSERT INTO sync_recordfailure AS failure (
    id, customer_id, environment_id, flow_id, run_id, connection_id, direction, object_name, external_id, record_id,
    record_title, error_class, code, message, fingerprint, payload, status, attempts, first_at, last_at,
    resolved_by_label, ignore_reason)
SELECT id, %(customer)s, %(environment)s, %(flow)s, %(run)s, connection_id, direction, object_name, external_id,
    record_id, record_title, error_class, code, message, fingerprint, payload, 'open', 1, %(now)s, %(now)s, '', ''
FROM jsonb_to_recordset(%(rows)s::jsonb) AS new(
    id uuid, connection_id uuid, direction text, object_name text, external_id text, record_id uuid, record_title text,
    error_class text, code text, message text, fingerprint text, payload jsonb)
WHERE NOT EXISTS (
    SELECT 1 FROM sync_recordfailure ignored
    WHERE ignored.flow_id = %(flow)s AND ignored.status = 'ignored' AND ignored.fingerprint = new.fingerprint
      AND ignored.external_id = new.external_id AND ignored.record_id IS NOT DISTINCT FROM new.record_id)
ON CONFLICT (flow_id, connection_id, direction, object_name, external_id, record_id)
    WHERE status IN ('open', 'retrying')
DO UPDATE SET
    status = 'open', attempts = failure.attempts + 1, last_at = EXCLUDED.last_at, run_id = EXCLUDED.run_id,
    message = EXCLUDED.message, code = EXCLUDED.code, error_class = EXCLUDED.error_class,
    fingerprint = EXCLUDED.fingerprint, record_title = EXCLUDED.record_title, payload = EXCLUDED.payload
RETURNING id, (xmax = 0) AS is_new
"""
_RESOLVE = """
UPDATE sync_recordfailure SET status = 'resolved', resolved_at = %s, resolved_by_label = 'System'
WHERE flow_id = %s AND connection_id = %s AND direction = %s AND object_name = %s
  AND status IN ('open', 'retrying') AND {column} = ANY(%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRecord:
    """Reading failed: known by `external_id`. Writing failed: known by `record_id`."""

    connection_id: UUID
    direction: str
    object_name: str
    problem: RecordProblem
    external_id: str = ""
    record_id: UUID | None = None
    title: str = ""
    payload: dict[str, Any] | None = None
    is_payload_sent: bool = False  # what went to the vendor; otherwise facts of ours


def from_reading(connection_id: UUID, failure: ReadFailure) -> FailedRecord:
    return FailedRecord(
        connection_id=connection_id,
        direction="read",
        object_name=failure.object_name,
        external_id=failure.source.external_id,
        title=f"{failure.entity.replace('_', ' ').capitalize()} {failure.source.external_id}",
        problem=failure.problem,
    )


def from_planning(failure: PlanProblem) -> FailedRecord:
    return FailedRecord(
        connection_id=failure.system.connection.pk,
        direction="write",
        object_name=failure.mapping.spec.name,
        record_id=failure.state.id,
        title=failure.state.title,
        problem=failure.problem,
    )


def open_failures(context: RunContext, failed: Iterable[FailedRecord], now: datetime) -> int:
    """This function will store or renew the failures; returns how many are new. Part of the caller's transaction."""
    flow = context.flow
    # The last word on a record within one transaction counts; a statement may touch a row only once.
    rows = {(f.connection_id, f.direction, f.object_name, f.external_id, f.record_id): f for f in failed}
    if not rows:
        return 0
    rules = payload_rules({failure.connection_id for failure in rows.values()})
    values = {
        "customer": flow.customer_id,
        "environment": flow.environment_id,
        "flow": flow.pk,
        "run": context.run_id,
        "now": now,
        "rows": json_text([_row(flow.pk, failure, rules[failure.connection_id]) for failure in rows.values()]),
    }
    new = [row[0] for row in _fetch(values) if row[1]]
    place = {"flow_id": str(flow.pk), "is_production": context.is_production}
    facts = [(FAILURE_OPENED, f"customer:{flow.customer_id}", {"failure_id": str(pk), **place}) for pk in new]
    record_facts(facts, now)
    return len(new)


def resolve_reading(
    context: RunContext, connection_id: UUID, object_name: str, external_ids: Iterable[str], now: datetime
) -> None:
    _resolve("external_id", context, connection_id, "read", object_name, list(external_ids), now)


def resolve_writing(
    context: RunContext, connection_id: UUID, object_name: str, record_ids: Iterable[UUID], now: datetime
) -> None:
    _resolve("record_id", context, connection_id, "write", object_name, list(record_ids), now)


def has_open_failures(flow_id: UUID) -> bool:
    open_ones = [FailureStatus.OPEN, FailureStatus.RETRYING]
    return RecordFailure.objects.filter(flow_id=flow_id, status__in=open_ones).exists()


def _resolve(
    column: str,
    context: RunContext,
    connection_id: UUID,
    direction: str,
    object_name: str,
    keys: list[Any],
    now: datetime,
) -> None:
    if keys:
        statement = _RESOLVE.format(column=column)
        execute(statement, [now, context.flow.pk, connection_id, direction, object_name, keys])


def _fetch(values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return fetch_rows(_OPEN, values)


def _kept(failure: FailedRecord, rules: PayloadRules) -> dict[str, Any] | None:
    """What was to be written, as far as the rules for the log allow."""
    if failure.payload is None or not failure.is_payload_sent:
        return failure.payload
    return rules.hide_values("", failure.payload) if rules.is_kept else None


def _row(flow_id: UUID, failure: FailedRecord, rules: PayloadRules) -> dict[str, Any]:
    problem = failure.problem
    cause = [flow_id, failure.connection_id, failure.direction, failure.object_name, problem.error_class, problem.code]
    return {
        "id": uuid7(),
        "connection_id": failure.connection_id,
        "direction": failure.direction,
        "object_name": failure.object_name,
        "external_id": failure.external_id[:120],
        "record_id": failure.record_id,
        "record_title": rules.hide("", TITLE, failure.title)[:250],
        "error_class": problem.error_class,
        "code": problem.code[:80],
        "message": problem.message[:1000],
        "fingerprint": digest([*cause, _VARIABLE.sub("…", problem.message)]),
        "payload": _kept(failure, rules),
    }
