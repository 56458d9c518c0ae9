"""A customer's integrations as a text, and the way from its sandbox to production."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.models import Connection
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.customers.models import EnvironmentKind
from apps.customers.selectors import get_customer, get_environment
from apps.flows.configuration import export_environment
from apps.flows.models import Integration
from apps.flows.selectors import get_integration, template_spec
from apps.flows.services.configuration import apply_configuration
from apps.flows.services.planning import plan_configuration
from apps.flows.services.promotion import (
    UnableToPromote,
    plan_promotion,
    production_of,
    promote_integration,
    suggested_systems,
)
from apps.flows.services.release_rules import requires_second_person
from apps.partner_portal.actions import perform
from apps.partner_portal.customer_page import customer_crumbs
from apps.partner_portal.forms.deploy import BindingsForm
from apps.partner_portal.request import environment_kind_of
from apps.ui import htmx


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_configuration(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    """The integrations as they are; a changed text is planned first and carried out when confirmed."""
    customer = get_customer(request.actor, customer_id)
    environment = get_environment(customer, environment_kind_of(request))
    text = request.POST.get("source") or export_environment(environment)
    context: dict[str, Any] = {
        "customer": customer, "environment": environment, "text": text,
        "crumbs": customer_crumbs(customer, "customer_integrations"),
        "others": [kind for kind in EnvironmentKind if kind != environment.kind],
    }  # fmt: skip
    if request.method == "POST":
        removes = "with_removals" in request.POST
        try:
            if "confirmed" in request.POST:
                apply_configuration(
                    actor=request.actor, now=clock.now(), text=text, environment=environment, with_removals=removes
                )
                messages.info(request, "The integrations are what the text says.")
                return htmx.redirect(request, request.get_full_path())
            context["plan"] = plan_configuration(actor=request.actor, text=text, environment=environment)
        except AnticipatedError as error:
            context["problem"] = error.user_message
    status = 422 if "problem" in context else 200
    return render(request, "partner_portal/configuration.html", context, status=status)


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def export_configuration(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    environment = get_environment(customer, environment_kind_of(request))
    response = HttpResponse(export_environment(environment), content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{customer.slug}-{environment.kind}.yaml"'
    return response


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def promote(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    """What production would get; with the button it does."""
    integration = get_integration(request.actor, integration_id)
    context: dict[str, Any] = {
        "integration": integration,
        "crumbs": customer_crumbs(integration.customer, "customer_integrations"),
    }
    try:
        place = production_of(integration)
    except UnableToPromote as error:
        messages.error(request, error.user_message)
        return htmx.redirect(request, reverse("partner_portal:versions", args=[integration.pk]))
    usable = Connection.objects.visible_to(request.actor).filter(environment=place, archived_at=None)
    suggested = {role: str(found.pk) for role, found in suggested_systems(integration).items()}
    spec = template_spec(integration.template_version)
    given = request.POST if request.method == "POST" else suggested
    form = BindingsForm(spec, list(usable.order_by("name", "id")), given)
    context |= {"form": form, "roles": [(form[role], asked) for role, asked in spec.roles.items()]}
    if form.is_valid():
        systems = form.bindings()
        if "confirmed" in request.POST:
            return _promoted(request, integration, systems)
        context["entry"] = plan_promotion(actor=request.actor, integration=integration, systems=systems)
    return render(request, "partner_portal/promote.html", context)


def _promoted(request: ActorRequest, integration: Integration, systems: dict[str, Connection]) -> HttpResponse:
    page = reverse("partner_portal:promote", args=[integration.pk])
    return perform(
        request,
        lambda: promote_integration(actor=request.actor, now=clock.now(), integration=integration, systems=systems),
        done="Production is what the sandbox is. What is new there may still wait for a colleague to take it live."
        if requires_second_person()
        else "Production is what the sandbox is.",
        next_url=page,
    )
