"""What can be connected and what can be deployed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.registry import UnknownVendor, get_offered, list_manifests
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest
from apps.connectors.selectors import find_oauth_app, hook_address, list_custom_connectors
from apps.connectors.services import save_oauth_app
from apps.connectors.services.authorizations import redirect_uri
from apps.core import clock
from apps.core.errors import NotVisible
from apps.flows.selectors import list_template_drafts, list_templates, template_spec
from apps.partner_portal.actions import submit
from apps.partner_portal.forms.connections import VendorAppForm
from apps.partner_portal.views.connections import DOMAIN_LABELS
from apps.ui import htmx
from apps.ui.formatting import noun_text


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_catalogue(request: ActorRequest) -> HttpResponse:
    context = {
        "manifests": [(manifest, _domains(manifest)) for manifest in list_manifests()],
        "drafts": [found for found in list_custom_connectors(request.actor) if found.published is None],
        "templates": [(version, template_spec(version)) for version in list_templates()],
        "template_drafts": list_template_drafts(),
    }
    return render(request, "partner_portal/catalogue.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connections.view")
def show_connector(request: ActorRequest, vendor: str) -> HttpResponse:
    """What the connector can do, and the partner's own app at the vendor where one is needed."""
    try:
        manifest = get_offered(vendor)
    except UnknownVendor:
        raise NotVisible("There is no such system in the catalogue.") from None
    app = find_oauth_app(vendor)
    form = VendorAppForm(request.POST or None, initial={"client_id": app.client_id if app else ""})
    if request.method == "POST":
        request.actor.require("connectors.manage")
        saved = submit(form, lambda data: save_oauth_app(actor=request.actor, now=clock.now(), vendor=vendor, **data))
        if saved is not None:
            messages.info(request, f"Your app at {manifest.name} is stored.")
            return htmx.redirect(request, reverse("partner_portal:connector", args=[vendor]))
    own = list_custom_connectors(request.actor).filter(key=vendor).first()
    context = {
        "own": own,
        "manifest": manifest, "facts": _facts(manifest), "crumbs": _crumbs(), "form": form, "app": app,
        "needs_app": needs_app(manifest), "redirect_address": redirect_uri(),
        "hook": hook_address(app) if app and manifest.webhook and manifest.webhook.scope == "app" else "",
    }  # fmt: skip
    return render(request, "partner_portal/connector.html", context)


def needs_app(manifest: ConnectorManifest) -> bool:
    """Consent pages and app-wide webhooks belong to an app the partner registers at the vendor."""
    return manifest.oauth2 is not None or (manifest.webhook is not None and manifest.webhook.scope == "app")


def _domains(manifest: ConnectorManifest) -> str:
    return ", ".join(str(DOMAIN_LABELS[domain]) for domain in (manifest.domain, *manifest.also_domains))


def _facts(manifest: ConnectorManifest) -> list[tuple[str, str]]:
    limit = manifest.rate_limit
    budget = f"{limit.calls:,} {noun_text(limit.calls, 'calls')} in {limit.seconds:g} s"
    if limit.per_day:
        budget = f"{budget}, {limit.per_day:,} a day"
    return [
        ("Kind", _domains(manifest)),
        ("Access", "Consent page (OAuth 2)" if manifest.auth is AuthKind.OAUTH2 else "Key or password"),
        ("Webhooks", "Yes" if manifest.webhook else "No: changes are found by polling"),
        ("Call budget", budget),
    ]


def _crumbs() -> list[tuple[str, str]]:
    return [("Catalogue", reverse("partner_portal:catalogue"))]
