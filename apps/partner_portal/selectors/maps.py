"""The picture of a customer or of one integration: systems as they are connected, flows as they run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from apps.connectors.models import Connection
from apps.connectors.registry import find_manifest
from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.flows.lines import lines_of
from apps.flows.models import Flow, FlowVersion, Integration, RoleBinding
from apps.partner_portal.selectors.health import FlowFreshness, flow_freshness
from apps.sync.models import RunStatus
from apps.ui.system_map import MapFlow, MapSystem, SystemMap, build_system_map


@dataclass(frozen=True, slots=True)
class LiveMap:
    """The picture and, beside it, the flows it was drawn from."""

    map: SystemMap
    flows: list[FlowFreshness]


def customer_map(actor: Actor, customer: Customer, flows: list[Flow], now: datetime) -> LiveMap:
    """`flows` come from `flows_with_last_run`."""
    fresh = [flow_freshness(flow, now) for flow in flows]
    connections = Connection.objects.visible_to(actor).production().for_customer(customer).filter(archived_at=None)
    return _draw(list(connections.order_by("name", "id")), fresh, f"Systems and flows of {customer.name}", now)


def integration_map(actor: Actor, integration: Integration, flows: list[Flow], now: datetime) -> LiveMap:
    """`flows` come from `with_last_run`."""
    bindings = RoleBinding.objects.filter(integration=integration).select_related("connection")
    connections = {binding.connection_id: binding.connection for binding in bindings}
    fresh = [flow_freshness(flow, now) for flow in flows]
    return _draw(list(connections.values()), fresh, f"Systems and flows of {integration.name}", now)


def _draw(connections: list[Connection], flows: list[FlowFreshness], title: str, now: datetime) -> LiveMap:
    systems = [_system(connection) for connection in connections]
    bound = _bindings({fresh.flow.integration_id for fresh in flows})
    definitions = dict(
        FlowVersion.objects.filter(pk__in=[fresh.flow.current_version_id for fresh in flows]).values_list(
            "flow_id", "definition"
        )
    )
    edges = [
        edge
        for fresh in flows
        for edge in _edges(fresh, definitions.get(fresh.flow.pk) or {}, bound.get(fresh.flow.integration_id, {}))
    ]
    return LiveMap(build_system_map(systems, edges, title=title, now=now), flows)


def _system(connection: Connection) -> MapSystem:
    manifest = find_manifest(connection.vendor)
    return MapSystem(
        key=str(connection.pk),
        name=manifest.name if manifest else connection.vendor,
        domain=str(manifest.domain) if manifest else "generic",
        status=connection.status,
        detail=connection.account_name or connection.name,
        url=reverse("partner_portal:connection", args=[connection.pk]),
    )


def _bindings(integration_ids: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    bound: dict[UUID, dict[str, str]] = {}
    for binding in RoleBinding.objects.filter(integration_id__in=list(integration_ids)):
        bound.setdefault(binding.integration_id, {})[binding.role] = str(binding.connection_id)
    return bound


def _edges(fresh: FlowFreshness, definition: dict[str, object], bound: dict[str, str]) -> list[MapFlow]:
    """Two roles may be played by one system: the map draws systems, so that is one line."""
    pairs = dict.fromkeys((bound.get(source, ""), bound.get(target, "")) for source, target in lines_of(definition))
    return [
        MapFlow(
            source=source,
            target=target,
            label=fresh.flow.name,
            status=fresh.tone,
            fresh_at=fresh.flow.in_step_until,
            url=reverse("partner_portal:integration", args=[fresh.flow.integration_id]),
            live=fresh.last_status == RunStatus.RUNNING,
        )
        for source, target in pairs
        if source and target and source != target
    ]
