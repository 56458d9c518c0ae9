"""Any filtered part of the log as a file: made in the background, watched, fetched, gone after some days."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

import structlog
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole
from apps.audit.services import record_change
from apps.core.actor import Actor, ActorKind
from apps.core.errors import AnticipatedError, Conflict, NotVisible
from apps.core.planes import require_tenant_schema
from apps.core.spreadsheets import harmless
from apps.core.visible import get_visible
from apps.customers.askers import RightsGone, note_asker, present_asker
from apps.dispatch.services import complete, extend_lease, reschedule, schedule
from apps.sync.explorer import LogFilters, find_calls, find_records, find_runs
from apps.sync.models import ExportFormat, ExportKind, ExportStatus, LogExport, RecordPayload
from apps.sync.services.export_rows import COLUMNS, call_row, record_row, run_row

log = structlog.get_logger()
EXPORT_KIND, EXPIRE_KIND = "logs.export", "logs.expire_export"
KEPT_FOR = timedelta(days=7)
BATCH = 2_000
MOST_ACTIVE = 5


class UnableToExport(AnticipatedError):
    """The export cannot be made as asked for."""

    code = "unable_to_export"


class UnableToCancelExport(Conflict):
    """There is nothing left to stop."""


class _Stopped(Exception):  # noqa: N818 - names the fact
    """Somebody canceled it while it was written."""


@transaction.atomic
def start_export(*, actor: Actor, now: datetime, kind: str, format: str, asked: LogFilters) -> LogExport:
    """This function will have the file made in the background, of what stands in the log now.

    Field values are in it if the actor may see them. Raises UnableToExport.
    """
    actor.require("runs.view")
    if kind not in ExportKind.values or format not in ExportFormat.values:
        raise UnableToExport("Choose what to export, and CSV or JSON lines.", field="format")
    owners = sorted(actor.scope or ())
    active = LogExport.objects.filter(
        status__in=[ExportStatus.QUEUED, ExportStatus.RUNNING], is_limited=actor.scope is not None, customer_ids=owners
    )
    if active.count() >= MOST_ACTIVE:
        raise UnableToExport("Several exports are being made already. Wait for one of them to end.")
    export = LogExport.objects.create(
        kind=kind, format=format, filters={**asked.as_json(), **({} if asked.until else {"until": now.isoformat()})},
        is_limited=actor.scope is not None, customer_ids=owners,
        has_payloads=kind == ExportKind.RECORDS and actor.can("payloads.view"),
        requested_by_label=actor.label, requested_at=now, asked_by=note_asker(actor),
    )  # fmt: skip
    record_change(actor=actor, now=now, target=export, action="logs.export_started", after={"filters": export.filters})
    schedule(kind=EXPORT_KIND, key=str(export.pk), due_at=now)
    return export


@transaction.atomic
def cancel_export(*, actor: Actor, now: datetime, export: LogExport) -> LogExport:
    """This function will stop the export; a worker at it notices with its next batch. Raises UnableToCancelExport."""
    actor.require("runs.view")
    stopped = LogExport.objects.visible_to(actor).filter(
        pk=export.pk, status__in=[ExportStatus.QUEUED, ExportStatus.RUNNING]
    )
    if not stopped.update(status=ExportStatus.CANCELED, finished_at=now):
        raise UnableToCancelExport("The export has ended already: there is nothing left to stop.")
    record_change(actor=actor, now=now, target=export, action="logs.export_canceled")
    export.refresh_from_db()
    return export


def get_export(actor: Actor, export_id: UUID) -> LogExport:
    """Raises NotVisible."""
    return get_visible(LogExport.objects.visible_to(actor), export_id, "There is no such export.")


def open_export(actor: Actor, export: LogExport) -> IO[bytes]:
    """The file, for the one who may see it. Raises NotVisible when it is not ready, or gone."""
    found = get_export(actor, export.pk)
    if found.status != ExportStatus.READY:
        raise NotVisible("The file is not there: the export has not ended well, or its time is over.")
    return default_storage.open(found.file_name, "rb")


def make_export(*, export_id: UUID, now: Callable[[], datetime]) -> None:
    """This function will write the file. Begun again after a crash, it starts anew; ended or canceled, it does nothing."""
    export = LogExport.objects.filter(pk=export_id).first()
    if export is None or not export.is_active:
        complete(kind=EXPORT_KIND, key=str(export_id))
        return
    try:
        _write(export, now)
    except _Stopped:
        pass
    except RightsGone as error:
        _active(export).update(status=ExportStatus.FAILED, error=error.user_message[:300], finished_at=now())
    except Exception:
        log.exception("sync.export_failed", export_id=str(export_id))
        said = "It could not be written. Ask for it again; if that fails too, choose a shorter time."
        _active(export).update(status=ExportStatus.FAILED, error=said, finished_at=now())
    complete(kind=EXPORT_KIND, key=str(export_id))


def expire_export(*, export_id: UUID) -> None:
    """This function will delete the file; that there was an export stays told."""
    export = LogExport.objects.filter(pk=export_id).first()
    if export is not None and export.file_name:
        default_storage.delete(export.file_name)
        LogExport.objects.filter(pk=export_id).update(status=ExportStatus.EXPIRED, file_name="")
    complete(kind=EXPIRE_KIND, key=str(export_id))


def _active(export: LogExport) -> QuerySet[LogExport]:
    rows: QuerySet[LogExport] = LogExport.objects.filter(pk=export.pk)
    return rows.filter(status__in=[ExportStatus.QUEUED, ExportStatus.RUNNING])


def _write(export: LogExport, now: Callable[[], datetime]) -> None:
    rows = _rows_of(export)
    # What comes in meanwhile is not in this file.
    last = rows.order_by("-pk").values_list("pk", flat=True).first()
    rows = rows.filter(pk__lte=last) if last is not None else rows.none()
    _update(export, status=ExportStatus.RUNNING, started_at=now(), total=rows.count(), done_count=0)
    with tempfile.TemporaryFile() as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        write = _writer(export, text)
        for batch in _batches(rows):
            _demand_rights(export, now())
            write(_told(export, batch))
            _update(export, done_count=export.done_count + len(batch))
            extend_lease(kind=EXPORT_KIND, key=str(export.pk), now=now())
        text.flush()
        file.seek(0)
        name = f"{require_tenant_schema()}/exports/{export.pk}.{export.format}"
        default_storage.delete(name)  # what an attempt that crashed left
        kept = default_storage.save(name, File(file, name=name))
    ended = now()
    with transaction.atomic():
        _update(
            export, status=ExportStatus.READY, finished_at=ended, expires_at=ended + KEPT_FOR, file_name=kept,
            byte_count=default_storage.size(kept),
        )  # fmt: skip
        reschedule(kind=EXPIRE_KIND, key=str(export.pk), due_at=ended + KEPT_FOR)


def _update(export: LogExport, **values: Any) -> None:
    """Raises _Stopped when it was canceled."""
    for name, value in values.items():
        setattr(export, name, value)
    if not _active(export).update(**values):
        raise _Stopped


def _rows_of(export: LogExport) -> QuerySet[Any]:
    actor, asked = _reader(export), LogFilters.from_json(export.filters)
    if export.kind == ExportKind.RUNS:
        return find_runs(actor, asked).select_related("flow__integration", "customer")
    find = find_records if export.kind == ExportKind.RECORDS else find_calls
    return find(actor, asked, bounded=False)


def _demand_rights(export: LogExport, now: datetime) -> None:
    """Raises RightsGone once whoever asked may not see what goes into the file."""
    permissions = ["runs.view", *(["payloads.view"] if export.has_payloads else [])]
    present_asker(export.asked_by, now=now, permissions=permissions, owners=export.customer_ids)


def _reader(export: LogExport) -> Actor:
    """Who sees as much as the one who asked did."""
    scope = frozenset(export.customer_ids) if export.is_limited else None
    permissions = STAFF_PERMISSIONS[StaffRole.VIEWER] | ({"payloads.view"} if export.has_payloads else frozenset())
    return Actor(ActorKind.SYSTEM, "export", export.requested_by_label, permissions, scope=scope)


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Newest first, by key: each batch is a query of its own, and no transaction stays open."""
    newest = rows.order_by("-pk")
    batch = list(newest[:BATCH])
    while batch:
        yield batch
        batch = list(newest.filter(pk__lt=batch[-1].pk)[:BATCH]) if len(batch) == BATCH else []


