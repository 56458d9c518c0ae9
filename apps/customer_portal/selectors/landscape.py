"""The customer's systems and the flows between them, with their state at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.connectors.models import Connection, ConnectionStatus
from apps.connectors.registry import UnknownVendor, get_manifest
from apps.core.actor import Actor
from apps.flows.lines import lines_of, roles_of
from apps.flows.models import Flow, Integration, IntegrationStatus, RoleBinding
from apps.sync.models import FailureStatus, RecordFailure, RunStatus, SyncRun
from apps.ui.status import Status, Tone

OPEN_FAILURES = (FailureStatus.OPEN, FailureStatus.RETRYING)
GOOD = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
ENDED = (*GOOD, RunStatus.FAILED)
ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING)
# A reconciling poll may take its time: a flow is behind only once it has missed several of them.
MISSED_POLLS = 3
LEAST_PATIENCE = timedelta(minutes=15)
NEEDS_PERSON = (ConnectionStatus.NEEDS_REAUTHORIZATION, ConnectionStatus.PENDING)

_SYSTEM_STATES = {
    ConnectionStatus.ACTIVE: (Tone.OK, "Connected"),
    ConnectionStatus.DEGRADED: (Tone.ATTENTION, "Not answering well"),
    ConnectionStatus.NEEDS_REAUTHORIZATION: (Tone.ATTENTION, "Needs to be connected again"),
    ConnectionStatus.PENDING: (Tone.ATTENTION, "Waiting to be connected"),
    ConnectionStatus.PAUSED: (Tone.IDLE, "Paused"),
}


@dataclass(frozen=True, slots=True)
class SystemState:
    connection: Connection
    name: str
    domain: str
    status: Status

    @property
    def needs_person(self) -> bool:
        return self.connection.status in NEEDS_PERSON

    @property
    def was_connected(self) -> bool:
        return bool(self.connection.account_id)


@dataclass(frozen=True, slots=True)
class FlowState:
    """`last_checked_at` is when a run last compared source and targets to the end."""

    flow: Flow
    status: Status
    systems: tuple[SystemState, ...]
    lines: tuple[tuple[SystemState, SystemState], ...]  # from, to
    last_checked_at: datetime | None
    failure_count: int
    is_running: bool


@dataclass(frozen=True, slots=True)
class Landscape:
    integrations: list[Integration]
    systems: list[SystemState]
    flows: list[FlowState]

    @property
    def live_flows(self) -> list[FlowState]:
        return [state for state in self.flows if state.flow.integration.status == IntegrationStatus.LIVE]

    @property
    def last_checked_at(self) -> datetime | None:
        """The moment up to which every live flow has been looked at; None while one has not been."""
        checked = [state.last_checked_at for state in self.live_flows]
        known = [at for at in checked if at is not None]
        return min(known) if known and len(known) == len(checked) else None


def list_integrations(actor: Actor) -> QuerySet[Integration]:
    """The integrations in service or being set up, in production."""
    visible = Integration.objects.visible_to(actor).production().exclude(status=IntegrationStatus.RETIRED)
    found: QuerySet[Integration] = visible.select_related("template_version__template").order_by("name", "id")
    return found


def describe_system(connection: Connection) -> SystemState:
    tone, label = _SYSTEM_STATES[ConnectionStatus(connection.status)]
    try:
        manifest = get_manifest(connection.vendor)
    except UnknownVendor:  # a connector that was taken out of service; the history stays readable
        name, domain = connection.name, "generic"
    else:
        name, domain = manifest.name, str(manifest.domain)
    return SystemState(connection, name, domain, Status(label, tone, tone.icon, connection.status))


def get_landscape(actor: Actor, now: datetime, integration: Integration | None = None) -> Landscape:
    """Everything, or what belongs to one integration. Three queries, whatever the size."""
    integrations = list(list_integrations(actor)) if integration is None else [integration]
    bindings = _bindings(integrations)
    systems = {b.connection_id: describe_system(b.connection) for roles in bindings.values() for b in roles.values()}
    flows = list(_flows(actor, integrations))
    states = [_state(flow, bindings[flow.integration_id], systems, now) for flow in flows]
    return Landscape(integrations, sorted(systems.values(), key=lambda system: system.name.lower()), states)


def _bindings(integrations: Iterable[Integration]) -> dict[UUID, dict[str, RoleBinding]]:
    found: dict[UUID, dict[str, RoleBinding]] = defaultdict(dict)
    rows = RoleBinding.objects.filter(integration__in=[i.pk for i in integrations], connection__archived_at=None)
    for binding in rows.select_related("connection").order_by("role"):
        found[binding.integration_id][binding.role] = binding
    return found


def _flows(actor: Actor, integrations: Iterable[Integration]) -> QuerySet[Any]:
    runs = SyncRun.objects.visible_to(actor).filter(flow=OuterRef("pk"))
    ended = runs.filter(status__in=ENDED).order_by("-id")
    return (
        Flow.objects.visible_to(actor)
        .filter(integration__in=[i.pk for i in integrations], retired_at=None)
        .select_related("integration", "current_version")
        .annotate(
            last_status=Subquery(ended.values("status")[:1]),
            checked_at=Subquery(ended.filter(status__in=GOOD).values("finished_at")[:1]),
            is_running=Exists(runs.filter(status__in=ACTIVE)),
            failure_count=Coalesce(Subquery(_failure_counts(actor)), 0),
        )
        .order_by("integration__name", "created_at", "id")
    )


def _failure_counts(actor: Actor) -> QuerySet[Any]:
    """The number of open failures of the flow of the enclosing query."""
    rows = RecordFailure.objects.visible_to(actor).filter(flow=OuterRef("pk"), status__in=OPEN_FAILURES)
    counted: QuerySet[Any] = rows.order_by().values("flow").annotate(count=Count("id")).values("count")
    return counted


def _state(flow: Any, bindings: dict[str, RoleBinding], systems: dict[UUID, SystemState], now: datetime) -> FlowState:
    held = {role: systems[binding.connection_id] for role, binding in bindings.items()}
    definition = flow.current_version.definition if flow.current_version else {}
    drawn = [(held[a], held[b]) for a, b in lines_of(definition) if a in held and b in held and held[a] != held[b]]
    parties = tuple(dict.fromkeys(held[role] for role in roles_of(definition) if role in held))
    tone, label = _judge(flow, parties, now)
    status = Status(label, tone, tone.icon, str(tone))
    return FlowState(
        flow, status, parties, tuple(dict.fromkeys(drawn)), flow.checked_at, flow.failure_count, flow.is_running
    )


def _judge(flow: Any, parties: Iterable[SystemState], now: datetime) -> tuple[Tone, str]:
    if flow.integration.status != IntegrationStatus.LIVE or not flow.is_enabled:
        return Tone.IDLE, "Being set up" if flow.integration.status == IntegrationStatus.DRAFT else "Paused"
    if any(system.needs_person for system in parties):
        return Tone.ATTENTION, "Waiting for you"
    if flow.last_status == RunStatus.FAILED:
        return Tone.FAILING, "Not running"
    if flow.checked_at is None:
        return Tone.INFO, "First run"
    if flow.failure_count:
        return Tone.ATTENTION, "Needs attention"
    patience = max(MISSED_POLLS * timedelta(seconds=flow.schedule_seconds), LEAST_PATIENCE)
    if flow.schedule_seconds and now - (flow.in_step_until or flow.checked_at) > patience:
        return Tone.ATTENTION, "Behind"
    return Tone.OK, "In step"
