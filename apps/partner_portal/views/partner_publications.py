"""Mappings that are being put in force in many integrations: begun, watched, stopped."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.flows.models import Integration
from apps.flows.partner_layer import get_publication, integrations_of_layer
from apps.flows.services import AT_ONCE, cancel_publication, start_publication
from apps.partner_portal.actions import perform
from apps.ui import htmx

SHOWN = 200


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def publish_partner_mappings(request: ActorRequest) -> HttpResponse:
    """To those that were ticked, or to everybody whom the mappings concern."""
    found = integrations_of_layer(request.actor).order_by("name", "id")
    if "everybody" not in request.POST:
        found = found.filter(pk__in=_chosen(request))
    try:
        publication = start_publication(
            actor=request.actor, now=clock.now(), integrations=list(found[: AT_ONCE + 1]),
            note=request.POST.get("note", "").strip(), accepted="accepted" in request.POST,
        )  # fmt: skip
    except AnticipatedError as error:
        messages.error(request, error.user_message)
        return redirect("partner_portal:partner_mappings")
    return redirect("partner_portal:partner_publication", publication.pk)


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def show_publication(request: ActorRequest, publication_id: UUID) -> HttpResponse:
    publication = get_publication(request.actor, publication_id)
    own = reverse("partner_portal:partner_publication", args=[publication.pk])
    context = {
        "publication": publication, "heading": f"Publication to {publication}", "counts": publication.counts(), "outcomes": publication.outcomes[::-1][:SHOWN],
        "left": publication.total - publication.done_count, "poll_url": own if publication.is_active else "",
        "crumbs": [("Mappings for all customers", reverse("partner_portal:partner_mappings"))],
    }  # fmt: skip
    return htmx.render_page(
        request, "partner_portal/partner_publication.html", "partner_portal/_partner_publication.html", context
    )


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def stop_publication(request: ActorRequest, publication_id: UUID) -> HttpResponse:
    found = get_publication(request.actor, publication_id)
    return perform(
        request,
        lambda: cancel_publication(actor=request.actor, now=clock.now(), publication=found),
        done="The rest keeps the mappings it has.",
        next_url=reverse("partner_portal:partner_publication", args=[found.pk]),
    )


def _chosen(request: ActorRequest) -> list[UUID]:
    """The ids that were ticked; what is no id is nobody's."""
    found: list[UUID] = []
    for text in request.POST.getlist("integration")[:AT_ONCE]:
        try:
            found.append(Integration._meta.pk.to_python(text))
        except ValidationError:
            continue
    return found
