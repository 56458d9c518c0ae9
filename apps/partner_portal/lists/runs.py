"""The runs explorer, for all customers, for one, or for one integration."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse

from apps.accounts.access import ActorRequest
from apps.canonical.models import Entity
from apps.core import clock
from apps.customers.selectors import list_customers
from apps.flows.models import Flow, Integration
from apps.partner_portal.exports import FORMATS, MAX_ROWS, export_table
from apps.sync.models import ErrorClass, HeldBy, RecordLog, RunStatus, RunTrigger, SyncRun
from apps.ui.filters import PERIOD_SECONDS, Filter, FilterState, parse_filters, period
from apps.ui.links import link_to
from apps.ui.paging import PAGE_SIZE, page_queryset
from apps.ui.status import Status, status_of
from apps.ui.tables import Column, Table, build_table
from apps.ui.viewer import current_zone

MOST_CHOICES = 200


def run_status(run: SyncRun) -> Status:
    """Of a queued run, what it waits for; what waits for a person calls for attention."""
    if run.waits_for_person:
        return status_of("attention" if run.held_by == HeldBy.GUARD else "idle", label=run.state_label)
    return status_of("attention" if run.warning else run.status, label=run.state_label)


def run_seconds(run: SyncRun) -> float | None:
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()


_OWN_FLOW = Column("flow", "Flow", value="flow.name", main=True)
CUSTOMER = Column("customer", "Customer", value="customer.name")
COLUMNS = (
    Column("flow", "Flow", value="flow.name", sub="flow.integration.name", main=True),
    Column("state", "State", "status", value=run_status),
    Column("trigger", "Trigger", "tag", value=lambda run: run.get_trigger_display(), wide_only=True),
    Column("read", "Read", "number", value="read_count", wide_only=True),
    Column("written", "Changed", "number", value=lambda run: run.created_count + run.updated_count),
    Column("failed", "Failed", "number", value="failed_count"),
    Column("took", "Took", "duration", value=run_seconds, wide_only=True),
    Column("started_at", "Started", "datetime", value=lambda run: run.started_at or run.queued_at),
    Column("id", "Id", "id", wide_only=True, shrink=True),
)


def runs_context(
    request: ActorRequest, runs: QuerySet[SyncRun], *, across: bool = False, of_one: bool = False, size: int = PAGE_SIZE
) -> dict[str, Any] | HttpResponse:
    """What a runs list shows, or the list as a file.

    `across` adds the customer as column and filter; on the page `of_one` integration its name is not said again.
    """
    filters = runs_filters(request, across=across)
    found = _narrow(runs, filters).select_related("flow__integration", "customer")
    columns = (COLUMNS[0], CUSTOMER, *COLUMNS[1:]) if across else (_OWN_FLOW, *COLUMNS[1:]) if of_one else COLUMNS
    if request.GET.get("format") in FORMATS:
        table = _table(found.order_by("-id")[: MAX_ROWS + 1], columns, None)
        return export_table(table, name="runs", format=request.GET["format"])
    page = page_queryset(found, request, order=("-id",), size=size)
    table = _table(page.items, columns, None)
    has_active = any(run.status in (RunStatus.QUEUED, RunStatus.RUNNING) for run in page)
    return {"filters": filters, "page": page, "table": table, "has_active": has_active}


def _table(runs: Any, columns: tuple[Column, ...], total: int | None) -> Table:
    return build_table(
        runs,
        columns,
        caption="Runs",
        noun="runs",
        total=total,
        url=lambda run: link_to("partner_portal:run")(run.pk),
    )


def runs_filters(request: ActorRequest, *, across: bool) -> FilterState:
    own: list[Filter] = []
    if across:
        own.append(Filter("customer", "Customer", customer_choices(request), icon="users"))
        own.append(Filter("integration", "Integration", integration_choices(request), icon="route"))
        own += flow_filters(request)
    own += [
        Filter("state", "State", RunStatus.choices),
        Filter("trigger", "Trigger", RunTrigger.choices),
        Filter("entity", "What", Entity.choices),
        Filter("error", "Error", ErrorClass.choices),
        period(takes_days=True),
    ]
    return parse_filters(request, own, search_placeholder="Flow, message or run id", exports=FORMATS)


def customer_choices(request: ActorRequest) -> list[tuple[str, str]]:
    found = list_customers(request.actor).values_list("pk", "name")
    return [(str(pk), name) for pk, name in found]


def integration_choices(request: ActorRequest) -> list[tuple[str, str]]:
    found = Integration.objects.visible_to(request.actor).order_by("name", "id").values_list("pk", "name")
    return [(str(pk), name) for pk, name in found]


def flow_filters(request: ActorRequest) -> list[Filter]:
    """Flows to choose from, once customers or integrations are chosen: all of all would be a list nobody reads."""
    flows = Flow.objects.visible_to(request.actor)
    customers, integrations = (chosen_ids(request, name) for name in ("customer", "integration"))
    if customers:
        flows = flows.filter(customer_id__in=customers)
    if integrations:
        flows = flows.filter(integration_id__in=integrations)
    if not customers and not integrations:
        return []
    found = flows.order_by("name", "id").values_list("pk", "name", "integration__name")[:MOST_CHOICES]
    return [Filter("flow", "Flow", [(str(pk), f"{name} · {integration}") for pk, name, integration in found])]


def chosen_ids(request: ActorRequest, name: str) -> list[UUID]:
    return [found for text in request.GET.getlist(name) if (found := as_uuid(text))]


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def moments_of(filters: FilterState) -> tuple[datetime | None, datetime | None]:
    """[since, until) of the time that is asked for: days by the viewer's clock, or a span up to now."""
    first, last = filters.first_day, filters.last_day
    if first or last:
        return _start_of(first), _start_of(last + timedelta(days=1)) if last and last < date.max else None
    span = PERIOD_SECONDS.get(filters.first("period"))
    return (clock.now() - timedelta(seconds=span) if span else None), None


def _start_of(day: date | None) -> datetime | None:
    # Zones move the ends of the calendar out of it; nothing was logged there.
    if day is None or not 1970 <= day.year < 9999:
        return None
    return datetime.combine(day, time(), tzinfo=current_zone()).astimezone(UTC)


def _narrow(runs: QuerySet[SyncRun], filters: FilterState) -> QuerySet[SyncRun]:
    for key, field in (
        ("customer", "customer_id__in"), ("integration", "flow__integration_id__in"), ("state", "status__in"),
        ("trigger", "trigger__in"), ("flow", "flow_id__in"), ("error", "error_class__in"),
    ):  # fmt: skip
        if filters.chosen(key):
            runs = runs.filter(**{field: filters.chosen(key)})
    since, until = moments_of(filters)
    runs = runs.filter(queued_at__gte=since) if since else runs
    runs = runs.filter(queued_at__lt=until) if until else runs
    if filters.chosen("entity"):
        met = RecordLog.objects.filter(run_id=OuterRef("pk"), entity__in=filters.chosen("entity"))
        runs = runs.filter(Exists(met))
    return _search(runs, filters.search) if filters.search else runs


def _search(runs: QuerySet[SyncRun], text: str) -> QuerySet[SyncRun]:
    try:
        return runs.filter(pk=UUID(text))
    except ValueError:
        return runs.filter(
            Q(flow__name__icontains=text)
            | Q(flow__integration__name__icontains=text)
            | Q(error_message__icontains=text)
        )
