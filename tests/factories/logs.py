"""Facts of the log, made by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.core.actor import system_actor
from apps.customers.askers import note_asker
from apps.customers.models import Customer
from apps.flows.models import Flow
from apps.sync.models import LogExport, RecordLog, RecordPayload, SyncRun, VendorCall
from tests.factories.delivery import START, make_connection, make_run


def _place(flow: Flow, run: SyncRun | None, connection: Any) -> dict[str, Any]:
    run = run or make_run(flow)
    connection = connection or make_connection(flow.customer)
    return {
        "run_id": run.pk, "customer_id": flow.customer_id, "environment_id": flow.environment_id, "flow_id": flow.pk,
        "connection_id": connection.pk,
    }  # fmt: skip


def make_log(
    flow: Flow,
    *,
    at: datetime = START,
    run: SyncRun | None = None,
    connection: Any = None,
    diff: dict[str, Any] | None = None,
    **fields: Any,
) -> RecordLog:
    defaults: dict[str, Any] = {
        "direction": "write", "object_name": "projects", "entity": "project", "action": "updated",
        "title": "Forge rollout", "external_id": "P-1", "changed_fields": sorted(diff or {}),
    }  # fmt: skip
    log = RecordLog.objects.create(at=at, **_place(flow, run, connection), **{**defaults, **fields})
    if diff:
        RecordPayload.objects.create(log=log, diff=diff, at=at)
    return log


def make_call(
    flow: Flow, *, at: datetime = START, run: SyncRun | None = None, connection: Any = None, **fields: Any
) -> VendorCall:
    defaults: dict[str, Any] = {"method": "GET", "path": "/deals", "status": 200, "duration_ms": 40}
    return VendorCall.objects.create(at=at, **_place(flow, run, connection), **{**defaults, **fields})


def make_entries(customer: Customer) -> tuple[RecordLog, VendorCall, LogExport]:
    """The customer's newest fact with its values, one call that failed, and a part of the log exported for it alone."""
    log = RecordLog.objects.filter(customer_id=customer.pk).latest("id")
    RecordPayload.objects.create(log=log, diff={"name": ["Old", f"New of {customer.name}"]}, at=START)
    place = {name: getattr(log, name) for name in ("run_id", "environment_id", "flow_id", "connection_id")}
    call = VendorCall.objects.create(
        at=START, customer_id=customer.pk, method="POST", path=f"/deals/{customer.slug}", status=500, duration_ms=120,
        error=f"Server error at {customer.name}", **place,
    )  # fmt: skip
    export = LogExport.objects.create(
        kind="records", format="csv", is_limited=True, customer_ids=[customer.pk], requested_at=START,
        requested_by_label=f"Key of {customer.name}", filters={"text": customer.name}, status="ready", total=1,
        file_name=default_storage.save(f"exports/{customer.slug}.csv", ContentFile(b"id,title\n")),
        asked_by=note_asker(system_actor()),
    )  # fmt: skip
    return log, call, export
