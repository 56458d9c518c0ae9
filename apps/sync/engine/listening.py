"""Facts that start flows: told once per transaction, and only where a flow of the environment listens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.events.services import record_event
from apps.flows.definition import parse_triggers
from apps.flows.models import Flow
from apps.flows.triggers import events_of
from apps.sync.engine.context import RunContext
from apps.sync.engine.events import FACTS_RECORDED


def tell_flows(context: RunContext, names: Iterable[str], now: datetime) -> None:
    """This function will note, in the caller's transaction, that facts of these names happened."""
    if context.is_dry or not names:
        return
    if "heard" not in context.caches:
        context.caches["heard"] = heard_events(context.flow.environment_id, leave_out=context.flow.pk)
    heard: set[str] = context.caches["heard"]
    tell(context.flow.environment_id, context.flow.customer_id, heard.intersection(names), context.flow.pk, now)


def tell(environment_id: UUID, customer_id: UUID, names: Iterable[str], flow_id: UUID | None, now: datetime) -> None:
    """`flow_id`: the flow whose own work it was; it does not start itself."""
    found = sorted(names)
    if found:
        payload = {"environment_id": str(environment_id), "names": found, "flow_id": str(flow_id) if flow_id else None}
        record_event(name=FACTS_RECORDED, subject_key=f"customer:{customer_id}", payload=payload, now=now)


def heard_events(environment_id: UUID, *, leave_out: UUID | None = None) -> set[str]:
    """What other flows of the environment listen to."""
    found: set[str] = set()
    for flow in listening_flows(environment_id, leave_out):
        assert flow.current_version is not None  # noqa: S101 - listening flows have one
        found |= events_of(parse_triggers(flow.current_version.definition))
    return found


def listening_flows(environment_id: UUID, leave_out: UUID | None) -> QuerySet[Flow]:
    """Enabled flows with triggers of their own; older definitions listen to nothing."""
    enabled = Flow.objects.filter(environment_id=environment_id, is_enabled=True)
    if leave_out:
        enabled = enabled.exclude(pk=leave_out)
    return enabled.filter(current_version__definition__has_key="triggers").select_related("current_version")
