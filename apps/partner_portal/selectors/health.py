"""Who is well and who is not: one pass over all customers of a page, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from apps.connectors.models import Connection, ConnectionStatus
from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.flows.models import Flow, IntegrationStatus
from apps.partner_portal.selectors.failures import count_by_customer, unsolved_failures
from apps.sync.models import RunStatus, SyncRun
from apps.ui.status import Status, Tone

# A flow may miss two polls before anybody is bothered, and a quick one gets a quarter of an hour.
PATIENCE = 3
LEAST_PATIENCE = timedelta(minutes=15)
WITH_ERRORS = "In step, with errors"


class FlowState(NamedTuple):
    """What tells how a flow is. Lists of customers read hundreds, for which whole rows take too long."""

    customer_id: UUID
    integration_id: UUID
    integration_status: str
    name: str
    is_enabled: bool
    paused_reason: str
    in_step_until: datetime | None
    schedule_seconds: int
    last_status: str | None
    has_errors: bool


@dataclass(frozen=True, slots=True)
class FlowFreshness:
    """A flow, when it was last in step, and how its last run went."""

    flow: Flow
    last_status: str
    last_run_at: datetime | None
    tone: Tone
    text: str


def flow_freshness(flow: Flow, now: datetime) -> FlowFreshness:
    """`flow` comes from `with_last_run`."""
    last_status, last_at = getattr(flow, "last_status", None) or "", getattr(flow, "last_run_at", None)
    tone, text = judge_flow(_state_of(flow), now)
    return FlowFreshness(flow, last_status, last_at, tone, text)


def _state_of(flow: Flow) -> FlowState:
    return FlowState(
        flow.customer_id, flow.integration_id, flow.integration.status, flow.name, flow.is_enabled, flow.paused_reason,
        flow.in_step_until, flow.schedule_seconds, getattr(flow, "last_status", None), getattr(flow, "has_errors", False),
    )  # fmt: skip


def judge_flow(flow: FlowState, now: datetime) -> tuple[Tone, str]:
    """How well the flow is doing, and the same in words."""
    last_status = flow.last_status
    if not flow.is_enabled:
        return Tone.IDLE, flow.paused_reason or "Not running"
    if last_status == RunStatus.FAILED:
        return Tone.FAILING, "The last run failed"
    if last_status in (RunStatus.QUEUED, RunStatus.RUNNING):
        return Tone.INFO, "Running now"
    if flow.in_step_until is None:
        return Tone.INFO, "First run to come"
    patience = max(timedelta(seconds=flow.schedule_seconds * PATIENCE), LEAST_PATIENCE)
    if flow.schedule_seconds and now - flow.in_step_until > patience:
        return Tone.ATTENTION, "Behind schedule"
    return (Tone.ATTENTION, WITH_ERRORS) if flow.has_errors else (Tone.OK, "In step")


def flows_with_last_run(actor: Actor, *, customer_ids: Iterable[UUID]) -> list[Flow]:
    """Production flows of live and paused integrations, as `flow_freshness` takes them."""
    return list(with_last_run(actor, _flows(actor, list(customer_ids)).select_related("integration", "customer")))


def with_last_run(actor: Actor, flows: QuerySet[Flow]) -> QuerySet[Flow]:
    """The flows with `last_status`, `last_run_at` and `has_errors`."""
    return _judged(actor, flows).annotate(last_run_at=Subquery(_last_run("queued_at")))


def flow_states(actor: Actor, customer_ids: list[UUID]) -> list[FlowState]:
    """The same flows, as light as can be."""
    rows = _judged(actor, _flows(actor, customer_ids)).annotate(integration_status=F("integration__status"))
    return [FlowState(*row) for row in rows.values_list(*FlowState._fields)]


def _judged(actor: Actor, flows: QuerySet[Flow]) -> QuerySet[Flow]:
    errors = unsolved_failures(actor).filter(flow=OuterRef("pk"))
    return flows.annotate(last_status=Subquery(_last_run("status")), has_errors=Exists(errors))


def _flows(actor: Actor, customer_ids: list[UUID]) -> QuerySet[Flow]:
    flows: QuerySet[Flow] = Flow.objects.visible_to(actor).production().filter(customer_id__in=customer_ids)
    served = flows.filter(
        integration__status__in=[IntegrationStatus.LIVE, IntegrationStatus.PAUSED], retired_at=None
    )  # fmt: skip
    return served.order_by("integration__name", "name", "id")


def _last_run(field: str) -> Any:
    return SyncRun.objects.filter(flow=OuterRef("pk")).order_by("-id").values(field)[:1]


@dataclass(slots=True)
class CustomerHealth:
    """The state of one customer's production environment, worst fact first."""

    customer: Customer
    tone: Tone = Tone.IDLE
    reasons: list[str] = field(default_factory=list)
    live_count: int = 0
    in_step_until: datetime | None = None
    open_error_count: int = 0
    broken_connections: list[Connection] = field(default_factory=list)

    @property
    def status(self) -> Status:
        label = self.reasons[0] if self.reasons else ("In step" if self.tone is Tone.OK else "Nothing live yet")
        return Status(label, self.tone, self.tone.icon)


