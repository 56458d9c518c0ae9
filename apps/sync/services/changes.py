"""A vendor says that something changed, or a fact came true: the flows that wait for it run now.

The schedule stays as safety net.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.connectors.services import handle_deliveries
from apps.core import clock
from apps.core.bulk import commit_without_waiting
from apps.core.write_together import writing_together
from apps.dispatch.services import take
from apps.flows.binding import NotOffered, stream_of
from apps.flows.definition import parse_flow, parse_triggers
from apps.flows.models import Flow, RoleBinding
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.flows.triggers import events_of
from apps.sync.engine.listening import listening_flows
from apps.sync.models import RunTrigger, SyncRun
from apps.sync.services.running import run_due_flow
from apps.sync.services.runs import AWAITED, ensure_run, make_due


def note_change(*, connection_id: UUID, streams: list[str], now: datetime) -> int:
    """This function will make every live flow due that reads one of the streams (all of them when none is named).

    Returns how many. A change that arrives while the flow runs makes it due again when that run ends.
    """
    connection = Connection.objects.filter(pk=connection_id).first()
    flows = list(_reading_flows(connection, streams)) if connection else []
    for flow in flows:
        ensure_run(flow=flow, trigger=RunTrigger.WEBHOOK, label="", now=now)
        make_due(flow.pk, now)
    return len(flows)


def run_on_deliveries(*, key: str, now: datetime) -> SyncRun | None:
    """This function will take a connection's deliveries and run a flow that reads what changed; others become due.

    What arrives while that flow runs makes it due again when the run ends, all of it together.
    """
    taken: list[UUID] = []

    def tell(connection: Connection, streams: list[str]) -> None:
        for flow in _reading_flows(connection, streams):
            ensure_run(flow=flow, trigger=RunTrigger.WEBHOOK, label="", now=now)
            if taken:
                make_due(flow.pk, now)
            elif take(kind=FLOW_DUE_KIND, key=str(flow.pk), now=now, priority=AWAITED):
                taken.append(flow.pk)

    with transaction.atomic(), writing_together():
        # Lost, the deliveries are not handled and come again; taking the run waits for the disk, with all before it.
        commit_without_waiting()
        handle_deliveries(key=key, now=now, tell=tell)
    return run_due_flow(flow_id=taken[0], now=clock.now()) if taken else None


def _reading_flows(connection: Connection, streams: list[str]) -> Iterator[Flow]:
    """The live flows that read one of the streams (any, when none is named)."""
    bindings = RoleBinding.objects.filter(connection=connection, integration__flows__is_enabled=True)
    for integration_id, role in sorted(set(bindings.values_list("integration_id", "role")), key=str):
        for flow in Flow.objects.filter(integration_id=integration_id, is_enabled=True).select_related(
            "current_version"
        ):
            if _reads(flow, role, connection.vendor, streams):
                yield flow


def note_facts(*, environment_id: UUID, names: list[str], leave_out: UUID | None, now: datetime) -> int:
    """This function will make every live flow due that listens to one of the facts; returns how many."""
    noted = 0
    for flow in listening_flows(environment_id, leave_out):
        assert flow.current_version is not None  # noqa: S101 - listening flows have one
        if events_of(parse_triggers(flow.current_version.definition)).intersection(names):
            ensure_run(flow=flow, trigger=RunTrigger.EVENT, label="", now=now)
            make_due(flow.pk, now)
            noted += 1
    return noted


def _reads(flow: Flow, role: str, vendor: str, streams: list[str]) -> bool:
    if flow.current_version is None:
        return False
    spec = parse_flow(flow.current_version.definition)
    if all(trigger.webhook != role for trigger in spec.triggers):
        return False
    for read in spec.reads:
        if read.role != role:
            continue
        try:
            name = stream_of(get_manifest(vendor), read).name
        except NotOffered:
            continue
        if not streams or name in streams:
            return True
    return False