def _told(export: LogExport, batch: list[Any]) -> list[dict[str, Any]]:
    if export.kind == ExportKind.RUNS:
        return [run_row(run) for run in batch]
    if export.kind == ExportKind.CALLS:
        return [call_row(call) for call in batch]
    diffs: dict[int, Any] = {}
    if export.has_payloads:
        diffs = dict(RecordPayload.objects.filter(pk__in=[row.pk for row in batch]).values_list("pk", "diff"))
    return [record_row(row, diffs.get(row.pk), with_changes=export.has_payloads) for row in batch]


def _writer(export: LogExport, out: IO[str]) -> Callable[[Iterable[dict[str, Any]]], None]:
    if export.format == ExportFormat.JSON_LINES:
        return lambda rows: out.writelines(json.dumps(row, default=str, ensure_ascii=False) + "\n" for row in rows)
    names = [name for name in COLUMNS[export.kind] if name != "changes" or export.has_payloads]
    table = csv.DictWriter(out, names)
    table.writeheader()
    return lambda rows: table.writerows({name: _cell(row[name]) for name in names} for row in rows)


def _cell(value: Any) -> Any:
    is_nested = isinstance(value, dict | list)
    return harmless(json.dumps(value, default=str, ensure_ascii=False) if is_nested else value)