def customer_health(
    actor: Actor, customers: Iterable[Customer], now: datetime, *, flows: list[Flow] | None = None
) -> dict[UUID, CustomerHealth]:
    """Three queries for any number of customers; one less for a caller that has the flows already."""
    found = {customer.pk: CustomerHealth(customer) for customer in customers}
    ids = list(found)
    states = flow_states(actor, ids) if flows is None else [_state_of(flow) for flow in flows]
    errors = count_by_customer(actor, ids)
    broken = _broken_connections(actor, ids)
    own: dict[UUID, list[FlowState]] = defaultdict(list)
    for state in states:
        own[state.customer_id].append(state)
    for customer_id, health in found.items():
        health.open_error_count = errors.get(customer_id, 0)
        health.broken_connections = broken.get(customer_id, [])
        _sum_up(health, own[customer_id], now)
    return found


def health_of_one(actor: Actor, customer: Customer, now: datetime) -> CustomerHealth:
    """The same for the head of a customer's page, in one query; of the broken connections it knows name and state."""
    flows = _judged(actor, _flows(actor, [customer.pk])).annotate(integration_status=F("integration__status"))
    errors = unsolved_failures(actor).filter(customer_id=customer.pk).order_by().values("customer_id")
    broken = _broken(actor, [customer.pk])
    states, error_count, connections = Customer.objects.filter(pk=customer.pk).values_list(
        ArraySubquery(flows.values(row=JSONObject(**{name: name for name in FlowState._fields}))),
        Subquery(errors.annotate(count=Count("*")).values("count")),
        ArraySubquery(broken.values(row=JSONObject(name="name", status="status"))),
    ).get()  # fmt: skip
    health = CustomerHealth(customer, open_error_count=error_count or 0)
    health.broken_connections = [Connection(**row) for row in connections]
    _sum_up(health, [_read_state(row) for row in states], now)
    return health


def _read_state(row: dict[str, Any]) -> FlowState:
    until = row["in_step_until"]
    return FlowState(**{**row, "in_step_until": datetime.fromisoformat(until) if until else None})


def _broken_connections(actor: Actor, customer_ids: list[UUID]) -> dict[UUID, list[Connection]]:
    broken: dict[UUID, list[Connection]] = defaultdict(list)
    for connection in _broken(actor, customer_ids):
        broken[connection.customer_id].append(connection)
    return broken


def _broken(actor: Actor, customer_ids: list[UUID]) -> QuerySet[Connection]:
    found: QuerySet[Connection] = Connection.objects.visible_to(actor).production().filter(
        customer_id__in=customer_ids, archived_at=None,
        status__in=[ConnectionStatus.NEEDS_REAUTHORIZATION, ConnectionStatus.DEGRADED],
    )  # fmt: skip
    return found.order_by("name", "id")


def _sum_up(health: CustomerHealth, flows: list[FlowState], now: datetime) -> None:
    live = {flow.integration_id for flow in flows if flow.integration_status == IntegrationStatus.LIVE}
    health.live_count = len(live)
    enabled = [flow for flow in flows if flow.is_enabled]
    # The customer is as fresh as its most stale flow; one that has never been in step has no instant to show.
    health.in_step_until = min((flow.in_step_until for flow in enabled if flow.in_step_until), default=None)
    facts: list[tuple[Tone, str]] = []
    for connection in health.broken_connections:
        needs_person = connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION
        tone = Tone.FAILING if needs_person else Tone.ATTENTION
        facts.append((tone, f"{connection.name} {'needs re-authorization' if needs_person else 'is degraded'}"))
    judged = [(flow.name, *judge_flow(flow, now)) for flow in enabled]
    # That records failed is said once, with their number.
    facts += [(tone, f"{name}: {text.lower()}") for name, tone, text in judged if tone in _BAD and text != WITH_ERRORS]
    if health.open_error_count:
        plural = "error" if health.open_error_count == 1 else "errors"
        facts.append((Tone.ATTENTION, f"{health.open_error_count} open {plural}"))
    facts.sort(key=lambda fact: _BAD.index(fact[0]))
    health.reasons = [text for _, text in facts]
    health.tone = facts[0][0] if facts else Tone.OK if enabled else Tone.IDLE


_BAD = (Tone.FAILING, Tone.ATTENTION)
