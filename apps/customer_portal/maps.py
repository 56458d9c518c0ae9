"""The landscape as a picture."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from apps.customer_portal.selectors.landscape import FlowState, Landscape
from apps.ui.system_map import MapFlow, MapSystem, SystemMap, build_system_map


def draw_map(landscape: Landscape, now: datetime) -> SystemMap | None:
    """None while there is nothing to draw."""
    if not landscape.systems:
        return None
    systems = [
        MapSystem(
            key=str(system.connection.pk),
            name=system.name,
            domain=system.domain,
            status=system.status,
            detail=system.connection.account_name or system.connection.name,
            url=reverse("customer_portal:connection_detail", args=[system.connection.pk]),
        )
        for system in landscape.systems
    ]
    flows = [line for state in landscape.flows for line in _lines(state)]
    return build_system_map(systems, flows, title="Your systems and the flows between them", now=now)


def _lines(state: FlowState) -> list[MapFlow]:
    return [
        MapFlow(
            source=str(source.connection.pk),
            target=str(target.connection.pk),
            label=state.flow.name,
            status=state.status,
            fresh_at=state.flow.in_step_until or state.last_checked_at,
            url=reverse("customer_portal:integration_detail", args=[state.flow.integration_id]),
            live=state.is_running,
        )
        for source, target in state.lines
    ]
