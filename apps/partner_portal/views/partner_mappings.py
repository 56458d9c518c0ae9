"""What the partner changed for all customers with a system, and what publishing it would change."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.flows.layers import as_direction
from apps.flows.partner_layer import (
    Standing,
    integrations_of_layer,
    list_publications,
    partner_objects,
    standings,
)
from apps.flows.services import change_partner_fields
from apps.partner_portal.actions import perform
from apps.partner_portal.studio import mapping_changes
from apps.ui.paging import page_queryset

PAGE = 50


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def show_partner_mappings(request: ActorRequest) -> HttpResponse:
    page = page_queryset(integrations_of_layer(request.actor), request, order=("name", "id"), size=PAGE)
    found = standings(page.items)
    context = {
        "objects": partner_objects(), "page": page, "waiting": [_told(s) for s in found if not s.is_current],
        "publications": list(list_publications(request.actor)[:5]),
        "current": [standing.integration for standing in found if standing.is_current],
        "may_change": request.actor.can("templates.manage") and request.actor.scope is None,
        "crumbs": [("Integrations", reverse("partner_portal:integrations"))],
    }  # fmt: skip
    return render(request, "partner_portal/partner_mappings.html", context)


def _told(standing: Standing) -> dict[str, Any]:
    changes = mapping_changes(standing.published, standing.drafted)
    return {"standing": standing, "integration": standing.integration, "changes": changes}


@require_POST
@requires(Audience.STAFF, "templates.manage")
def change_partner_mapping(request: ActorRequest) -> HttpResponse:
    """One field: another expression, or none any more."""
    name = request.POST.get("field", "")
    is_back = "back" in request.POST
    return perform(
        request,
        lambda: change_partner_fields(
            actor=request.actor, now=clock.now(), vendor=request.POST.get("vendor", ""),
            direction=as_direction(request.POST.get("direction", "")), object_name=request.POST.get("object", ""),
            fields={name: None if is_back else request.POST.get("expression", "")},
        ),
        done=f"{name} is {'taken back' if is_back else 'changed'}. Publish it to put it in force.",
        next_url=reverse("partner_portal:partner_mappings"),
    )  # fmt: skip
