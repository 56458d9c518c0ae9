"""The log's lists: their filters as the explorer takes them, and their columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse

from apps.accounts.access import ActorRequest
from apps.canonical.models import Entity
from apps.connectors.models import Connection
from apps.flows.models import Flow
from apps.partner_portal.lists.runs import as_uuid, customer_choices, flow_filters, integration_choices, moments_of
from apps.partner_portal.tabs import Tabs
from apps.sync.explorer import CALL_STATES, LogFilters
from apps.sync.models import ErrorClass, RecordAction, RecordLog, VendorCall
from apps.ui.differences import field_name
from apps.ui.filters import Filter, FilterState, parse_filters, period
from apps.ui.links import link_to_number
from apps.ui.markup import label_of
from apps.ui.paging import with_query
from apps.ui.status import Status, status_of
from apps.ui.tables import Column, Table, build_table

TABS = Tabs(
    ("runs", "Runs", "runs.view"),
    ("log_records", "Records", "runs.view"),
    ("log_calls", "Calls", "runs.view"),
    ("log_exports", "Exports", "runs.view"),
)


def record_filters(request: ActorRequest) -> FilterState:
    own = [
        *_places(request),
        Filter("entity", "What", Entity.choices),
        Filter("action", "Action", RecordAction.choices),
        Filter("error", "Error", ErrorClass.choices),
        period(takes_days=True),
    ]
    return parse_filters(request, own, search_placeholder="Error text, name, number or id")


def call_filters(request: ActorRequest) -> FilterState:
    states = [(key, label) for key, (label, _) in CALL_STATES.items()]
    own = [*_places(request), Filter("answer", "Answer", states), period(takes_days=True)]
    return parse_filters(request, own, search_placeholder="Error text, address or run id")


def _places(request: ActorRequest) -> list[Filter]:
    return [
        Filter("customer", "Customer", customer_choices(request), icon="users"),
        Filter("integration", "Integration", integration_choices(request), icon="route"),
        *flow_filters(request),
    ]


def asked_of(request: ActorRequest, state: FilterState) -> LogFilters:
    """What the page's filters mean; a period is an instant from now on."""
    run = as_uuid(request.GET.get("run", ""))
    since, until = moments_of(state)
    return LogFilters(
        customers=state.chosen("customer"),
        integrations=state.chosen("integration"),
        flows=state.chosen("flow"),
        entities=state.chosen("entity"),
        actions=state.chosen("action"),
        error_classes=state.chosen("error"),
        states=state.chosen("answer") or state.chosen("state"),
        triggers=state.chosen("trigger"),
        run=str(run) if run else "",
        text=state.search,
        since=since.isoformat() if since else "",
        until=until.isoformat() if until else "",
    )


@dataclass(frozen=True, slots=True)
class LogLine:
    """A fact with the names of what it is about."""

    log: Any
    customer: str
    flow: str
    system: str

    @property
    def pk(self) -> int:
        return int(self.log.pk)


def name_lines(request: ActorRequest, rows: Iterable[RecordLog | VendorCall]) -> list[LogLine]:
    logs = list(rows)
    flows = _names(Flow, request, {log.flow_id for log in logs})
    systems = _names(Connection, request, {log.connection_id for log in logs})
    customers = dict(customer_choices(request)) if logs else {}
    return [
        LogLine(
            log, customers.get(str(log.customer_id), ""), flows.get(log.flow_id, ""), systems.get(log.connection_id, "")
        )
        for log in logs
    ]


def _names(model: Any, request: ActorRequest, ids: set[UUID]) -> dict[UUID, str]:
    rows = model.objects.visible_to(request.actor).filter(pk__in=ids)
    return dict(rows.values_list("pk", "name")) if ids else {}


# Nothing was created in a system from which a record was read.
READ_WORDS = {RecordAction.CREATED: "Came in new", RecordAction.UPDATED: "Came in changed"}


def action_status(log: RecordLog) -> Status:
    tones = {RecordAction.CREATED: "ok", RecordAction.UPDATED: "info", RecordAction.FAILED: "failing"}
    icons = {RecordAction.CREATED: "plus", RecordAction.UPDATED: "edit"}
    action = RecordAction(log.action)
    if log.direction == "read" and action in READ_WORDS:
        return status_of(action, label=READ_WORDS[action], tone="idle", icon="download")
    return status_of(action, tone=tones.get(action, "idle"), icon=icons.get(action, ""))


def call_status(call: VendorCall) -> Status:
    label = str(call.status) if call.status else call.error or "No answer"
    good = call.status is not None and call.status < 400
    return status_of("ok" if good else "failing", label=label)


def _what_happened(line: LogLine) -> str:
    if line.log.error:
        return str(line.log.error)
    return ", ".join(told_fields(line.log))


def told_fields(log: RecordLog) -> list[str]:
    """What changed: our own fields as people say them, those of a system as they are."""
    return [field_name(name) for name in log.changed_fields] if log.direction == "read" else list(log.changed_fields)


def _identity(line: LogLine) -> str:
    return " · ".join(filter(None, [label_of(line.log.object_name), line.log.external_id]))


RECORD_COLUMNS = (
    Column("record", "Record", value="log.name", sub=_identity, main=True),
    Column("customer", "Customer", wide_only=True),
    Column("action", "Action", "status", value=lambda line: action_status(line.log)),
    Column("told", "What happened", value=_what_happened, clip=True),
    Column("system", "System", sub="flow", wide_only=True),
    Column("at", "At", "datetime", value="log.at"),
)
CALL_COLUMNS = (
    Column(
        "path", "Call", value=lambda line: f"{line.log.method} {line.log.path}", sub="log.error", main=True, clip=True
    ),
    Column("answer", "Answer", "status", value=lambda line: call_status(line.log)),
    Column("customer", "Customer", wide_only=True),
    Column("system", "System", sub="flow", wide_only=True),
    Column("attempt", "Attempt", "number", value="log.attempt", wide_only=True),
    Column("took", "Took", "duration", value=lambda line: line.log.duration_ms / 1000),
    Column("size", "Size", "bytes", value="log.response_bytes", wide_only=True),
    Column("at", "At", "datetime", value="log.at"),
)


def records_table(lines: list[LogLine]) -> Table:
    return build_table(
        lines, RECORD_COLUMNS, caption="Records", noun="records",
        url=lambda line: link_to_number("partner_portal:log_record")(line.pk),
    )  # fmt: skip


def calls_table(lines: list[LogLine]) -> Table:
    return build_table(
        lines, CALL_COLUMNS, caption="Calls", noun="calls",
        url=lambda line: link_to_number("partner_portal:log_call")(line.pk),
    )  # fmt: skip


def toolbar(request: ActorRequest, kind: str, newest: int | None) -> dict[str, Any]:
    """Links that follow the filters: the export, and the live list with its pause."""
    is_live = request.GET.get("live") == "1" and not request.GET.get("cursor")
    add = reverse("partner_portal:log_export_add", args=[kind])
    asked = with_query(request, cursor=None, after=None, live=None).partition("?")[2]
    return {
        "is_live": is_live,
        "live_url": with_query(request, cursor=None, after=None, live="1"),
        "pause_url": with_query(request, after=None, live=None),
        "poll_url": with_query(request, cursor=None, live="1", after=str(newest or 0)) if is_live else "",
        "export_url": f"{add}?{asked}" if asked else add,
    }
