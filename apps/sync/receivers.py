from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apps.connectors.models import Connection, ConnectionStatus
from apps.core import clock
from apps.sync import services

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent


def on_webhook_received(event: OutboxEvent) -> None:
    services.note_change(
        connection_id=UUID(event.payload["connection_id"]),
        streams=list(event.payload.get("streams") or []),
        now=clock.now(),
    )


def on_flows_started(event: OutboxEvent) -> None:
    flow_ids = [UUID(key) for key in event.payload["flow_ids"]]
    services.release_runs(flow_ids=flow_ids, now=clock.now(), is_scheduled=True)


def on_flows_stopped(event: OutboxEvent) -> None:
    stop = services.end_runs if event.payload["is_final"] else services.hold_runs
    stop(flow_ids=[UUID(key) for key in event.payload["flow_ids"]], now=clock.now())


def on_connection_status_changed(event: OutboxEvent) -> None:
    """News may come late or twice: what counts is what the connection is by now."""
    connection = Connection.objects.filter(pk=UUID(event.payload["connection_id"])).first()
    if connection is None or ConnectionStatus.PAUSED not in (event.payload["from"], event.payload["to"]):
        return
    is_paused = connection.status == ConnectionStatus.PAUSED
    act = services.hold_runs if is_paused else services.release_runs
    act(flow_ids=services.flows_of_connection(connection.pk), now=clock.now())


def on_circuit_closed(event: OutboxEvent) -> None:
    services.wake_runs(connection_id=UUID(event.payload["connection_id"]), now=clock.now())


def on_facts_recorded(event: OutboxEvent) -> None:
    flow_id = event.payload.get("flow_id")
    services.note_facts(
        environment_id=UUID(event.payload["environment_id"]),
        names=list(event.payload["names"]),
        leave_out=UUID(flow_id) if flow_id else None,
        now=clock.now(),
    )
