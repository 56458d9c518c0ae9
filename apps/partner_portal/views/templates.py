"""Templates: reading them, forking them, writing versions and publishing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.models import Connection
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.models import Environment
from apps.flows.models import IntegrationTemplateVersion, VersionStatus
from apps.flows.selectors import get_template, integrations_of, list_rollouts, template_spec, template_versions
from apps.flows.services import (
    deprecate_template,
    discard_template_draft,
    fork_template,
    open_template_draft,
    publish_template,
    return_template,
    revive_template,
    save_template_draft,
    submit_template,
)
from apps.flows.services.release_rules import requires_second_person
from apps.flows.services.template_versions import OWN_PREFIX, has_written, source_of
from apps.flows.sources import number_key
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.releases import ForkForm, TemplateForm
from apps.partner_portal.wording import paragraphs
from apps.ui import htmx
from apps.ui.text_differences import compare_texts

SHOWN_INTEGRATIONS = 20
SHOWN_PLACES = 200


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_template(request: ActorRequest, version_id: UUID) -> HttpResponse:
    version = get_template(version_id)
    spec = template_spec(version)
    users = integrations_of(request.actor, version.template)
    context = {
        "version": version, "spec": spec, "documentation": paragraphs(spec.documentation), "crumbs": _crumbs(),
        "versions": template_versions(version.template), "may_write": request.actor.can("templates.manage"),
        "is_open": version.status in (VersionStatus.DRAFT, VersionStatus.IN_REVIEW),
        "needs_review": requires_second_person(), "is_author": has_written(request.actor, version),
        "integrations": users[:SHOWN_INTEGRATIONS], "integration_count": len(users), "places": _places(request),
        "rollouts": list(list_rollouts(request.actor).filter(version=version)[:5]),
        "behind": [one for one in users if number_key(one.template_version.number) < number_key(version.number)],
    }  # fmt: skip
    return render(request, "partner_portal/template.html", context)


def _places(request: ActorRequest) -> list[Environment]:
    """Where a version can be tried out: customers' environments with systems."""
    there = Connection.objects.visible_to(request.actor).filter(archived_at=None)
    places = Environment.objects.filter(pk__in=there.values("environment_id"))
    return list(places.select_related("customer").order_by("customer__name", "kind")[:SHOWN_PLACES])


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "templates.manage")
def fork(request: ActorRequest, version_id: UUID) -> HttpResponse:
    version = get_template(version_id)
    key = f"{OWN_PREFIX}{version.template.key.removeprefix(OWN_PREFIX)}"[:60]
    form = ForkForm(request.POST or None, initial={"name": f"{version.template.name}, own"[:120], "key": key})
    if request.method == "POST":
        made = submit(form, lambda data: fork_template(actor=request.actor, now=clock.now(), version=version, **data))
        if made is not None:
            messages.info(request, f"{made.template.name} is yours. Change it, try it, publish it.")
            return htmx.redirect(request, reverse("partner_portal:template_edit", args=[made.pk]))
    context = {"version": version, "form": form, "crumbs": _crumbs(version)}
    return render(request, "partner_portal/template_fork.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "templates.manage")
def edit_template(request: ActorRequest, version_id: UUID) -> HttpResponse:
    version = get_template(version_id)
    if request.method == "GET" and version.status != VersionStatus.DRAFT:
        return htmx.redirect(request, _page(version))
    form = TemplateForm(request.POST or None, initial={"source": source_of(version), "note": version.note})
    if request.method == "POST":
        saved = submit(
            form, lambda data: save_template_draft(actor=request.actor, now=clock.now(), version=version, **data)
        )
        if saved is not None:
            messages.info(request, f"Version {saved.number} is saved as a draft.")
            return htmx.redirect(request, _page(saved))
    context = {"version": version, "form": form, "crumbs": _crumbs(version)}
    return render(request, "partner_portal/template_edit.html", context, status=422 if form.errors else 200)


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_changes(request: ActorRequest, version_id: UUID) -> HttpResponse:
    """What a version changes against another one, by default the one before it or the one it was forked from."""
    version = get_template(version_id)
    others = [found for found in template_versions(version.template) if found.pk != version.pk]
    base = _base(request, version, others)
    context = {
        "version": version, "base": base, "others": others, "crumbs": _crumbs(version),
        "lines": compare_texts(source_of(base), source_of(version)) if base else [],
    }  # fmt: skip
    return render(request, "partner_portal/template_changes.html", context)


def _base(
    request: ActorRequest, version: IntegrationTemplateVersion, others: list[IntegrationTemplateVersion]
) -> IntegrationTemplateVersion | None:
    asked = request.GET.get("with", "")
    chosen = next((found for found in others if str(found.pk) == asked), None)
    if chosen is not None:
        return chosen
    origin = version.template.forked_from
    if asked == "origin" and origin is not None:
        return origin
    own = number_key(version.number)
    before = [found for found in others if number_key(found.number) < own]
    return before[0] if before else origin or (others[0] if others else None)


@require_GET
@requires(Audience.STAFF, "connections.view")
def download_source(request: ActorRequest, version_id: UUID) -> HttpResponse:
    version = get_template(version_id)
    response = HttpResponse(source_of(version), content_type="application/yaml; charset=utf-8")
    name = f"{version.template.key}-{version.number}.yaml"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@requires(Audience.STAFF, "templates.manage")
def open_draft(request: ActorRequest, version_id: UUID) -> HttpResponse:
    """The next version, with the text of this one."""
    version = get_template(version_id)
    page = _page(version)

    def act() -> None:
        nonlocal page
        draft = open_template_draft(actor=request.actor, now=clock.now(), version=version)
        page = reverse("partner_portal:template_edit", args=[draft.pk])

    answer = perform(request, act, done="", next_url=page)
    return htmx.redirect(request, page) if page != _page(version) else answer


Step = Callable[..., Any]
_STEPS: dict[str, tuple[Step, str, bool]] = {
    "submit": (submit_template, "Handed in for review.", False),
    "return": (return_template, "Given back to be changed.", True),
    "publish": (publish_template, "Published. It can be deployed and rolled out.", False),
    "deprecate": (deprecate_template, "Deprecated. What is deployed goes on.", True),
    "revive": (revive_template, "It can be deployed again.", False),
    "discard": (discard_template_draft, "The draft is discarded.", False),
}


@require_POST
@requires(Audience.STAFF, "templates.manage")
def take_step(request: ActorRequest, version_id: UUID, release_step: str) -> HttpResponse:
    if release_step not in _STEPS:
        raise NotVisible("There is no such step.")
    version = get_template(version_id)
    service, done, takes_reason = _STEPS[release_step]
    given = {"reason": request.POST.get("reason", "")} if takes_reason else {}
    return perform(
        request,
        lambda: service(actor=request.actor, now=clock.now(), version=version, **given),
        done=done,
        next_url=reverse("partner_portal:catalogue") if release_step == "discard" else _page(version),
    )


def _page(version: IntegrationTemplateVersion) -> str:
    return reverse("partner_portal:template", args=[version.pk])


def _crumbs(version: IntegrationTemplateVersion | None = None) -> list[tuple[str, str]]:
    crumbs = [("Catalogue", reverse("partner_portal:catalogue"))]
    return [*crumbs, (str(version), _page(version))] if version else crumbs
