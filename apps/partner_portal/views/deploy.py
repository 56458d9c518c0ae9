"""The deploy wizard: template, systems, settings, dry run, go live. A draft integration keeps what was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.selectors import find_live_subscription
from apps.connectors.models import Connection
from apps.connectors.sdk.errors import ConnectorError
from apps.core import clock
from apps.core.errors import AnticipatedError, NotVisible
from apps.customers.models import Customer, Environment
from apps.customers.selectors import get_customer, get_environment
from apps.flows.definition import TemplateSpec
from apps.flows.models import Integration, IntegrationStatus, RoleBinding, VersionStatus
from apps.flows.selectors import get_integration, get_template, list_templates, template_spec
from apps.flows.services import change_bindings, change_settings, deploy_integration, go_live
from apps.flows.services.integrations import may_start_first
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.customer_page import customer_crumbs
from apps.partner_portal.forms.deploy import BindingsForm, SettingsForm
from apps.partner_portal.request import environment_kind_of
from apps.partner_portal.views.connections import DOMAIN_LABELS
from apps.sla.selectors import find_assignment
from apps.sync.services import dry_run
from apps.ui import htmx

STEPS = (
    ("template", "Template"),
    ("connections", "Systems"),
    ("settings", "Settings"),
    ("dry-run", "Dry run"),
    ("go-live", "Go live"),
)
DRY_RUN_RECORDS = 20


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """What was agreed with the customer; `agreed` is empty, and `action` says what to do, while nothing is."""

    icon: str
    label: str
    agreed: str
    action: str
    url: str


def wizard_steps(current: str, integration: Integration | None = None) -> list[Step]:
    place = [key for key, _ in STEPS].index(current)
    return [
        Step(
            label, "done" if index < place else "current" if index == place else "todo",
            reverse("partner_portal:deploy_step", args=[integration.pk, key]) if integration and index else "",
        )
        for index, (key, label) in enumerate(STEPS)
    ]  # fmt: skip


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def choose_template(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    templates = [(version, template_spec(version)) for version in list_templates()]
    drafts = Integration.objects.visible_to(request.actor).for_customer(customer).filter(status=IntegrationStatus.DRAFT)
    context = {
        "customer": customer, "templates": templates, "steps": wizard_steps("template"),
        "crumbs": customer_crumbs(customer),
        "drafts": list(drafts.order_by("-created_at")), "domain_labels": DOMAIN_LABELS,
    }  # fmt: skip
    return render(request, "partner_portal/deploy_template.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def choose_connections(request: ActorRequest, customer_id: UUID, version_id: UUID) -> HttpResponse:
    """The first answers make the draft."""
    customer, version = get_customer(request.actor, customer_id), get_template(version_id)
    spec, environment = template_spec(version), get_environment(customer, environment_kind_of(request))
    form = BindingsForm(spec, _connections(request, environment), request.POST or None)
    if request.method == "POST":
        draft = submit(
            form,
            lambda data: deploy_integration(
                actor=request.actor, now=clock.now(), environment=environment, template_version=version,
                name=spec.name, bindings=form.bindings(), settings={},
            ),
        )  # fmt: skip
        if draft is not None:
            return htmx.redirect(request, reverse("partner_portal:deploy_step", args=[draft.pk, "settings"]))
    return _ask_for_connections(request, customer, spec, form, environment, wizard_steps("connections"))


def _connections(request: ActorRequest, environment: Environment) -> list[Connection]:
    found = Connection.objects.visible_to(request.actor).filter(environment=environment, archived_at=None)
    return list(found.order_by("name", "id"))


def _ask_for_connections(
    request: ActorRequest,
    customer: Customer,
    spec: Any,
    form: BindingsForm,
    environment: Environment,
    steps: list[Step],
) -> HttpResponse:
    roles = [(form[role], asked) for role, asked in spec.roles.items()]
    context = {
        "customer": customer, "spec": spec, "form": form, "roles": roles, "steps": steps, "environment": environment,
        "crumbs": customer_crumbs(customer),
    }  # fmt: skip
    return render(request, "partner_portal/deploy_connections.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def rebind(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    draft = get_integration(request.actor, integration_id)
    if draft.status != IntegrationStatus.DRAFT:
        return _already_live(request, draft)
    spec = template_spec(draft.template_version)
    bound = {b.role: str(b.connection_id) for b in RoleBinding.objects.filter(integration=draft)}
    form = BindingsForm(spec, _connections(request, draft.environment), request.POST or None, initial=bound)
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: change_bindings(
                actor=request.actor, now=clock.now(), integration=draft, bindings=form.bindings()
            ),
        )
        if saved is not None:
            return htmx.redirect(request, reverse("partner_portal:deploy_step", args=[draft.pk, "settings"]))
    steps = wizard_steps("connections", draft)
    return _ask_for_connections(request, draft.customer, spec, form, draft.environment, steps)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_settings(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    """A step of the wizard for a draft, and the settings page of a live integration."""
    integration = get_integration(request.actor, integration_id)
    is_draft = integration.status == IntegrationStatus.DRAFT
    spec = template_spec(integration.template_version)
    start = SettingsForm.initial_of(integration.name, integration.settings)
    form = SettingsForm(spec, request.POST or None, initial=start)
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: change_settings(
                actor=request.actor, now=clock.now(), integration=integration, name=data["name"], settings=form.given()
            ),
        )
        if saved is not None:
            return _after_settings(request, saved, is_draft=is_draft)
    context = {
        "integration": integration, "customer": integration.customer, "spec": spec, "form": form, "is_draft": is_draft,
        "steps": wizard_steps("settings", integration), "crumbs": customer_crumbs(integration.customer),
    }  # fmt: skip
    return render(request, "partner_portal/deploy_settings.html", context)


def _after_settings(request: ActorRequest, integration: Integration, *, is_draft: bool) -> HttpResponse:
    if is_draft:
        return htmx.redirect(request, reverse("partner_portal:deploy_step", args=[integration.pk, "dry-run"]))
    if integration.revisions.filter(status=VersionStatus.DRAFT).exists():
        messages.info(request, "The settings are kept as a draft. Hand it in for review.")
        return htmx.redirect(request, reverse("partner_portal:versions", args=[integration.pk]))
    messages.info(request, "The settings were saved. Runs that begin from now on use them.")
    return htmx.redirect(request, reverse("partner_portal:integration", args=[integration.pk]))


@require_GET
@requires(Audience.STAFF, "integrations.manage")
def show_dry_run(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    draft = get_integration(request.actor, integration_id)
    context = {
        "integration": draft, "customer": draft.customer, "steps": wizard_steps("dry-run", draft),
        "crumbs": customer_crumbs(draft.customer), "limit": DRY_RUN_RECORDS,
    }  # fmt: skip
    return render(request, "partner_portal/deploy_dry_run.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def try_out(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    """Ask the systems and show what a run would write; nothing is written."""
    draft = get_integration(request.actor, integration_id)
    context: dict[str, Any] = {"integration": draft}
    try:
        context["result"] = dry_run(actor=request.actor, now=clock.now(), integration=draft, limit=DRY_RUN_RECORDS)
    except ConnectorError as error:
        context["refusal"] = error.message
    except AnticipatedError as error:
        context["refusal"] = error.user_message
    return render(request, "partner_portal/_dry_run.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def start(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    draft = get_integration(request.actor, integration_id)
    if draft.status != IntegrationStatus.DRAFT:
        return _already_live(request, draft)
    if request.method == "POST":
        return perform(
            request,
            lambda: go_live(actor=request.actor, now=clock.now(), integration=draft),
            done=f"{draft.name} is live. Its first runs begin now.",
            next_url=reverse("partner_portal:integration", args=[draft.pk]),
        )
    bindings = RoleBinding.objects.filter(integration=draft).select_related("connection").order_by("role")
    spec = template_spec(draft.template_version)
    context = {
        "integration": draft, "customer": draft.customer, "steps": wizard_steps("go-live", draft),
        "crumbs": customer_crumbs(draft.customer),
        "bindings": [(_role_label(spec, binding.role), binding.connection) for binding in bindings], "flows": list(draft.flows.filter(retired_at=None).order_by("created_at", "id")),
        "spec": spec, "may_start": may_start_first(request.actor, draft), "terms": _terms(request, draft.customer),
    }  # fmt: skip
    return render(request, "partner_portal/deploy_go_live.html", context)


def _terms(request: ActorRequest, customer: Customer) -> list[Term]:
    """What is promised to the customer and what it pays by, for roles that may see it."""
    found = []
    if request.actor.can("sla.view"):
        promise = find_assignment(customer, clock.now())
        url = reverse("partner_portal:customer_sla", args=[customer.pk])
        found.append(
            Term("target", "SLA", str(promise.policy_version) if promise else "", "Promise a service level", url)
        )
    if request.actor.can("billing.view"):
        sold = find_live_subscription(customer.subject_key)
        url = reverse("partner_portal:customer_billing", args=[customer.pk])
        found.append(Term("receipt", "Plan", str(sold.plan_version.plan) if sold else "", "Choose a plan", url))
    return found


def _role_label(spec: TemplateSpec, key: str) -> str:
    role = spec.roles.get(key)
    return role.label if role else key


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def show_step(request: ActorRequest, integration_id: UUID, step: str) -> HttpResponse:
    views = {"connections": rebind, "settings": edit_settings, "dry-run": show_dry_run, "go-live": start}
    if step not in views:
        raise NotVisible("There is no such step.")
    return views[step](request, integration_id)


def _already_live(request: ActorRequest, integration: Integration) -> HttpResponse:
    return htmx.redirect(request, reverse("partner_portal:integration", args=[integration.pk]))
