from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.customer_portal.cards import flow_cards
from apps.customer_portal.maps import draw_map
from apps.customer_portal.selectors.activity import list_activity, tell
from apps.customer_portal.selectors.integrations import get_integration, integration_cards, paragraphs_of
from apps.customer_portal.selectors.landscape import get_landscape
from apps.customer_portal.selectors.modernization import move_of

LAST_CHANGES = 12


@require_GET
@requires(Audience.CUSTOMER, "integrations.view")
def integration_list(request: ActorRequest) -> HttpResponse:
    landscape = get_landscape(request.actor, clock.now())
    context = {
        "cards": integration_cards(landscape), "systems": landscape.systems, "move": move_of(request.actor)
    }  # fmt: skip
    return render(request, "customer_portal/integration_list.html", context)


@require_GET
@requires(Audience.CUSTOMER, "integrations.view")
def integration_detail(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    now, actor = clock.now(), request.actor
    integration = get_integration(actor, integration_id)
    landscape = get_landscape(actor, now, integration)
    recent = list_activity(actor, integration=integration).order_by("-id")[: LAST_CHANGES * 2]
    context = {
        "crumbs": [("Integrations", reverse("customer_portal:integration_list"))],
        "integration": integration,
        "template": integration.template_version.template,
        "paragraphs": paragraphs_of(integration),
        "map": draw_map(landscape, now),
        "flows": flow_cards(landscape.flows),
        "systems": landscape.systems,
        "lines": tell(actor, recent)[:LAST_CHANGES],
    }
    return render(request, "customer_portal/integration_detail.html", context)
