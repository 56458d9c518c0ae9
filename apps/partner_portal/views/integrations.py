"""Integrations: the lists, one integration with its flows, and its life."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.selectors import get_customer
from apps.flows.models import Flow, FlowVersion, Integration, IntegrationStatus
from apps.flows.selectors import get_integration, template_spec
from apps.flows.services import pause_integration, resume_integration, retire_integration
from apps.partner_portal.actions import perform
from apps.partner_portal.customer_page import customer_crumbs, render_tab
from apps.partner_portal.lists.integrations import integration_status, integrations_context, page_url
from apps.partner_portal.lists.runs import runs_context
from apps.partner_portal.selectors.failures import unsolved_failures
from apps.partner_portal.selectors.health import FlowFreshness, with_last_run
from apps.partner_portal.selectors.maps import LiveMap, integration_map
from apps.partner_portal.selectors.schedule import next_runs
from apps.partner_portal.wording import paragraphs, setting_text
from apps.sync.models import SyncRun
from apps.sync.services import start_run
from apps.ui import htmx, markup

Change = Callable[..., Integration]


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_integrations(request: ActorRequest) -> HttpResponse:
    context = integrations_context(request, Integration.objects.visible_to(request.actor), across=True)
    context["may_manage"] = request.actor.can("integrations.manage")
    return htmx.render_page(
        request, "partner_portal/integrations.html", "partner_portal/_integration_rows.html", context
    )


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_customer_integrations(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    own = Integration.objects.visible_to(request.actor).for_customer(customer)
    return render_tab(
        request, customer, "customer_integrations", integrations_context(request, own), partial="_integration_rows.html"
    )


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_integration(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    if integration.status == IntegrationStatus.DRAFT:
        return htmx.redirect(request, page_url(integration))
    runs = runs_context(
        request, SyncRun.objects.visible_to(request.actor).filter(flow__integration=integration), of_one=True, size=10
    )
    if isinstance(runs, HttpResponse):
        return runs
    # Also before the first run is queued somebody is watching for it.
    runs["has_active"] = runs["has_active"] or (integration.status == IntegrationStatus.LIVE and not runs["page"].items)
    if htmx.is_partial(request):
        return render(request, "partner_portal/_run_rows.html", runs)
    live = _live(request, integration)
    spec = template_spec(integration.template_version) if integration.template_version.definition else None
    context = {
        "integration": integration,
        "status": integration_status(integration),
        "crumbs": customer_crumbs(integration.customer, "customer_integrations"),
        "live": live,
        "map_url": reverse("partner_portal:integration_map", args=[integration.pk]),
        "flows": _with_next_runs(live),
        "facts": _facts(integration, spec),
        "spec": spec,
        "documentation": paragraphs(spec.documentation) if spec else [],
        "versions": list(_versions(integration)),
        "error_count": unsolved_failures(request.actor).filter(flow__integration=integration).count(),
        **runs,
    }
    return render(request, "partner_portal/integration.html", context)


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_integration_map(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    url = reverse("partner_portal:integration_map", args=[integration.pk])
    return render(request, "partner_portal/_map.html", {"live": _live(request, integration), "map_url": url})


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_flows(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    """The table of flows alone, asked for again and again while the page is open."""
    integration = get_integration(request.actor, integration_id)
    context = {"integration": integration, "flows": _with_next_runs(_live(request, integration))}
    return render(request, "partner_portal/_integration_flows.html", context)


def _with_next_runs(live: LiveMap) -> list[tuple[FlowFreshness, datetime | None]]:
    due = next_runs(fresh.flow.pk for fresh in live.flows)
    return [(fresh, due.get(fresh.flow.pk)) for fresh in live.flows]


def _live(request: ActorRequest, integration: Integration) -> LiveMap:
    flows = Flow.objects.visible_to(request.actor).filter(integration=integration, retired_at=None)
    drawn = with_last_run(request.actor, flows.select_related("integration").order_by("created_at", "id"))
    return integration_map(request.actor, integration, list(drawn), clock.now())


def _versions(integration: Integration) -> Any:
    versions = FlowVersion.objects.filter(flow__integration=integration).select_related("flow")
    return versions.order_by("-published_at", "-id")[:20]


def _facts(integration: Integration, spec: Any) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("Template", str(integration.template_version)),
        ("Environment", integration.environment.get_kind_display()),
        ("Live since", markup.day(integration.live_at) if integration.live_at else None),
    ]
    settings = spec.settings if spec else []
    facts += [(setting.label, setting_text(integration.settings.get(setting.key))) for setting in settings]
    return facts


@require_POST
@requires(Audience.STAFF, "runs.start")
def run_now(request: ActorRequest, flow_id: UUID) -> HttpResponse:
    flow = Flow.objects.visible_to(request.actor).select_related("integration").filter(pk=flow_id).first()
    if flow is None:
        raise NotVisible("There is no such flow.")
    return perform(
        request,
        lambda: start_run(actor=request.actor, now=clock.now(), flow=flow),
        done=f"{flow.name} runs now.",
        next_url=reverse("partner_portal:integration", args=[flow.integration_id]),
    )


_CHANGES: dict[str, tuple[Change, str]] = {
    "pause": (pause_integration, "The flows are paused. Changes wait and follow when you resume."),
    "resume": (resume_integration, "The flows run again and catch up now."),
    "retire": (retire_integration, "The integration is retired. Its history stays."),
}


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def change_integration(request: ActorRequest, integration_id: UUID, change: str) -> HttpResponse:
    if change not in _CHANGES:
        raise NotVisible("There is no such action.")
    integration = get_integration(request.actor, integration_id)
    service, done = _CHANGES[change]
    ending = change == "retire"
    name, key = ("customer_integrations", integration.customer_id) if ending else ("integration", integration.pk)
    return perform(
        request,
        lambda: service(actor=request.actor, now=clock.now(), integration=integration),
        done=done,
        next_url=reverse(f"partner_portal:{name}", args=[key]),
    )
