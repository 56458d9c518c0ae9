"""What holds for all customers as a text: kept, compared, applied."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import AnticipatedError, NotPermitted
from apps.flows.services.partner_configuration import PartnerPlan, apply_partner, export_partner, plan_partner
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.ui import htmx

_DONE = "Everything is what the text says."
# What a part still waits for.
_STILL = {
    "mappings": " Changed mappings are in force once you publish them, under Integrations, Mappings for all customers.",
    "releases": " The review by a second person ends only when a second person agrees.",
}


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "templates.manage")
def edit_configuration(request: ActorRequest) -> HttpResponse:
    """What is decided; a changed text is planned first and carried out when confirmed."""
    text = request.POST.get("source") or export_partner(request.actor)
    context: dict[str, Any] = {"text": text, "tabs": settings_tabs(request, "partner_configuration")}
    if request.method == "POST":
        try:
            if "confirmed" in request.POST:
                plan = apply_partner(actor=request.actor, now=clock.now(), text=text)
                messages.info(request, _done(plan))
                return htmx.redirect(request, request.path)
            context["plan"] = plan_partner(actor=request.actor, now=clock.now(), text=text)
        except NotPermitted:
            raise
        except AnticipatedError as error:
            context["problem"] = error.user_message
    status = 422 if "problem" in context else 200
    return render(request, "partner_portal/partner_configuration.html", context, status=status)


def _done(plan: PartnerPlan) -> str:
    return _DONE + "".join(_STILL.get(entry.section.key, "") for entry in plan.changes)


@require_GET
@requires(Audience.STAFF, "templates.manage")
def export_configuration(request: ActorRequest) -> HttpResponse:
    response = HttpResponse(export_partner(request.actor), content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="configuration.yaml"'
    return response
