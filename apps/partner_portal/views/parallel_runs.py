"""Results of an old interface compared with what the engine produced: brought, set up, watched, accepted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.core.planes import require_tenant_schema, tenant_plane
from apps.core.spreadsheets import harmless
from apps.modernization.comparison import Comparison
from apps.modernization.fields import FieldChoice
from apps.modernization.models import ParallelDifference, ParallelRun, ParallelStatus
from apps.modernization.old_results import look_at, unpacked
from apps.modernization.selectors import choices_for, get_interface, get_parallel_run, list_differences
from apps.modernization.services import (
    accept_findings,
    bring_result,
    compare_again,
    start_comparison,
    stop_comparison,
    withdraw_acceptance,
)
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.modernization import AcceptForm, ComparisonForm, ResultForm
from apps.partner_portal.lists.modernization import (
    finding_columns,
    finding_filters,
    finding_groups,
    finding_url,
    narrow_findings,
    run_status,
    run_url,
)
from apps.partner_portal.views.modernization import crumbs_of
from apps.ui import htmx
from apps.ui.formatting import noun_text
from apps.ui.paging import page_queryset
from apps.ui.tables import build_table

COUNTS = (
    ("equal", "Equal", "ok"), ("different", "Different", "attention"), ("only_old", "Only in the old", "attention"),
    ("only_new", "Only in the new", "attention"), ("twice_old", "Twice in the old", "attention"),
    ("twice_new", "Twice in the new", "attention"), ("unreadable", "Unreadable rows", "failing"),
    ("outside", "Outside the period", "idle"),
)  # fmt: skip
ALWAYS = ("equal", "different", "only_old", "only_new")
EXPORTED = ("kind", "record", "field", "old", "new", "line", "record_id", "accepted_by", "reason")
CHUNK = 1_000


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def bring(request: ActorRequest, legacy_interface_id: UUID) -> HttpResponse:
    interface = get_interface(request.actor, legacy_interface_id)
    form = ResultForm(request.POST or None, request.FILES or None, initial={"entity": interface.entity})
    if request.method == "POST":
        run = submit(
            form,
            lambda data: bring_result(
                actor=request.actor, now=clock.now(), interface=interface, name=data["file"].name,
                content=data["file"].read(), entity=data["entity"],
            ),
        )  # fmt: skip
        if run is not None:
            return htmx.redirect(request, run_url(run))
    context = {"form": form, "interface": interface, "crumbs": crumbs_of(interface)}
    return render(request, "partner_portal/parallel_run_add.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "records.view")
def show(request: ActorRequest, parallel_run_id: UUID) -> HttpResponse:
    """A draft is set up here; later it is watched, and its findings are read."""
    run = get_parallel_run(request.actor, parallel_run_id)
    if run.status == ParallelStatus.DRAFT and request.actor.can("integrations.manage"):
        return _set_up(request, run)
    if request.method == "POST":
        raise Http404
    return _read(request, run)


def _set_up(request: ActorRequest, run: ParallelRun) -> HttpResponse:
    result = look_at(unpacked(bytes(run.content)), run.file_name)
    form = ComparisonForm(run, result, request.POST or None)
    if request.method == "POST":
        started = submit(form, lambda data: _start(request, run, form.comparison(data)))
        if started is not None:
            return htmx.redirect(request, run_url(run))
    context = {"form": form, "run": run, "interface": run.interface, "crumbs": crumbs_of(run.interface)}
    return render(request, "partner_portal/parallel_run_setup.html", context, status=422 if form.errors else 200)


def _start(request: ActorRequest, run: ParallelRun, comparison: Comparison) -> ParallelRun:
    return start_comparison(actor=request.actor, now=clock.now(), run=run, comparison=comparison)


def _read(request: ActorRequest, run: ParallelRun) -> HttpResponse:
    choices, is_done = _choices(run), run.status == ParallelStatus.DONE
    context = {
        "run": run, "interface": run.interface, "status": run_status(run), "is_done": is_done,
        "poll_url": run_url(run) if run.is_active else "", "crumbs": crumbs_of(run.interface),
        "may_manage": request.actor.can("integrations.manage"), "facts": _facts(run, choices),
        **(_findings(request, run, choices) if is_done else {}),
    }  # fmt: skip
    return htmx.render_page(request, "partner_portal/parallel_run.html", "partner_portal/_parallel_run.html", context)


def _findings(request: ActorRequest, run: ParallelRun, choices: dict[str, FieldChoice]) -> dict[str, Any]:
    groups = finding_groups(run, choices)
    filters = finding_filters(request, groups)
    found = narrow_findings(list_differences(request.actor, run), filters)
    page: Any = page_queryset(found, request, order=("id",))
    columns = finding_columns(choices, may_accept=request.actor.can("integrations.manage"))
    table = build_table(page.items, columns, caption="Findings", noun="findings", url=finding_url, total=found.count())
    return {
        "groups": groups, "filters": filters, "page": page, "table": table, "tiles": _tiles(run),
        "waiting": run.finding_count - sum(row["accepted"] for row in groups),
        "unlisted": run.finding_count - sum(row["total"] for row in groups),
    }  # fmt: skip


def _choices(run: ParallelRun) -> dict[str, FieldChoice]:
    """Of the integration it was compared with, whatever replaces the interface by now; a draft has none yet."""
    return choices_for(run if run.integration else run.interface, run.entity)


def _tiles(run: ParallelRun) -> list[tuple[str, int, str]]:
    found = [(name, label, getattr(run, f"{name}_count"), tone) for name, label, tone in COUNTS]
    return [(label, count, tone if count else "") for name, label, count, tone in found if count or name in ALWAYS]


def _facts(run: ParallelRun, choices: dict[str, FieldChoice]) -> list[tuple[str, str]]:
    """How it was compared, in words."""
    rules = run.rules
    keys = ", ".join(choices[token].label for token in rules.keys if token in choices)
    days = " to ".join(day.isoformat() for day in (rules.first_day, rules.last_day) if day)
    tolerances = [
        f"amounts by {rules.amount_tolerance}" if rules.amount_tolerance != "0" else "",
        f"dates by {rules.day_tolerance} {noun_text(rules.day_tolerance, 'days')}" if rules.day_tolerance else "",
    ]
    return [
        ("Told apart by", keys), ("Period", days or "All"), ("Environment", str(run.environment.get_kind_display())),
        ("May differ", ", ".join(filter(None, tolerances)) or "Nothing"), ("Asked for by", run.requested_by_label),
    ]  # fmt: skip


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def change(request: ActorRequest, parallel_run_id: UUID, comparison_change: str) -> HttpResponse:
    run = get_parallel_run(request.actor, parallel_run_id)
    own: dict[str, Any] = {"actor": request.actor, "now": clock.now(), "run": run}
    if comparison_change == "stop":
        return perform(request, lambda: stop_comparison(**own), done="Stopped.", next_url=run_url(run))
    if comparison_change != "again":
        raise Http404
    made: list[ParallelRun] = []
    answer = perform(request, lambda: made.append(compare_again(**own)), done="", next_url=run_url(run))
    return htmx.redirect(request, run_url(made[0])) if made else answer


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def accept(request: ActorRequest, parallel_run_id: UUID) -> HttpResponse:
    """One finding, or all of a kind and field."""
    run, form = get_parallel_run(request.actor, parallel_run_id), AcceptForm(request.POST)
    form.is_valid()
    given = {"kind": "", "field": "", "reason": "", **form.cleaned_data}
    finding = _finding(request, run, given["finding"]) if given.get("finding") else None
    return perform(
        request,
        lambda: accept_findings(
            actor=request.actor, now=clock.now(), run=run, reason=given["reason"], finding=finding, kind=given["kind"],
            field=given["field"],
        ),
        done="Accepted. It stays so in later comparisons while both values stay.", next_url=run_url(run),
    )  # fmt: skip


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def withdraw(request: ActorRequest, parallel_run_id: UUID, finding_id: int) -> HttpResponse:
    run = get_parallel_run(request.actor, parallel_run_id)
    finding = _finding(request, run, finding_id)
    return perform(
        request,
        lambda: withdraw_acceptance(actor=request.actor, now=clock.now(), run=run, finding=finding),
        done="It is on the list again.",
        next_url=run_url(run),
    )


def _finding(request: ActorRequest, run: ParallelRun, finding_id: int) -> ParallelDifference:
    found = list_differences(request.actor, run).filter(pk=finding_id).first()
    if found is None:
        raise NotVisible("There is no such finding.")
    return found


@require_GET
@requires(Audience.STAFF, "records.view")
def export(request: ActorRequest, parallel_run_id: UUID) -> HttpResponse:
    run = get_parallel_run(request.actor, parallel_run_id)
    choices = _choices(run)
    rows = _exported(list_differences(request.actor, run).order_by("pk"), choices)
    headers = {"Content-Disposition": 'attachment; filename="findings.csv"', "Cache-Control": "private, no-store"}
    return cast(HttpResponse, StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers))


def _exported(found: Any, choices: dict[str, FieldChoice]) -> Iterator[str]:
    """Batch by batch: it is read when the request has left the partner's schema already."""
    schema = require_tenant_schema()

    def read() -> Iterator[str]:
        after = 0
        yield _lines([EXPORTED])
        while True:
            with tenant_plane(schema):
                batch = list(found.filter(pk__gt=after)[:CHUNK])
            if not batch:
                return
            after = batch[-1].pk
            yield _lines([_exported_row(one, choices) for one in batch])

    return read()


def _exported_row(one: ParallelDifference, choices: dict[str, FieldChoice]) -> tuple[Any, ...]:
    label = choices[one.field].label if one.field in choices else one.field
    return (
        one.get_kind_display(), one.key, label, one.old, one.new, one.line, str(one.record_id or ""),
        one.accepted_by_label, one.accept_reason,
    )  # fmt: skip


def _lines(rows: Any) -> str:
    out = StringIO()
    csv.writer(out).writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()
