"""Whether changes are looked over by a second person."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.flows.services import set_release_rules
from apps.flows.services.template_versions import requires_second_person
from apps.partner_portal.actions import submit
from apps.partner_portal.forms.releases import ReleaseRulesForm
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.ui import htmx


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "security.manage")
def edit_rules(request: ActorRequest) -> HttpResponse:
    form = ReleaseRulesForm(request.POST or None, initial={"requires_review": requires_second_person()})
    if request.method == "POST":
        form = ReleaseRulesForm(request.POST)
        saved = submit(form, lambda data: set_release_rules(actor=request.actor, now=clock.now(), **data))
        if saved is not None:
            messages.info(request, f"{saved}, from now on.")
            return htmx.redirect(request, reverse("partner_portal:release_rules"))
    context = {"form": form, "tabs": settings_tabs(request, "release_rules")}
    return render(request, "partner_portal/release_rules.html", context)
