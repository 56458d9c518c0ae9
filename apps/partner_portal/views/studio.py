"""The mapping studio: what becomes what, object by object, with preview, publication and the way back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.custom_fields import declared_fields
from apps.canonical.models.custom_fields import CustomFieldKind
from apps.canonical.services import archive_custom_field, declare_custom_field
from apps.connectors.sdk.errors import ConnectorError
from apps.core import clock
from apps.core.errors import AnticipatedError, NotVisible
from apps.flows.layers import MappedObject, as_direction, draft_mappings, mapped_objects, published_mappings
from apps.flows.models import Integration, IntegrationStatus
from apps.flows.selectors import get_integration, template_spec
from apps.flows.services import UnableToMap, mapping_findings, publish_mappings, save_mapping
from apps.flows.services.release_rules import requires_second_person
from apps.partner_portal.actions import perform
from apps.partner_portal.customer_page import integration_crumbs
from apps.partner_portal.studio import (
    PREFIX,
    changed_fields,
    function_help,
    mapping_changes,
    open_workbench,
    read_lookup,
    write_lookup,
)
from apps.sync.services import dry_run
from apps.ui import htmx

DRY_RUN_RECORDS = 20
EMPTY_PAIRS = 3
PUBLISHED = "Published. Runs that begin from now on use it, and read again what it changes."


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def show_mappings(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    """All objects of the integration, what is edited and not published, and the versions."""
    integration = get_integration(request.actor, integration_id)
    objects = mapped_objects(integration)
    labels = {key: role.label for key, role in template_spec(integration.template_version).roles.items()}
    context = {
        "integration": integration, "crumbs": integration_crumbs(integration),
        "objects": [(labels.get(mapped.role, mapped.role), mapped) for mapped in objects],
        "changes": mapping_changes(published_mappings(integration), draft_mappings(integration)),
        "revisions": list(integration.revisions.exclude(published_at=None).order_by("-number")[:20]),
        "declared": [found for found in declared_fields(integration.customer_id) if found.archived_at is None],
        "entities": sorted({mapped.entity for mapped in objects}),
        "kinds": CustomFieldKind.choices, "may_change_all": request.actor.scope is None,
    }  # fmt: skip
    return render(request, "partner_portal/mappings.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_mapping(
    request: ActorRequest, integration_id: UUID, role: str, direction: str, object_name: str
) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    mapped = _mapped(integration, role, direction, object_name)
    if request.method == "GET":
        return _show_editor(request, integration, mapped, {})
    posted = _posted(request)
    layer = "partner" if request.POST.get("layer") == "partner" else "customer"
    changes = changed_fields(mapped, posted)
    if reset := request.POST.get("reset", ""):
        source = next((s for s in mapped.sources() if s.name == reset), None)
        changes, layer = {reset: None}, "partner" if source and source.layer == "partner" else "customer"
    try:
        save_mapping(
            actor=request.actor, now=clock.now(), integration=integration, place=mapped.place, fields=changes,
            layer="partner" if layer == "partner" else "customer",
        )  # fmt: skip
    except UnableToMap as error:
        return _show_editor(request, integration, mapped, posted, error=error)
    if changes:
        messages.info(request, "Kept as a draft. Publish it to put it in force.")
    return htmx.redirect(request, request.path)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def preview_field(
    request: ActorRequest, integration_id: UUID, role: str, direction: str, object_name: str
) -> HttpResponse:
    """What one expression makes of the samples, as it is typed."""
    integration = get_integration(request.actor, integration_id)
    workbench = open_workbench(request.actor, integration, _mapped(integration, role, direction, object_name))
    name = request.POST.get("field", "")
    row = workbench.row(workbench.target(name), None, _posted(request))
    return render(request, "partner_portal/_mapping_preview.html", {"row": row, "workbench": workbench})


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_values(
    request: ActorRequest, integration_id: UUID, role: str, direction: str, object_name: str
) -> HttpResponse:
    """A value map as a table: it writes the field's lookup()."""
    integration = get_integration(request.actor, integration_id)
    mapped = _mapped(integration, role, direction, object_name)
    name = request.POST.get("field") or request.GET.get("field", "")
    source = next((s for s in mapped.sources() if s.name == name), None)
    target = open_workbench(request.actor, integration, mapped).target(name)
    page = reverse("partner_portal:mapping", args=[integration.pk, *mapped.place])
    error = ""
    if request.method == "POST":
        keys, to = request.POST.getlist("from"), request.POST.getlist("to")
        table = {key.strip(): value.strip() for key, value in zip(keys, to, strict=False) if key.strip()}
        expression = write_lookup(table, request.POST.get("value", "").strip(), request.POST.get("default", "").strip())
        try:
            save_mapping(
                actor=request.actor, now=clock.now(), integration=integration, place=mapped.place,
                fields={name: expression},
            )  # fmt: skip
            messages.info(request, "The value map is kept as a draft.")
            return htmx.redirect(request, page)
        except UnableToMap as refused:
            error = refused.user_message
    else:
        kept = read_lookup(source.expression) if source else None
        table, value, default = kept or ({}, source.expression if source else "", "")
    context = {
        "integration": integration, "mapped": mapped, "target": target, "page": page, "error": error,
        "pairs": [*table.items(), *[("", "")] * EMPTY_PAIRS],
        "crumbs": [*integration_crumbs(integration), (mapped.label, page)],
        "value": request.POST.get("value", "") if error else value,
        "default": request.POST.get("default", "") if error else default,
    }  # fmt: skip
    return render(request, "partner_portal/mapping_values.html", context, status=422 if error else 200)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def try_mappings(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    """A dry run with the draft, and what stands against publishing it; nothing is written."""
    integration = get_integration(request.actor, integration_id)
    context: dict[str, Any] = {"integration": integration, "found": mapping_findings(request.actor, integration)}
    try:
        context["result"] = dry_run(
            actor=request.actor, now=clock.now(), integration=integration, limit=DRY_RUN_RECORDS, with_draft=True
        )
    except ConnectorError as error:
        context["refusal"] = error.message
    except AnticipatedError as error:
        context["refusal"] = error.user_message
    return render(request, "partner_portal/_mapping_trial.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def publish(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    note, accepted = request.POST.get("note", ""), request.POST.get("accepted") == "1"
    waits = requires_second_person() and integration.status != IntegrationStatus.DRAFT
    return perform(
        request,
        lambda: publish_mappings(
            actor=request.actor, now=clock.now(), integration=integration, note=note, accepted=accepted
        ),
        done=PUBLISHED if not waits else "Kept as a draft. Hand it in for review.",
        next_url=reverse(f"partner_portal:{'versions' if waits else 'mappings'}", args=[integration.pk]),
    )


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def declare_field(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    """Add a custom field to the records of this customer, or of all; or offer one no more."""
    integration = get_integration(request.actor, integration_id)
    if "archive" in request.POST:
        return _archive_field(request, integration)
    given = {name: request.POST.get(name, "").strip() for name in ("entity", "key", "label", "kind")}
    customer = None if request.POST.get("layer") == "partner" else integration.customer
    return perform(
        request,
        lambda: declare_custom_field(actor=request.actor, now=clock.now(), customer=customer, **given),
        done=f"x_{given['key']} can be mapped now.",
        next_url=reverse("partner_portal:mappings", args=[integration.pk]),
    )


def _archive_field(request: ActorRequest, integration: Integration) -> HttpResponse:
    known = {str(found.pk): found for found in declared_fields(integration.customer_id)}
    found = known.get(request.POST["archive"])
    if found is None:
        raise NotVisible("There is no such field.")
    return perform(
        request,
        lambda: archive_custom_field(actor=request.actor, now=clock.now(), custom_field=found),
        done=f"{found.name} is offered no more. What maps to it and what records hold stays.",
        next_url=reverse("partner_portal:mappings", args=[integration.pk]),
    )


def _show_editor(
    request: ActorRequest,
    integration: Integration,
    mapped: MappedObject,
    given: dict[str, str],
    error: UnableToMap | None = None,
) -> HttpResponse:
    workbench = open_workbench(request.actor, integration, mapped, is_fresh="fresh" in request.GET)
    context = {
        "integration": integration, "mapped": mapped, "workbench": workbench, "rows": workbench.rows(given),
        "source_fields": workbench.source_fields(), "functions": function_help(), "error": error,
        "preview_url": reverse("partner_portal:mapping_preview", args=[integration.pk, *mapped.place]),
        "values_url": reverse("partner_portal:mapping_values", args=[integration.pk, *mapped.place]),
        "may_change_all": request.actor.scope is None,
        "crumbs": [*integration_crumbs(integration),
        ("Mappings", reverse("partner_portal:mappings", args=[integration.pk]))],
    }  # fmt: skip
    return render(request, "partner_portal/mapping.html", context, status=422 if error else 200)


def _posted(request: ActorRequest) -> dict[str, str]:
    found = {key.removeprefix(PREFIX): str(value) for key, value in request.POST.items() if key.startswith(PREFIX)}
    added = request.POST.get("new_field", "").strip()
    if added:
        found[added] = request.POST.get("new_expression", "")
    return found


def _mapped(integration: Integration, role: str, direction: str, object_name: str) -> MappedObject:
    place = (role, as_direction(direction), object_name)
    found = next((mapped for mapped in mapped_objects(integration) if mapped.place == place), None)
    if found is None or direction not in ("read", "write"):
        raise NotVisible("The integration does not use this object.")
    return found
