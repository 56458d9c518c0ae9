"""Versions of an integration: what each changed, review, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import NotVisible
from apps.flows.comparing import compare_states
from apps.flows.models import OPEN_VERSIONS, Integration, IntegrationRevision
from apps.flows.selectors import get_integration, get_revision, newer_version, revision_before
from apps.flows.services import (
    discard_revision,
    publish_revision,
    restore_revision,
    return_revision,
    submit_revision,
)
from apps.flows.services.release_rules import requires_second_person
from apps.flows.services.template_versions import has_written
from apps.flows.states import state_of, state_of_revision
from apps.partner_portal.actions import perform
from apps.partner_portal.customer_page import integration_crumbs

SHOWN = 50


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_versions(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    revisions = list(integration.revisions.select_related("template_version").order_by("-number")[:SHOWN])
    context = {
        "integration": integration, "crumbs": integration_crumbs(integration), "revisions": revisions,
        "newer": newer_version(integration), "flow_versions": list(integration.flows.filter(retired_at=None).select_related("current_version")),
    }  # fmt: skip
    return render(request, "partner_portal/versions.html", context)


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_version(request: ActorRequest, integration_id: UUID, revision_id: UUID) -> HttpResponse:
    """What this version changed against the one before it; for an earlier one also what going back would change."""
    integration = get_integration(request.actor, integration_id)
    revision = get_revision(integration, revision_id)
    revision.integration = integration
    is_open = revision.status in OPEN_VERSIONS
    before = revision_before(revision)
    then, current = state_of_revision(revision), state_of(integration)
    may_manage = request.actor.can("integrations.manage")
    context = {
        "integration": integration, "revision": revision, "before": before, "is_open": is_open,
        "title": f"Version {revision.number}", "may_manage": may_manage,
        "changed": compare_states(state_of_revision(before), then) if before else [],
        "back": [] if is_open else compare_states(current, then),
        "needs_review": requires_second_person(), "is_author": has_written(request.actor, revision),
        "crumbs": [*integration_crumbs(integration), ("Versions", _page(integration))],
    }  # fmt: skip
    return render(request, "partner_portal/version.html", context)


Step = Callable[..., Any]
_STEPS: dict[str, tuple[Step, str, bool]] = {
    "submit": (submit_revision, "Handed in for review.", False),
    "return": (return_revision, "Given back to be changed.", True),
    "publish": (publish_revision, "Published. Runs that begin from now on use it.", False),
    "discard": (discard_revision, "The draft is discarded.", False),
}


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def take_step(request: ActorRequest, integration_id: UUID, revision_id: UUID, release_step: str) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    revision = get_revision(integration, revision_id)
    now = clock.now()
    if release_step == "restore":
        return perform(
            request,
            lambda: restore_revision(actor=request.actor, now=now, integration=integration, revision=revision),
            done=_restored(revision),
            next_url=_page(integration),
        )
    if release_step not in _STEPS:
        raise NotVisible("There is no such step.")
    service, done, takes_reason = _STEPS[release_step]
    given = {"reason": request.POST.get("reason", "")} if takes_reason else {}
    return perform(
        request,
        lambda: service(actor=request.actor, now=now, revision=revision, **given),
        done=done,
        next_url=_page(integration),
    )


def _restored(revision: IntegrationRevision) -> str:
    if requires_second_person():
        return f"Going back to version {revision.number} is a draft now. Hand it in for review."
    return f"Version {revision.number} is in force again."


def _page(integration: Integration) -> str:
    return reverse("partner_portal:versions", args=[integration.pk])
