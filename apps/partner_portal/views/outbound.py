"""Which addresses connections may call."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.outbound import allowed_hosts
from apps.connectors.services import set_allowed_hosts
from apps.core import clock
from apps.partner_portal.actions import submit
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.ui import htmx


class AllowedHostsForm(forms.Form):
    hosts = forms.CharField(
        label="Allowed hosts", required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "class": "form-control mono"}),
        help_text="One on a line: api.example.com, or *.example.com for everything below a domain.",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "security.manage")
def edit_allowed_hosts(request: ActorRequest) -> HttpResponse:
    listed = allowed_hosts()
    form = AllowedHostsForm(request.POST or None, initial={"hosts": "\n".join(listed)})
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: set_allowed_hosts(actor=request.actor, now=clock.now(), patterns=data["hosts"].splitlines()),
        )
        if saved is not None:
            said = f"Only {len(saved)} hosts may be called." if saved else "Every public address may be called."
            messages.info(request, said)
            return htmx.redirect(request, reverse("partner_portal:outbound"))
    context = {"form": form, "is_restricted": bool(listed), "tabs": settings_tabs(request, "outbound")}
    return render(request, "partner_portal/outbound.html", context)
