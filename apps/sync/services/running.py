"""Carrying runs out: from the due item to the finished run, and what becomes of runs whose worker died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet

from apps.connectors.sdk.errors import ConnectorError, RateLimited
from apps.connectors.services import note_circuit_success, note_connection_failure, note_connection_success
from apps.core import clock
from apps.core.bulk import write
from apps.core.garbage import rare_collections
from apps.core.write_together import writing_together
from apps.dispatch.services import complete, extend_lease, reschedule, schedule
from apps.events.services import record_event
from apps.flows.definition import parse_triggers
from apps.flows.models import Flow, IntegrationStatus
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.flows.triggers import next_due
from apps.sync.engine.claim import STALE_AFTER, beat, claim_run, forget_heartbeat
from apps.sync.engine.context import RunContext, Tally, build_context
from apps.sync.engine.errors import ClaimLost, RunCanceled, RunDeferred, RunFailed, classify
from apps.sync.engine.events import RUN_FINISHED, RUN_HELD
from apps.sync.engine.execute import execute
from apps.sync.engine.guards import RunGuard
from apps.sync.models import (
    ErrorClass,
    HeldBy,
    RunLimits,
    RunStatus,
    RunStep,
    RunTrigger,
    SyncRun,
)
from apps.sync.services.admission import admit
from apps.sync.services.limits import load_limits
from apps.sync.services.pausing import may_go_on
from apps.sync.services.runs import ACTIVE, current_version, queue_run
from apps.sync.services.warnings import find_warning

log = structlog.get_logger()
DATABASE_LOST = (OperationalError, InterfaceError)
REAP_KIND = "sync.reap"
REAP_EVERY = STALE_AFTER
RETRY_AFTER_FAILURE = timedelta(minutes=1)
_IN_STEP = """
UPDATE flows_flow SET in_step_until = %s
WHERE id = %s AND NOT EXISTS (
    SELECT FROM sync_writeintent intent WHERE intent.flow_id = flows_flow.id AND intent.status IN ('planned', 'sent'))
"""
ENDED = (
    "status", "resume_at", "error_class", "error_message", "finished_at", "held_by", "guard", "pause_requested_at",
    "worked_seconds", "warning",
)  # fmt: skip


@dataclass(frozen=True)
class Ending:
    """How a run ended, or that it waits (`QUEUED` with `resume_at`)."""

    status: RunStatus
    error_class: str = ""
    message: str = ""
    resume_at: datetime | None = None
    held_by: str = ""
    guard: str = ""


def run_due_flow(*, flow_id: UUID, now: datetime) -> SyncRun | None:
    """This function will carry out the flow's due run and set the next one; None when there is nothing to do."""
    waiting = _with_flow(SyncRun.objects.filter(flow_id=flow_id, status__in=ACTIVE)).first()
    flow = waiting.flow if waiting else _load_flow(flow_id)
    if flow is None or not _may_run(flow, waiting):
        complete(kind=FLOW_DUE_KIND, key=str(flow_id))
        return None
    run = waiting or queue_run(flow=flow, trigger=RunTrigger.SCHEDULE, label="", now=now)
    finished = execute_run(run_id=run.pk)
    _set_next(flow, finished)
    return finished


def _load_flow(flow_id: UUID) -> Flow | None:
    related = Flow.objects.select_related("integration", "environment", "customer", "current_version")
    return related.filter(pk=flow_id).first()


def _with_flow(runs: QuerySet[SyncRun]) -> QuerySet[SyncRun]:
    return runs.select_related(
        "flow__integration", "flow__environment", "flow__customer", "flow__current_version", "flow_version"
    )


def _may_run(flow: Flow, waiting: SyncRun | None) -> bool:
    """A person may start a run of a draft; on schedule only live integrations run. What waits for a person waits."""
    if waiting is not None and waiting.status == RunStatus.QUEUED and waiting.held_by == HeldBy.GUARD:
        return False
    if flow.is_enabled and flow.integration.status == IntegrationStatus.LIVE:
        return True
    return waiting is not None and flow.integration.status == IntegrationStatus.DRAFT


