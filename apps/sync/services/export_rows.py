"""A line of an export: plain values, named as in the API."""

from __future__ import annotations

from typing import Any

from apps.core.ids import encode_id
from apps.sync.models import ExportKind, RecordLog, SyncRun, VendorCall

_PLACE = ("at", "customer", "flow", "run", "connection")
_COUNTS = ("read", "created", "updated", "unchanged", "skipped", "failed", "call", "byte")
COLUMNS: dict[str, tuple[str, ...]] = {
    ExportKind.RECORDS: (
        "id", *_PLACE, "direction", "object", "entity", "action", "record", "external_id", "title", "changed_fields",
        "attempts", "latency_ms", "error_class", "error", "changes",
    ),
    ExportKind.CALLS: (
        "id", *_PLACE, "method", "path", "status", "duration_ms", "response_bytes", "attempt", "error",
    ),
    ExportKind.RUNS: (
        "id", "customer", "customer_name", "integration", "flow", "flow_name", "trigger", "status", "queued_at",
        "started_at", "finished_at", *(f"{name}_count" for name in _COUNTS), "error_class", "error",
    ),
}  # fmt: skip


def _place(row: RecordLog | VendorCall) -> dict[str, Any]:
    return {
        "id": row.pk,
        "at": row.at.isoformat(),
        "customer": encode_id("cus", row.customer_id),
        "flow": encode_id("flw", row.flow_id),
        "run": encode_id("run", row.run_id),
        "connection": encode_id("con", row.connection_id),
    }


def record_row(row: RecordLog, diff: dict[str, Any] | None, *, with_changes: bool) -> dict[str, Any]:
    """`diff`: {field: [before, after]}, None when it is kept no more."""
    told: dict[str, Any] = {
        **_place(row),
        "direction": row.direction,
        "object": row.object_name,
        "entity": row.entity,
        "action": row.action,
        "record": encode_id("rec", row.record_id) if row.record_id else None,
        "external_id": row.external_id,
        "title": row.title,
        "changed_fields": row.changed_fields,
        "attempts": row.attempts,
        "latency_ms": row.latency_ms,
        "error_class": row.error_class,
        "error": row.error,
    }
    return {**told, "changes": diff} if with_changes else told


def call_row(row: VendorCall) -> dict[str, Any]:
    return {
        **_place(row),
        "method": row.method,
        "path": row.path,
        "status": row.status,
        "duration_ms": row.duration_ms,
        "response_bytes": row.response_bytes,
        "attempt": row.attempt,
        "error": row.error,
    }


def run_row(run: SyncRun) -> dict[str, Any]:
    moments = {name: getattr(run, name) for name in ("queued_at", "started_at", "finished_at")}
    return {
        "id": encode_id("run", run.pk),
        "customer": encode_id("cus", run.customer_id),
        "customer_name": run.customer.name,
        "integration": run.flow.integration.name,
        "flow": encode_id("flw", run.flow_id),
        "flow_name": run.flow.name,
        "trigger": run.trigger,
        "status": run.status,
        **{name: at.isoformat() if at else None for name, at in moments.items()},
        **{f"{name}_count": getattr(run, f"{name}_count") for name in _COUNTS},
        "error_class": run.error_class,
        "error": run.error_message,
    }
