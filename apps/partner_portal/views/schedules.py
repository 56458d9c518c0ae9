"""What starts an integration's flows, as a choice with numbers."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.flows.models import Integration
from apps.flows.selectors import get_integration
from apps.flows.services import change_starts
from apps.flows.services.release_rules import requires_second_person
from apps.partner_portal.actions import perform
from apps.partner_portal.customer_page import integration_crumbs
from apps.sync.schedules import chosen_starts, schedule_choices


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_schedule(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    if request.method == "POST":
        return _choose(request, integration)
    found = schedule_choices(integration, clock.now())
    context = {
        "integration": integration, "currency": found.currency,
        "crumbs": integration_crumbs(integration), "rows": found.flows,
    }  # fmt: skip
    return render(request, "partner_portal/schedule.html", context)


def _choose(request: ActorRequest, integration: Integration) -> HttpResponse:
    flows = integration.flows.select_related("current_version")
    flow = next((found for found in flows if str(found.pk) == request.POST.get("flow")), None)
    if flow is None:
        raise NotVisible("There is no such flow or choice.")
    choice, starts = chosen_starts(flow, request.POST.get("choice", ""))
    waits = requires_second_person() and integration.status != "draft"
    return perform(
        request,
        lambda: change_starts(
            actor=request.actor, now=clock.now(), integration=integration, starts={flow.key: starts},
            note=f"{flow.name}: {choice.label.lower()}"[:200],
        ),
        done="Kept as a draft. Hand it in for review." if waits else f"{flow.name}: {choice.label.lower()}.",
        next_url=reverse("partner_portal:versions" if waits else "partner_portal:schedule", args=[integration.pk]),
    )  # fmt: skip
