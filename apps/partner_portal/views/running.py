"""How runs are let go: limits for all of them, reading again for one flow, pausing it, continuing what a guard stopped."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.flows.models import Flow
from apps.flows.selectors import get_flow
from apps.flows.services import pause_flow, resume_flow
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.running import EVERYTHING, PERIOD, ReadAgainForm, RunLimitsForm
from apps.partner_portal.lists.runs import as_uuid
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.sync.models import SyncRun
from apps.sync.selectors import get_run
from apps.sync.services import continue_run, load_limits, save_limits
from apps.sync.services.limits import FIELDS
from apps.sync.services.scoped_runs import list_readable, start_backfill, start_record_run, start_refresh
from apps.ui import htmx


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_limits(request: ActorRequest) -> HttpResponse:
    limits = load_limits()
    form = RunLimitsForm(request.POST or None, initial={name: getattr(limits, name) for name in FIELDS})
    if request.method == "POST":
        saved = submit(form, lambda data: save_limits(actor=request.actor, now=clock.now(), values=data))
        if saved is not None:
            messages.info(request, "Runs that begin from now on keep to these limits.")
            return htmx.redirect(request, reverse("partner_portal:run_limits"))
    context = {"form": form, "tabs": settings_tabs(request, "run_limits")}
    return render(request, "partner_portal/run_limits.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "runs.start")
def read_again(request: ActorRequest, flow_id: UUID) -> HttpResponse:
    flow = get_flow(request.actor, flow_id)
    wanted = {name: request.GET[name] for name in ("what", "source", "external_id") if name in request.GET}
    form = ReadAgainForm(list_readable(flow), request.POST or None, wanted)
    if request.method == "POST":
        run = submit(form, lambda data: _start(request, flow, data))
        if run is not None:
            messages.info(request, "A run is queued.")
            return htmx.redirect(request, reverse("partner_portal:run", args=[run.pk]))
    integration = flow.integration
    context = {
        "flow": flow,
        "form": form,
        "crumbs": [
            ("Integrations", reverse("partner_portal:integrations")),
            (integration.name, reverse("partner_portal:integration", args=[integration.pk])),
        ],
    }
    return render(request, "partner_portal/read_again.html", context)


def _start(request: ActorRequest, flow: Flow, given: dict[str, Any]) -> SyncRun:
    asked: dict[str, Any] = {"actor": request.actor, "now": clock.now(), "flow": flow}
    if given["what"] == EVERYTHING:
        return start_refresh(**asked)
    if given["what"] == PERIOD:
        return start_backfill(**asked, first_day=given["first_day"], last_day=given["last_day"])
    return start_record_run(**asked, source=given["source"], external_id=given["external_id"])


_CHANGES: dict[str, tuple[Any, str]] = {
    "pause": (pause_flow, "The flow is paused. What it was doing waits and goes on when you resume."),
    "resume": (resume_flow, "The flow goes on where it stopped."),
}


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def change_flow(request: ActorRequest, flow_id: UUID, change: str) -> HttpResponse:
    if change not in _CHANGES:
        raise NotVisible("There is no such action.")
    flow = get_flow(request.actor, flow_id)
    service, done = _CHANGES[change]
    run_id = as_uuid(request.POST.get("run", ""))
    page = ("integration", flow.integration_id) if run_id is None else ("run", run_id)
    return perform(
        request,
        lambda: service(actor=request.actor, now=clock.now(), flow=flow),
        done=done,
        next_url=reverse(f"partner_portal:{page[0]}", args=[page[1]]),
    )


@require_POST
@requires(Audience.STAFF, "runs.start")
def go_on(request: ActorRequest, run_id: UUID) -> HttpResponse:
    run = get_run(request.actor, run_id)
    return perform(
        request,
        lambda: continue_run(actor=request.actor, now=clock.now(), run=run),
        done="The run goes on. This guard stops it no more.",
        next_url=reverse("partner_portal:run", args=[run.pk]),
    )
