"""Runs of what was paused stop after their page and wait; they go on where they stopped once it is resumed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_audit
from apps.connectors.models import Connection, ConnectionStatus
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.flows.definition import parse_triggers
from apps.flows.models import Flow, IntegrationStatus
from apps.flows.triggers import first_due
from apps.sync.models import HeldBy, RunStatus, SyncRun
from apps.sync.services.runs import ACTIVE, make_due


class UnableToContinue(Conflict):
    """The run does not wait for a person."""


def may_go_on(run: SyncRun) -> bool:
    """Whether what paused a run is over by now (it was resumed while the run stopped)."""
    if run.held_by != HeldBy.PAUSE:
        return False
    flow = Flow.objects.select_related("integration").get(pk=run.flow_id)
    is_draft = flow.integration.status == IntegrationStatus.DRAFT
    return (flow.is_enabled or is_draft) and not _paused_connections(flow)


def _paused_connections(flow: Flow) -> bool:
    bound = Connection.objects.filter(role_bindings__integration_id=flow.integration_id)
    return bound.filter(status=ConnectionStatus.PAUSED).exists()


def flows_of_connection(connection_id: UUID) -> list[UUID]:
    return list(
        Flow.objects.filter(integration__role_bindings__connection_id=connection_id)
        .order_by("id")
        .distinct()
        .values_list("pk", flat=True)
    )


@transaction.atomic
def hold_runs(*, flow_ids: Iterable[UUID], now: datetime) -> int:
    """This function will ask the runs of paused flows to stop, and mark queued ones as paused. Safe to repeat.

    Flows that were resumed meanwhile are left alone.
    """
    stopped = [flow.pk for flow in Flow.objects.filter(pk__in=list(flow_ids)) if not _runs_again(flow)]
    active = SyncRun.objects.filter(flow_id__in=stopped)
    queued = active.filter(status=RunStatus.QUEUED).exclude(held_by=HeldBy.GUARD)
    held = queued.update(held_by=HeldBy.PAUSE, error_message="Paused. It goes on where it stopped.")
    return held + active.filter(status=RunStatus.RUNNING).update(pause_requested_at=now)


def _runs_again(flow: Flow) -> bool:
    return flow.is_enabled and not _paused_connections(flow)


@transaction.atomic
def end_runs(*, flow_ids: Iterable[UUID], now: datetime) -> int:
    """This function will cancel what is left of retired flows. Safe to repeat."""
    active = SyncRun.objects.filter(flow_id__in=list(flow_ids))
    queued = active.filter(status=RunStatus.QUEUED).update(
        status=RunStatus.CANCELED, cancel_requested_at=now, finished_at=now, held_by="", guard=""
    )
    return queued + active.filter(status=RunStatus.RUNNING).update(cancel_requested_at=now)


@transaction.atomic
def release_runs(*, flow_ids: Iterable[UUID], now: datetime, is_scheduled: bool = False) -> int:
    """This function will let flows that may run again go on at once, with the run that waits if there is one.

    `is_scheduled`: their first run was set when they were switched on and may be over by now; only what waits is hurried.
    """
    released = 0
    enabled = Flow.objects.filter(pk__in=list(flow_ids), is_enabled=True)
    for flow in enabled.select_related("current_version", "customer").order_by("id"):
        if _paused_connections(flow):
            continue
        runs = SyncRun.objects.filter(flow=flow)
        asked = runs.filter(status=RunStatus.RUNNING, pause_requested_at__isnull=False).update(pause_requested_at=None)
        runs.filter(
            status=RunStatus.QUEUED, held_by__in=[HeldBy.PAUSE, HeldBy.CIRCUIT]
        ).update(held_by="", resume_at=None, error_message="")  # fmt: skip
        if is_scheduled:
            due_at = now if asked or runs.filter(status=RunStatus.QUEUED).exists() else None
        else:
            due_at = now if runs.filter(status__in=ACTIVE).exists() else _first_due(flow, now)
        if due_at:
            make_due(flow.pk, due_at)
        released += 1
    return released


def _first_due(flow: Flow, now: datetime) -> datetime | None:
    triggers = parse_triggers(flow.current_version.definition) if flow.current_version else []
    return first_due(triggers, now, flow.customer.time_zone)


@transaction.atomic
def wake_runs(*, connection_id: UUID, now: datetime) -> int:
    """This function will make runs due that waited for a system that answers again."""
    waiting = SyncRun.objects.filter(
        flow_id__in=flows_of_connection(connection_id), status=RunStatus.QUEUED, held_by=HeldBy.CIRCUIT
    )
    flow_ids = list(waiting.values_list("flow_id", flat=True))
    return release_runs(flow_ids=flow_ids, now=now)


@transaction.atomic
def continue_run(*, actor: Actor, now: datetime, run: SyncRun) -> SyncRun:
    """This function will let a run go on that a guard stopped; that guard stops it no more. Raises UnableToContinue."""
    actor.require("runs.start")
    actor.require_sight(run.customer_id, "There is no such run.")
    locked = SyncRun.objects.select_for_update().get(pk=run.pk)
    if locked.status != RunStatus.QUEUED or locked.held_by != HeldBy.GUARD:
        raise UnableToContinue("The run does not wait for anybody's word. Reload its page to see how far it is.")
    locked.lifted_guards = sorted({*locked.lifted_guards, locked.guard})
    locked.held_by, locked.guard, locked.error_message = "", "", ""
    locked.save(update_fields=["lifted_guards", "held_by", "guard", "error_message"])
    make_due(locked.flow_id, now)
    record_audit(
        actor=actor, action="run.continued", target_key=f"run:{run.pk}", target_label=str(run.flow),
        owner_key=run.owner_key, after={"lifted": locked.lifted_guards}, now=now,
    )  # fmt: skip
    return locked
