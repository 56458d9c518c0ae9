"""Facts for the rooms above: what happened to a customer's records, in two words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from apps.canonical.workspace import Change, State, Workspace
from apps.customers.models import EnvironmentKind
from apps.events.registry import BOOLEAN, MONEY, NULLABLE_TEXT, TEXT, EventField, choice_field, id_field
from apps.events.services import record_events
from apps.sync.models import RunStatus

OPPORTUNITY_WON = "opportunity.won"
PROJECT_PROVISIONED = "project.provisioned"
TIME_ENTRY_APPROVED = "time_entry.approved"
MILESTONE_COMPLETED = "milestone.completed"
INVOICE_RELEASED = "invoice.released"
PAYMENT_RECEIVED = "payment.received"
REVENUE_RECOGNIZABLE = "revenue.recognizable"
RUN_FINISHED = "sync.run.finished"
RUN_HELD = "sync.run.held"
FAILURE_OPENED = "sync.failure.opened"
FACTS_RECORDED = "sync.facts.recorded"

EVENTS = {
    OPPORTUNITY_WON: "A deal was won.",
    PROJECT_PROVISIONED: "A project was opened in a system.",
    TIME_ENTRY_APPROVED: "Time was approved.",
    MILESTONE_COMPLETED: "A milestone was completed.",
    INVOICE_RELEASED: "An invoice was released to its recipient.",
    PAYMENT_RECEIVED: "A payment arrived.",
    REVENUE_RECOGNIZABLE: "Revenue was earned and may be recognized.",
    RUN_FINISHED: "A run of a flow ended.",
    RUN_HELD: "A guard stopped a run; it waits for a person.",
    FAILURE_OPENED: "A record could not be brought into step.",
}
# What happens in a sandbox is told as well: a receiver must be able to leave it be.
_RECORD = {"record_id": id_field("rec"), "title": TEXT, "is_production": BOOLEAN}
FIELDS: dict[str, dict[str, EventField]] = {
    OPPORTUNITY_WON: _RECORD,
    PROJECT_PROVISIONED: {"record_id": id_field("rec"), "connection_id": id_field("con"), "is_production": BOOLEAN},
    TIME_ENTRY_APPROVED: _RECORD,
    MILESTONE_COMPLETED: _RECORD,
    INVOICE_RELEASED: _RECORD,
    PAYMENT_RECEIVED: _RECORD,
    REVENUE_RECOGNIZABLE: {
        **_RECORD, "project_id": id_field("rec", nullable=True), "amount": MONEY, "earned_on": TEXT,
        "period_start": NULLABLE_TEXT, "period_end": NULLABLE_TEXT,
    },
    RUN_FINISHED: {
        "run_id": id_field("run"), "flow_id": id_field("flw"), "status": choice_field(*RunStatus.values),
        "error_class": TEXT, "is_production": BOOLEAN,
    },
    RUN_HELD: {"run_id": id_field("run"), "flow_id": id_field("flw"), "guard": TEXT, "is_production": BOOLEAN},
    FAILURE_OPENED: {"failure_id": id_field("fai"), "flow_id": id_field("flw"), "is_production": BOOLEAN},
}  # fmt: skip
Fact = tuple[str, str, dict[str, Any]]


def record_facts(facts: Iterable[Fact], now: datetime) -> None:
    """This function will write (event, subject key, payload) facts in the caller's transaction."""
    record_events(facts=list(facts), now=now)


def facts_of(workspace: Workspace) -> list[Fact]:
    """What the changes of one transaction mean, to whom it happened and where."""
    environment, found = workspace.environment, []
    place = {"is_production": environment.kind == EnvironmentKind.PRODUCTION}
    for change in workspace.changes:
        name = _event_of(change)
        if name:
            payload = {"record_id": str(change.state.id), "title": change.state.title, **place}
            if name == REVENUE_RECOGNIZABLE:
                payload |= _earned(change.state)
            found.append((name, f"customer:{environment.customer_id}", payload))
    return found


def _earned(state: State) -> dict[str, Any]:
    """What the books need, without a second question."""
    project, data = state.links.get("project"), state.data
    return {
        "project_id": str(project) if project else None, "amount": data["total"], "earned_on": data["earned_on"],
        "period_start": data.get("period_start"), "period_end": data.get("period_end"),
    }  # fmt: skip


def _event_of(change: Change) -> str | None:
    entity = change.state.entity
    if entity == "payment" and change.is_new:
        return PAYMENT_RECEIVED
    if entity == "revenue":
        return REVENUE_RECOGNIZABLE if change.is_new and change.state.data["status"] == "recognizable" else None
    if entity == "opportunity":
        return OPPORTUNITY_WON if change.fields.get("stage", [None, None])[1] == "won" else None
    before, after = change.fields.get("status", [None, None])
    if entity == "time_entry" and after == "approved":
        return TIME_ENTRY_APPROVED
    if entity == "milestone" and after == "done":
        return MILESTONE_COMPLETED
    if entity == "invoice" and after in ("open", "paid") and before in (None, "draft"):
        return INVOICE_RELEASED
    return None
