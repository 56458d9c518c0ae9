"""What can be connected and what can be deployed."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.registry import UnknownVendor, get_manifest, list_manifests
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest
from apps.core.errors import NotVisible
from apps.flows.selectors import get_template, list_templates, template_spec
from apps.partner_portal.views.connections import DOMAIN_LABELS
from apps.partner_portal.wording import paragraphs


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_catalogue(request: ActorRequest) -> HttpResponse:
    context = {
        "manifests": [(manifest, _domains(manifest)) for manifest in list_manifests()],
        "templates": [(version, template_spec(version)) for version in list_templates()],
    }
    return render(request, "partner_portal/catalogue.html", context)


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_connector(request: ActorRequest, vendor: str) -> HttpResponse:
    try:
        manifest = get_manifest(vendor)
    except UnknownVendor:
        raise NotVisible("There is no such system in the catalogue.") from None
    context = {"manifest": manifest, "facts": _facts(manifest), "crumbs": _crumbs()}
    return render(request, "partner_portal/connector.html", context)


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_template(request: ActorRequest, version_id: UUID) -> HttpResponse:
    version = get_template(version_id)
    spec = template_spec(version)
    context = {"version": version, "spec": spec, "documentation": paragraphs(spec.documentation), "crumbs": _crumbs()}
    return render(request, "partner_portal/template.html", context)


def _domains(manifest: ConnectorManifest) -> str:
    return ", ".join(str(DOMAIN_LABELS[domain]) for domain in (manifest.domain, *manifest.also_domains))


def _facts(manifest: ConnectorManifest) -> list[tuple[str, str]]:
    limit = manifest.rate_limit
    budget = f"{limit.calls} calls in {limit.seconds:g} s"
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
