"""What an integration does about fields edited on both sides, and about deletions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import Conflict
from apps.flows.definition import CONFLICT_POLICIES, DELETE_POLICIES
from apps.flows.models import Flow
from apps.flows.selectors import get_integration, get_policy, list_policies, template_spec
from apps.flows.services import reset_field_policy, set_field_policy
from apps.partner_portal.actions import submit
from apps.partner_portal.forms.policies import FieldPolicyForm
from apps.ui import htmx

WORDS = {**CONFLICT_POLICIES, **DELETE_POLICIES}


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def show_policies(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    roles = {key: role.label for key, role in template_spec(integration.template_version).roles.items()}
    form = FieldPolicyForm(roles, request.POST or None)
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: set_field_policy(actor=request.actor, now=clock.now(), integration=integration, **data),
        )
        if not form.errors:
            return _after(request, integration.pk, in_force=saved is not None)
    rows = [(item, WORDS[item.policy], roles.get(item.role, "")) for item in list_policies(integration)]
    context = {
        "integration": integration, "form": form, "rows": rows,
        "flows": Flow.objects.visible_to(request.actor).filter(integration=integration, retired_at=None).order_by("created_at", "id"),
        "crumbs": [(integration.name, reverse("partner_portal:integration", args=[integration.pk]))],
    }  # fmt: skip
    return render(request, "partner_portal/policies_of_integration.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def reset(request: ActorRequest, field_policy_id: UUID) -> HttpResponse:
    policy = get_policy(request.actor, field_policy_id)
    try:
        is_done = reset_field_policy(actor=request.actor, now=clock.now(), policy=policy)
    except Conflict as error:
        messages.error(request, error.user_message)
        return htmx.redirect(request, reverse("partner_portal:policies_of_integration", args=[policy.integration_id]))
    return _after(request, policy.integration_id, in_force=is_done)


def _after(request: ActorRequest, integration_id: UUID, *, in_force: bool) -> HttpResponse:
    if in_force:
        messages.info(request, "From the next run on. A new version of the integration has it.")
        return htmx.redirect(request, reverse("partner_portal:policies_of_integration", args=[integration_id]))
    messages.info(request, "Kept as a draft. Hand it in for review.")
    return htmx.redirect(request, reverse("partner_portal:versions", args=[integration_id]))
