"""What ran: the explorer and the page of one run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.models import Connection
from apps.core import clock
from apps.customers.selectors import get_customer
from apps.partner_portal.actions import perform
from apps.partner_portal.customer_page import render_tab
from apps.partner_portal.lists.logs import TABS, action_status, call_status, told_fields
from apps.partner_portal.lists.runs import run_seconds, run_status, runs_context
from apps.partner_portal.selectors.failures import unsolved_failures
from apps.partner_portal.selectors.records import before_and_after, names_in
from apps.partner_portal.selectors.runs import find_run_changes
from apps.sync.models import RecordAction, RecordLog, RunStatus, SyncRun
from apps.sync.selectors import get_run, list_record_logs, list_vendor_calls, run_progress
from apps.sync.services import UnableToStartRun, cancel_run, start_run
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.formatting import number_text
from apps.ui.links import link_to_number
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table
from apps.ui.viewer import current_locale


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_runs(request: ActorRequest) -> HttpResponse:
    context = runs_context(request, SyncRun.objects.visible_to(request.actor), across=True)
    if isinstance(context, HttpResponse):
        return context
    context["tabs"] = TABS.of(request, "runs")
    return htmx.render_page(request, "partner_portal/runs.html", "partner_portal/_run_rows.html", context)


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_customer_runs(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    context = runs_context(request, SyncRun.objects.visible_to(request.actor).for_customer(customer))
    if isinstance(context, HttpResponse):
        return context
    return render_tab(request, customer, "customer_runs", context, partial="_run_rows.html")


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_run(request: ActorRequest, run_id: UUID) -> HttpResponse:
    run = get_run(request.actor, run_id)
    records = _records(request, run)
    if htmx.is_partial(request):
        return render(request, "partner_portal/_run_records.html", {"run": run, **records})
    context = {
        "run": run,
        "crumbs": [("Runs", reverse("partner_portal:runs"))],
        **records,
        **_progress(request, run),
        "calls": _calls_table(request, run),
        "failures": list(unsolved_failures(request.actor).filter(run_id=run.pk)[:5]),
    }
    return render(request, "partner_portal/run.html", context)


@require_GET
@requires(Audience.STAFF, "runs.view")
def show_run_progress(request: ActorRequest, run_id: UUID) -> HttpResponse:
    """What changes while the run goes on; polled until it has ended."""
    run = get_run(request.actor, run_id)
    return render(request, "partner_portal/_run_progress.html", {"run": run, **_progress(request, run)})


def _progress(request: ActorRequest, run: SyncRun) -> dict[str, Any]:
    progress = run_progress(run, clock.now())
    changes = find_run_changes(request.actor, run)
    return {
        "changes": changes,
        "came_in": _told(("new", changes.new_count), ("changed", changes.changed_count)) if changes else "",
        "written": _told(("created", changes.created_count), ("updated", changes.updated_count)) if changes else "",
        "progress": progress,
        "state": run_status(run),
        "seconds": run_seconds(run),
        "steps": [
            (step, status_of(step.status, label=str(step.get_status_display())))
            for step in run.steps.order_by("position")
        ],
        "poll_url": reverse("partner_portal:run_progress", args=[run.pk]) if progress.is_active else "",
    }


def _told(*counts: tuple[str, int]) -> str:
    """“1,204 new · 3 changed”; nothing of what there is none of."""
    return " · ".join(f"{number_text(count, locale=current_locale())} {word}" for word, count in counts if count)


def _records(request: ActorRequest, run: SyncRun) -> dict[str, Any]:
    filters = parse_filters(
        request, [Filter("action", "Action", RecordAction.choices)], search_placeholder="Title or id in the system",
        target_id="records",
    )  # fmt: skip
    logs: Any = list_record_logs(request.actor, run_id=run.pk, text=filters.search)
    if filters.chosen("action"):
        logs = logs.filter(action__in=filters.chosen("action"))
    if request.actor.can("payloads.view"):
        logs = logs.select_related("payload")
    page = page_queryset(logs, request, order=("-id",))
    names = dict(Connection.objects.visible_to(request.actor).for_customer(run.customer_id).values_list("pk", "name"))
    diffs = _diffs(request, list(page))
    rows = [
        (
            log, names.get(log.connection_id, ""), diffs.get(log.pk), action_status(log), told_fields(log),
            None if log.latency_ms is None else log.latency_ms / 1000,
        )
        for log in page
    ]  # fmt: skip
    return {"filters": filters, "page": page, "rows": rows}


def _diffs(request: ActorRequest, logs: list[RecordLog]) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """{log: its fields before and after}, without those whose payload is gone or not for this role."""
    if not request.actor.can("payloads.view"):
        return {}
    kept = [log for log in logs if hasattr(log, "payload")]
    names = names_in(request.actor, [(log.entity, log.payload.diff) for log in kept if log.direction == "read"])
    return {log.pk: before_and_after(log, log.payload.diff, names) for log in kept}


CALL_COLUMNS = (
    Column("path", "Call", value=lambda call: f"{call.method} {call.path}", main=True, clip=True),
    Column("status", "Answer", "status", value=lambda call: call_status(call)),
    Column("attempt", "Attempt", "number", wide_only=True),
    Column("duration_ms", "Took", "duration", value=lambda call: call.duration_ms / 1000),
    Column("response_bytes", "Size", "bytes", wide_only=True),
    Column("at", "At", "datetime"),
)


def _calls_table(request: ActorRequest, run: SyncRun) -> Any:
    calls = list(list_vendor_calls(request.actor, run).order_by("-id")[:50])
    return build_table(
        calls, CALL_COLUMNS, caption="Calls to the systems", noun="calls",
        url=lambda call: link_to_number("partner_portal:log_call")(call.pk),
    )  # fmt: skip


@require_POST
@requires(Audience.STAFF, "runs.start")
def cancel(request: ActorRequest, run_id: UUID) -> HttpResponse:
    run = get_run(request.actor, run_id)
    return perform(
        request,
        lambda: cancel_run(actor=request.actor, now=clock.now(), run=run),
        done="The run stops after its current page. What it has done stays.",
        next_url=reverse("partner_portal:run", args=[run.pk]),
    )


@require_POST
@requires(Audience.STAFF, "runs.start")
def start_again(request: ActorRequest, run_id: UUID) -> HttpResponse:
    """Run the flow of an ended run once more; it takes up where the last checkpoint stands."""
    run = get_run(request.actor, run_id)
    if run.status in (RunStatus.QUEUED, RunStatus.RUNNING):
        return perform(request, _refuse_active, done="", next_url=reverse("partner_portal:run", args=[run.pk]))
    started: list[SyncRun] = []
    response = perform(
        request,
        lambda: started.append(start_run(actor=request.actor, now=clock.now(), flow=run.flow)),
        done="A run is queued.",
        next_url=reverse("partner_portal:run", args=[run.pk]),
    )
    return htmx.redirect(request, reverse("partner_portal:run", args=[started[0].pk])) if started else response


def _refuse_active() -> None:
    raise UnableToStartRun("This run has not ended yet.")