def _set_next(flow: Flow, run: SyncRun) -> None:
    now = clock.now()
    key = str(flow.pk)
    if run.waits_for_person and not may_go_on(run):
        complete(kind=FLOW_DUE_KIND, key=key)
    elif run.status == RunStatus.QUEUED:
        reschedule(kind=FLOW_DUE_KIND, key=key, due_at=run.resume_at or now)
    elif run.status == RunStatus.RUNNING:
        is_abandoned = run.heartbeat_at is not None and run.heartbeat_at < now - STALE_AFTER
        reschedule(kind=FLOW_DUE_KIND, key=key, due_at=now if is_abandoned else now + STALE_AFTER)
    elif not Flow.objects.filter(pk=flow.pk, is_enabled=True).exists():
        complete(kind=FLOW_DUE_KIND, key=key)
    else:
        due_at = next_due(parse_triggers(current_version(flow).definition), now, flow.customer.time_zone)
        if run.status == RunStatus.FAILED and run.error_class == ErrorClass.VENDOR_DOWN:
            due_at = min(due_at or now + RETRY_AFTER_FAILURE, now + RETRY_AFTER_FAILURE)
        if due_at is None:
            complete(kind=FLOW_DUE_KIND, key=key)
        else:
            reschedule(kind=FLOW_DUE_KIND, key=key, due_at=due_at)


def execute_run(*, run_id: UUID) -> SyncRun:
    """This function will claim the run and carry it out; returns it as it then stands.

    A run that another live worker holds is left alone.
    """
    claim, run = _claim(run_id, clock.now())
    if claim is None:
        return run
    context = build_context(run.flow, run, claim=claim)
    limits = load_limits()
    guard = RunGuard(context, run, limits)
    context.check = guard.check
    context.tally = Tally(
        run.read_count, run.failed_count, run.created_count + run.updated_count + run.unchanged_count, context.now()
    )
    try:
        ending = _carry_out(context, run, limits)
        if ending is not None and (ended := _finish(context, run, ending, guard)):
            return ended
    except DATABASE_LOST as error:
        log.warning("sync.database_lost", run_id=str(run_id), error=str(error)[:200])
        _abandon(run_id, claim)
    finally:
        context.close()
    return SyncRun.objects.get(pk=run_id)


def _abandon(run_id: UUID, claim: int) -> None:
    """This function will let the next worker take the run over at once: like a death, except that we can still tell.

    Raises what the database raises when it is still away; then the reaper finds the run.
    """
    connection.close()
    if SyncRun.objects.filter(pk=run_id, attempts=claim, status=RunStatus.RUNNING).exists():
        forget_heartbeat(run_id)


@transaction.atomic
@writing_together()
def _claim(run_id: UUID, now: datetime) -> tuple[int | None, SyncRun]:
    """This function will make the run ours, and make sure that somebody comes after us if we die."""
    claim = claim_run(run_id, now)
    run = _with_flow(SyncRun.objects.all()).get(pk=run_id)
    if claim is not None:
        schedule(kind=REAP_KIND, key="all", due_at=now + REAP_EVERY)
        extend_lease(kind=FLOW_DUE_KIND, key=str(run.flow_id), now=now)
    if claim is not None and claim > 1:
        RunStep.objects.filter(run=run, status=RunStatus.RUNNING).update(status=RunStatus.FAILED, finished_at=now)
    return claim, run


def _carry_out(context: RunContext, run: SyncRun, limits: RunLimits) -> Ending | None:
    """None when the run is no longer ours."""
    try:
        admit(context, run, limits)
        with rare_collections():
            execute(context)
    except ClaimLost:
        log.warning("sync.claim_lost", run_id=str(run.pk))
        return None
    except RunCanceled:
        return Ending(RunStatus.CANCELED)
    except RunDeferred as deferred:
        return Ending(
            RunStatus.QUEUED, message=deferred.reason, resume_at=deferred.resume_at, held_by=deferred.held_by,
            guard=deferred.guard,
        )  # fmt: skip
    except RunFailed as failed:
        return Ending(RunStatus.FAILED, failed.error_class, failed.message)
    except ConnectorError as error:
        return _stopped_by_vendor(context, error)
    except DATABASE_LOST:
        raise
    except Exception as error:
        # A bug: the run must not stay "running", and nothing of it is lost; whoever looks finds the trace.
        log.exception("sync.run_crashed", run_id=str(run.pk))
        return Ending(
            RunStatus.FAILED, ErrorClass.INTERNAL, f"An internal error stopped the run ({type(error).__name__})."
        )
    if context.resume_at:
        reason = "Waiting until writes can be verified."
        return Ending(RunStatus.QUEUED, message=reason, resume_at=context.resume_at, held_by=HeldBy.VENDOR)
    return Ending(RunStatus.SUCCEEDED)


