"""Time that is edited or deleted after it was invoiced: the invoice does not follow, so a person has to know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from apps.canonical.workspace import Change, State, Workspace
from apps.sync.engine.consequences import note_failures
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.failures import FailedRecord, resolve_writing
from apps.sync.models import ErrorClass, FailureStatus, RecordFailure

OBJECT = "invoiced time"
CODE = "invoiced_time"
DELETED = "deleted"
# What an invoice's line was made of.
LINKS = frozenset({"project", "resource", "task"})
WATCHED = LINKS | {"duration_seconds", "billable", "status", "work_date"}
_OPEN = (FailureStatus.OPEN, FailureStatus.RETRYING)


def note_invoiced_time(
    context: RunContext, system: BoundSystem, workspace: Workspace, deleted: Iterable[UUID], now: datetime
) -> None:
    """This function will open a failure for each such entry, and close it when the entry is as it was invoiced again."""
    edited = [change for change in workspace.changes if _is_edited(change)]
    gone = _deleted_entries(workspace, deleted)
    if context.is_dry or not (edited or gone):
        return
    places = RecordFailure.objects.filter(flow=context.flow, object_name=OBJECT, status__in=_OPEN)
    known = {f.record_id: f.payload or {} for f in places.filter(record_id__in=[c.state.id for c in edited])}
    failed, settled = [], []
    for change in edited:
        before = {**_before(change), **known.get(change.state.id, {})}
        if all(_value(change.state, name) == value for name, value in before.items()):
            settled.append(change.state.id)
        else:
            failed.append(_failed(system, change.state, _edit_message(change.state, before), before))
    failed += [_failed(system, state, _message(state, "was deleted"), {DELETED: False}) for state in gone]
    note_failures(context, failed, now)
    if settled:
        resolve_writing(context, system.connection.pk, OBJECT, settled, now)


def _is_edited(change: Change) -> bool:
    state = change.state
    if state.entity != "time_entry" or change.is_new or "invoice" not in state.links or "invoice" in change.fields:
        return False
    return bool(WATCHED & change.fields.keys())


def _deleted_entries(workspace: Workspace, deleted: Iterable[UUID]) -> list[State]:
    ids = list(deleted)
    workspace.load(ids)
    states = [state for state in map(workspace.find, ids) if state]
    return [state for state in states if state.entity == "time_entry" and "invoice" in state.links]


def _before(change: Change) -> dict[str, Any]:
    return {name: values[0] for name, values in change.fields.items() if name in WATCHED}


def _value(state: State, name: str) -> Any:
    if name in state.links:
        return str(state.links[name])
    return state.data.get(name)


def _edit_message(state: State, before: dict[str, Any]) -> str:
    told = [_told(name, value, _value(state, name)) for name, value in sorted(before.items())]
    return _message(state, f"was changed: {', '.join(told)}")


def _told(name: str, before: Any, after: Any) -> str:
    """As a person would say it: hours instead of seconds, and no ids."""
    if name in LINKS:
        return f"another {name}"
    if name == "duration_seconds":
        return f"duration {_hours(before)} → {_hours(after)}"
    words = {True: "yes", False: "no", None: "none"}
    return f"{name.replace('_', ' ')} {words.get(before, before)} → {words.get(after, after)}"


def _hours(seconds: Any) -> str:
    return f"{round(int(seconds or 0) / 3600, 2):g} h"


def _message(state: State, what: str) -> str:
    return f"This time is on an invoice and {what}. The invoice stays as it is."


def _failed(system: BoundSystem, state: State, message: str, before: dict[str, Any]) -> FailedRecord:
    return FailedRecord(
        connection_id=system.connection.pk, direction="write", object_name=OBJECT, record_id=state.id,
        title=state.title, problem=RecordProblem(ErrorClass.CONFLICT, message, code=CODE), payload=before,
    )  # fmt: skip


def look_again(failures: Iterable[tuple[RecordFailure, State]], now: datetime) -> None:
    """This function will close those whose entry is as it was invoiced, and count another attempt for the others."""
    settled: list[UUID] = []
    standing: list[UUID] = []
    for failure, state in failures:
        before = failure.payload or {}
        is_settled = DELETED not in before and all(_value(state, name) == value for name, value in before.items())
        (settled if is_settled else standing).append(failure.pk)
    RecordFailure.objects.filter(pk__in=standing).update(
        status=FailureStatus.OPEN, attempts=F("attempts") + 1, last_at=now
    )
    RecordFailure.objects.filter(pk__in=settled).update(
        status=FailureStatus.RESOLVED, resolved_at=now, resolved_by_label="System: as invoiced"
    )
