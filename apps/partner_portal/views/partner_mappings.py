"""What the partner changed for all customers with a system, what publishing it would change, and its publication."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.flows.layers import as_direction
from apps.flows.models import Integration
from apps.flows.partner_layer import Standing, integrations_of_layer, partner_objects, standings
from apps.flows.services import change_partner_fields, publish_to
from apps.partner_portal.actions import perform
from apps.partner_portal.studio import mapping_changes
from apps.ui import htmx
from apps.ui.paging import page_queryset

PAGE = 50
# So many integrations are published in one step; the page asks for the next step by itself.
STEP = 3


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def show_partner_mappings(request: ActorRequest) -> HttpResponse:
    page = page_queryset(integrations_of_layer(request.actor), request, order=("name", "id"), size=PAGE)
    found = standings(page.items)
    context = {
        "objects": partner_objects(), "page": page, "waiting": [_told(s) for s in found if not s.is_current],
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


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def publish_partner_mappings(request: ActorRequest) -> HttpResponse:
    """The next few of the integrations that were chosen, and a form that asks for the rest."""
    chosen = _chosen(request)
    step = chosen[:STEP] if htmx.is_htmx(request) else chosen
    found = list(integrations_of_layer(request.actor).filter(pk__in=step))
    note, accepted = request.POST.get("note", "").strip()[:200], "accepted" in request.POST
    outcomes = publish_to(actor=request.actor, now=clock.now(), integrations=found, note=note, accepted=accepted)
    context = {
        "outcomes": outcomes, "rest": chosen[len(step) :], "note": note, "accepted": accepted,
        "crumbs": [("Mappings for all customers", reverse("partner_portal:partner_mappings"))],
    }  # fmt: skip
    return htmx.render_page(
        request, "partner_portal/partner_publication.html", "partner_portal/_partner_publication.html", context
    )


def _chosen(request: ActorRequest) -> list[UUID]:
    """The ids that were ticked; what is no id is nobody's."""
    found: list[UUID] = []
    for text in request.POST.getlist("integration")[: PAGE * 4]:
        try:
            found.append(Integration._meta.pk.to_python(text))
        except ValidationError:
            continue
    return found