def _stopped_by_vendor(context: RunContext, error: ConnectorError) -> Ending:
    if isinstance(error, RateLimited):
        resume_at = context.now() + timedelta(seconds=error.retry_after)
        return Ending(RunStatus.QUEUED, message=error.message, resume_at=resume_at, held_by=HeldBy.VENDOR)
    system = context.failing_system()
    if system is not None:
        note_connection_failure(system.connection, error, context.now())
    name = f"{system.connection.name}: " if system else ""
    return Ending(RunStatus.FAILED, classify(error), f"{name}{error.message}")


def _finish(context: RunContext, run: SyncRun, ending: Ending, guard: RunGuard) -> SyncRun | None:
    """This function will end the run, or put it back into the queue, and tell whoever wants to know.

    Returns the run as it then stands; None when it is no longer ours.
    """
    now = context.now()
    try:
        ended = _end(context, run, ending, guard, now)
    except ClaimLost:
        return None
    if ending.status == RunStatus.SUCCEEDED:
        for system in context.systems.values():
            note_connection_success(system.connection, now)
            note_circuit_success(system.connection, now)
    return ended


@transaction.atomic
@writing_together()
def _end(context: RunContext, run: SyncRun, ending: Ending, guard: RunGuard, now: datetime) -> SyncRun:
    """Raises ClaimLost when the run is no longer ours."""
    # What is still buffered of the log: calls of an attempt that failed.
    beat(context, now)
    locked = SyncRun.objects.get(pk=run.pk)
    status = ending.status
    if status == RunStatus.SUCCEEDED and locked.failed_count:
        status = RunStatus.PARTIAL
    locked.status, locked.resume_at = status, ending.resume_at
    locked.error_class, locked.error_message = ending.error_class, ending.message[:1000]
    locked.held_by, locked.guard, locked.pause_requested_at = ending.held_by, ending.guard, None
    locked.worked_seconds = guard.worked_seconds(now)
    if status != RunStatus.QUEUED:
        locked.finished_at = now
        locked.warning = find_warning(locked, guard.limits)
        _tell(RUN_FINISHED, locked, is_production=context.is_production, now=now)
    elif ending.held_by == HeldBy.GUARD:
        _tell(RUN_HELD, locked, is_production=context.is_production, now=now)
    locked.save(update_fields=ENDED)
    if ending.status == RunStatus.SUCCEEDED:
        write(_IN_STEP, [locked.started_at, run.flow_id])
    return locked


def _tell(name: str, run: SyncRun, *, is_production: bool, now: datetime) -> None:
    facts = {"guard": run.guard} if name == RUN_HELD else {"status": str(run.status), "error_class": run.error_class}
    record_event(
        name=name,
        subject_key=run.owner_key,
        payload={"run_id": str(run.pk), "flow_id": str(run.flow_id), "is_production": is_production, **facts},
        now=now,
    )


def reap_runs(*, now: datetime) -> int:
    """This function will hand runs whose worker fell silent to the next worker; returns how many."""
    stale = SyncRun.objects.filter(status=RunStatus.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
    dead = list(stale.values_list("pk", "flow_id"))
    for run_id, flow_id in dead:
        forget_heartbeat(run_id)
        # Ends the dead worker's lease: the item is due at once.
        reschedule(kind=FLOW_DUE_KIND, key=str(flow_id), due_at=now)
    if SyncRun.objects.filter(status__in=ACTIVE).exists():
        reschedule(kind=REAP_KIND, key="all", due_at=now + REAP_EVERY)
    else:
        complete(kind=REAP_KIND, key="all")
    return len(dead)
