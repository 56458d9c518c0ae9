"""Asking for a run and asking it to stop."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_audit, record_change
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict
from apps.dispatch.services import schedule
from apps.flows.definition import parse_triggers
from apps.flows.models import Flow, FlowVersion, IntegrationStatus
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.flows.triggers import in_words, may_start, next_due
from apps.sync.models import HeldBy, RunStatus, RunTrigger, SyncRun

AWAITED = 3  # priority of what a person or a vendor's message started

ACTIVE = [RunStatus.QUEUED, RunStatus.RUNNING]


class UnableToStartRun(Conflict):
    """The flow is paused, or a run is under way."""


class UnableToCancelRun(Conflict):
    """The run has ended."""


@transaction.atomic
def start_run(*, actor: Actor, now: datetime, flow: Flow, trigger: str = RunTrigger.MANUAL) -> SyncRun:
    """This function will queue a run and make it due at once; a run that is queued already is returned.

    Raises UnableToStartRun while another one runs, NotVisible, NotPermitted.
    """
    actor.require("runs.start")
    actor.require_sight(flow.customer_id, "There is no such flow.")
    require_not_paused(flow)
    _demand_trigger(flow, trigger)
    run = queue_run(flow=flow, trigger=trigger, label=actor.label, now=now)
    require_startable(run)
    if actor.kind is not ActorKind.SYSTEM:
        record_change(actor=actor, now=now, target=flow, action="run.started")
    make_due(flow.pk, now)
    return run


def require_not_paused(flow: Flow) -> None:
    """Raises UnableToStartRun with what is to be resumed first."""
    if flow.integration.status in (IntegrationStatus.PAUSED, IntegrationStatus.RETIRED):
        raise UnableToStartRun(f"The integration is {flow.integration.get_status_display().lower()}.")
    if flow.paused_at is not None:
        raise UnableToStartRun("The flow is paused. Resume it first.")


def require_startable(run: SyncRun) -> None:
    """Raises UnableToStartRun for an active run that does not begin by being asked for."""
    if run.status == RunStatus.RUNNING:
        raise UnableToStartRun("A run of this flow is under way. It picks up the newest changes by itself.")
    if run.held_by == HeldBy.GUARD:
        raise UnableToStartRun("A guard stopped this flow's run. Continue or cancel that one first.")
    if run.held_by == HeldBy.PAUSE:
        raise UnableToStartRun("A system of this flow is paused. Resume it first.")


def _demand_trigger(flow: Flow, trigger: str) -> None:
    """A flow that starts by itself only is still tried out while it is being set up."""
    if trigger not in (RunTrigger.MANUAL, RunTrigger.API) or flow.integration.status == IntegrationStatus.DRAFT:
        return
    triggers = parse_triggers(current_version(flow).definition)
    if not may_start(triggers, api=trigger == RunTrigger.API):
        raise UnableToStartRun(f"This flow starts by itself only: {in_words(triggers) or 'never'}.")


def make_due(flow_id: UUID, at: datetime) -> None:
    """This function will have the flow run then, before flows that only their schedule starts: somebody waits for it."""
    schedule(kind=FLOW_DUE_KIND, key=str(flow_id), due_at=at, priority=AWAITED)


def queue_run(*, flow: Flow, trigger: str, label: str, now: datetime) -> SyncRun:
    """This function will return the flow's active run, made now when there is none (the database allows one)."""
    active = SyncRun.objects.filter(flow=flow, status__in=ACTIVE)
    while True:
        ensure_run(flow=flow, trigger=trigger, label=label, now=now)
        # The one that was active may have ended between the two statements.
        if run := active.first():
            return run


def ensure_run(*, flow: Flow, trigger: str, label: str, now: datetime) -> None:
    """This function will make a run unless one is active."""
    run = SyncRun(
        customer_id=flow.customer_id, environment_id=flow.environment_id, flow=flow,
        flow_version=current_version(flow), trigger=trigger, triggered_by_label=label, queued_at=now,
    )  # fmt: skip
    SyncRun.objects.bulk_create([run], ignore_conflicts=True)


def current_version(flow: Flow) -> FlowVersion:
    """Raises UnableToStartRun where nothing is published."""
    if flow.current_version is None:
        raise UnableToStartRun("The flow has no published version.")
    return flow.current_version


@transaction.atomic
def cancel_run(*, actor: Actor, now: datetime, run: SyncRun) -> SyncRun:
    """This function will end a queued run, or ask a running one to stop after its current page. Raises UnableToCancelRun."""
    actor.require("runs.start")
    actor.require_sight(run.customer_id, "There is no such run.")
    locked = SyncRun.objects.select_for_update().get(pk=run.pk)
    if locked.status not in ACTIVE:
        raise UnableToCancelRun("The run has ended: there is nothing left to cancel.")
    locked.cancel_requested_at = now
    if locked.status == RunStatus.QUEUED:
        locked.status, locked.finished_at, locked.held_by, locked.guard = RunStatus.CANCELED, now, "", ""
        _plan_next(locked, now)
    locked.save(update_fields=["cancel_requested_at", "status", "finished_at", "held_by", "guard"])
    record_audit(
        actor=actor, action="run.canceled", target_key=f"run:{run.pk}", target_label=str(run.flow),
        owner_key=run.owner_key, now=now,
    )  # fmt: skip
    return locked


def _plan_next(run: SyncRun, now: datetime) -> None:
    """What waited for a person had no next time."""
    due_at = next_due(parse_triggers(current_version(run.flow).definition), now, run.customer.time_zone)
    if run.flow.is_enabled and due_at:
        schedule(kind=FLOW_DUE_KIND, key=str(run.flow_id), due_at=due_at)
