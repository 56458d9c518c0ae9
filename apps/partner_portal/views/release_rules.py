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
from apps.flows.services.release_rules import find_release_rules
from apps.partner_portal.actions import submit
from apps.partner_portal.forms.releases import ReleaseRulesForm
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.ui import htmx


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "security.manage")
def edit_rules(request: ActorRequest) -> HttpResponse:
    rules = find_release_rules()
    form = ReleaseRulesForm(initial={"requires_review": rules.requires_review})
    if request.method == "POST":
        form = ReleaseRulesForm(request.POST)
        saved = submit(form, lambda data: set_release_rules(actor=request.actor, now=clock.now(), **data))
        if saved is not None:
            asked = "Asked for. The rule ends when a colleague who may change it agrees."
            messages.info(request, asked if saved.end_asked_at else f"{saved}, from now on.")
            return htmx.redirect(request, reverse("partner_portal:release_rules"))
    context = {"form": form, "rules": rules, "tabs": settings_tabs(request, "release_rules")}
    return render(request, "partner_portal/release_rules.html", context)
