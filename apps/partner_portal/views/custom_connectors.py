"""Connecting a system that the catalogue does not have, by writing it down."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.models import CustomConnector
from apps.connectors.sdk.declared import connector_type
from apps.connectors.selectors import get_custom_connector, get_custom_version
from apps.connectors.services import (
    UnableToDefine,
    archive_connector,
    check_definition,
    create_custom_connector,
    publish_connector,
    restore_version,
    save_draft,
    try_definition,
)
from apps.core import clock
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.custom_connectors import DefinitionForm, TrialForm
from apps.ui import htmx

STARTER = """\
name: My system
domain: delivery            # crm, erp, billing or delivery
description: What it holds, in a sentence.
base_url: https://api.example.com
auth: {kind: bearer}        # bearer | header | query (both with name: …) | basic | none
check: {path: /me, account_id: id, account_name: name}
paging: {kind: page, parameter: page, size_parameter: per_page, size: 100}
rate_limit: {calls: 60, seconds: 60}
objects:
  - name: projects
    label: Projects
    entity: project
    list: {path: /projects, records: data, since: updated_since}
    item: {path: "/projects/{id}", record: data}
    id: id
    modified: updated_at
    fields:
      name: record.name
      status: 'get(record, "archived") == true ? "closed" : "open"'
"""


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connectors.manage")
def add_connector(request: ActorRequest) -> HttpResponse:
    form = DefinitionForm(request.POST or None, initial={"source": STARTER})
    if request.method == "POST":
        made = submit(
            form, lambda data: create_custom_connector(actor=request.actor, now=clock.now(), source=data["source"])
        )
        if made is not None:
            messages.info(request, f"{made.name} is kept as a draft. Try it, then publish it.")
            return htmx.redirect(request, _page(made))
    context = {"form": form, "crumbs": _crumbs()}
    return render(request, "partner_portal/custom_connector_add.html", context, status=_status(form))


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connectors.manage")
def edit_connector(request: ActorRequest, connector_id: UUID) -> HttpResponse:
    connector = get_custom_connector(request.actor, connector_id)
    form = DefinitionForm(request.POST or None, initial={"source": connector.draft})
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: save_draft(actor=request.actor, now=clock.now(), connector=connector, source=data["source"]),
        )
        if saved is not None:
            messages.info(request, "The draft is saved. Connections go on with what is published.")
            return htmx.redirect(request, _page(connector))
    published = connector.published
    context = {
        "connector": connector, "form": form, "crumbs": _crumbs(), "trial": _trial_form(connector),
        "versions": connector.versions.order_by("-number"),
        "is_changed": published is None or published.source != connector.draft,
    }  # fmt: skip
    return render(request, "partner_portal/custom_connector.html", context, status=_status(form))


@sensitive_post_parameters()
@require_POST
@requires(Audience.STAFF, "connectors.manage")
def try_connector(request: ActorRequest, connector_id: UUID) -> HttpResponse:
    """Read the first records with the saved draft; nothing is stored."""
    connector = get_custom_connector(request.actor, connector_id)
    form = _trial_form(connector, request.POST)
    if form is None:
        return htmx.redirect(request, _page(connector))
    trial = submit(
        form,
        lambda data: try_definition(
            actor=request.actor, now=clock.now(), source=connector.draft, object_name=data["object_name"],
            settings=form.given(secret=False), secrets=form.given(secret=True),
        ),
    )  # fmt: skip
    samples = [
        {"id": s.external_id, "raw": _pretty(s.data), "mapped": _pretty(s.fields), "refs": s.refs, "problem": s.problem}
        for s in (trial.samples if trial else [])
    ]
    context = {"connector": connector, "trial": form, "outcome": trial, "samples": samples}
    return render(request, "partner_portal/_custom_trial.html", context, status=_status(form))


@require_POST
@requires(Audience.STAFF, "connectors.manage")
def publish(request: ActorRequest, connector_id: UUID) -> HttpResponse:
    connector = get_custom_connector(request.actor, connector_id)
    note = request.POST.get("note", "")
    return perform(
        request,
        lambda: publish_connector(actor=request.actor, now=clock.now(), connector=connector, note=note),
        done=f"{connector.name} is published. Its connections use it from now on.",
        next_url=_page(connector),
    )


@require_POST
@requires(Audience.STAFF, "connectors.manage")
def restore(request: ActorRequest, connector_id: UUID, connector_version_id: UUID) -> HttpResponse:
    connector = get_custom_connector(request.actor, connector_id)
    version = get_custom_version(connector, connector_version_id)
    return perform(
        request,
        lambda: restore_version(actor=request.actor, now=clock.now(), connector=connector, version=version),
        done=f"Version {version.number} is the draft again. Publish it to use it.",
        next_url=_page(connector),
    )


@require_POST
@requires(Audience.STAFF, "connectors.manage")
def archive(request: ActorRequest, connector_id: UUID) -> HttpResponse:
    connector = get_custom_connector(request.actor, connector_id)
    return perform(
        request,
        lambda: archive_connector(actor=request.actor, now=clock.now(), connector=connector),
        done=f"{connector.name} is archived.",
        next_url=reverse("partner_portal:catalogue"),
    )


@require_GET
@requires(Audience.STAFF, "connectors.manage")
def export_connector(request: ActorRequest, connector_id: UUID) -> HttpResponse:
    """The draft as a file, to keep or to paste at another place."""
    connector = get_custom_connector(request.actor, connector_id)
    response = HttpResponse(connector.draft, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{connector.key}.yaml"'
    return response


def _trial_form(connector: CustomConnector, data: object = None) -> TrialForm | None:
    """None when the draft itself is no connector: published ones may have been written for an older release."""
    try:
        manifest = connector_type(connector.key, check_definition(connector.draft)).manifest
    except UnableToDefine:
        return None
    return TrialForm(manifest, data)


def _status(form: object) -> int:
    return 422 if getattr(form, "errors", None) else 200


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)[:20_000]


def _page(connector: CustomConnector) -> str:
    return reverse("partner_portal:custom_connector", args=[connector.pk])


def _crumbs() -> list[tuple[str, str]]:
    return [("Catalogue", reverse("partner_portal:catalogue"))]
