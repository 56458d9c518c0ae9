"""Runs that read something else than what is new: everything again, the records of a period, a single record."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.db import IntegrityError, transaction

from apps.audit.services import record_change
from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.flows.binding import NotOffered, stream_of
from apps.flows.definition import parse_flow
from apps.flows.models import Flow
from apps.sync.models import Checkpoint, RunTrigger, SyncRun
from apps.sync.services.runs import ACTIVE, UnableToStartRun, current_version, make_due, require_not_paused


def list_readable(flow: Flow) -> list[tuple[str, str]]:
    """[("role:stream", label)] of what the flow reads."""
    bindings = {
        binding.role: binding.connection for binding in flow.integration.role_bindings.select_related("connection")
    }
    found = []
    for read in parse_flow(current_version(flow).definition).reads:
        connection = bindings.get(read.role)
        try:
            stream = stream_of(get_manifest(connection.vendor), read) if connection else None
        except NotOffered:
            stream = None
        if connection and stream:
            found.append((f"{read.role}:{stream.name}", f"{stream.label} in {connection.name}"))
    return found


@transaction.atomic
def start_refresh(*, actor: Actor, now: datetime, flow: Flow) -> SyncRun:
    """This function will have everything read again from the beginning, and the rules applied to all of it.

    It goes on where it stopped like any run: what it forgets are the flow's checkpoints. Raises UnableToStartRun.
    """
    run = _start(actor, now, flow, RunTrigger.REFRESH, {})
    Checkpoint.objects.filter(flow=flow).delete()
    return run


@transaction.atomic
def start_backfill(*, actor: Actor, now: datetime, flow: Flow, first_day: date, last_day: date) -> SyncRun:
    """This function will have the records changed in these days (UTC, both included) brought into step."""
    if last_day < first_day:
        raise UnableToStartRun("The last day lies before the first one.", field="last_day")
    if first_day > now.date():
        raise UnableToStartRun("The period lies in the future.", field="first_day")
    # Nothing changed later; and the calendar ends some day, which adding to it must not meet.
    last_day = min(last_day, now.date())
    scope = {"kind": "period", "from": _start_of(first_day), "to": _start_of(last_day)}
    return _start(actor, now, flow, RunTrigger.BACKFILL, scope)


@transaction.atomic
def start_record_run(*, actor: Actor, now: datetime, flow: Flow, source: str, external_id: str) -> SyncRun:
    """This function will have one record brought into step; `source` is one of `list_readable`. Raises UnableToStartRun."""
    if source not in dict(list_readable(flow)):
        raise UnableToStartRun("The flow does not read these.", field="source")
    if not external_id.strip():
        raise UnableToStartRun("Give the record's id in the system.", field="external_id")
    role, _, stream = source.partition(":")
    scope = {"kind": "record", "role": role, "stream": stream, "external_id": external_id.strip()[:120]}
    return _start(actor, now, flow, RunTrigger.RECORD, scope)


def _start(actor: Actor, now: datetime, flow: Flow, trigger: RunTrigger, scope: dict[str, Any]) -> SyncRun:
    actor.require("runs.start")
    actor.require_sight(flow.customer_id, "There is no such flow.")
    require_not_paused(flow)
    if SyncRun.objects.filter(flow=flow, status__in=ACTIVE).exists():
        raise UnableToStartRun("A run of this flow is under way or waits. Try again when it has ended.")
    try:
        with transaction.atomic():
            run = SyncRun.objects.create(
                customer_id=flow.customer_id, environment_id=flow.environment_id, flow=flow,
                flow_version=current_version(flow), trigger=trigger, triggered_by_label=actor.label, queued_at=now,
                scope=scope,
            )  # fmt: skip
    except IntegrityError:
        raise UnableToStartRun("A run of this flow began just now. Try again when it has ended.") from None
    record_change(actor=actor, now=now, target=flow, action=f"run.{trigger}", after=scope or None)
    make_due(flow.pk, now)
    return run


def _start_of(day: date) -> str:
    return datetime.combine(day, time(), tzinfo=UTC).isoformat()
