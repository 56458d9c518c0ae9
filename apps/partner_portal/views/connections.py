"""A customer's connections: the list, the catalogue to choose from, the form, the page of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.consents import start_address
from apps.connectors.models import Connection, ConnectionStatus, ConnectLink
from apps.connectors.registry import UnknownVendor, get_manifest, get_offered, list_manifests
from apps.connectors.sdk.manifest import ConnectorManifest, Domain
from apps.connectors.selectors import (
    find_oauth_app,
    get_call_usage,
    get_connection,
    hook_address,
    list_open_connect_links,
)
from apps.connectors.services import (
    archive_connection,
    begin_authorization,
    check_connection,
    create_connection,
    create_pending_connection,
    pause_connection,
    resume_connection,
    send_connect_link,
    update_connection,
    withdraw_connect_link,
)
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.models import Customer, EnvironmentKind
from apps.customers.selectors import get_customer, get_environment
from apps.flows.selectors import list_uses
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.customer_page import customer_crumbs, render_tab
from apps.partner_portal.forms.connections import ConnectionForm, ConnectLinkForm, is_consent
from apps.partner_portal.lists.connections import connection_status, connections_table
from apps.partner_portal.views.runs import CALL_COLUMNS
from apps.sync.selectors import list_connection_calls
from apps.sync.services.keeping import keeps_payloads_of
from apps.ui import htmx
from apps.ui.tables import build_table

DOMAIN_LABELS = {
    Domain.CRM: "CRM",
    Domain.ERP: "ERP",
    Domain.DELIVERY: "Delivery",
    Domain.BILLING: "Billing",
}


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_connections(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    own = Connection.objects.visible_to(request.actor).for_customer(customer).filter(archived_at=None)
    table = connections_table(own.select_related("environment").order_by("name", "id"))
    return render_tab(request, customer, "customer_connections", {"table": table})


@require_GET
@requires(Audience.STAFF, "connections.manage")
def choose_vendor(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    wanted = request.GET.get("domain", "")
    groups = [
        (label, fitting)
        for domain, label in DOMAIN_LABELS.items()
        if (not wanted or wanted == domain) and (fitting := manifests_for(domain, exact=not wanted))
    ]
    context = {
        "customer": customer,
        "groups": groups,
        "crumbs": customer_crumbs(customer, "customer_connections"),
        "next": _next_path(request),
    }
    return render(request, "partner_portal/connect.html", context)


def manifests_for(domain: str, *, exact: bool = False) -> list[ConnectorManifest]:
    """Connectors that can play the domain; `exact` keeps each in its main one."""
    return [m for m in list_manifests() if m.domain == domain or (not exact and domain in m.also_domains)]


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connections.manage")
def connect_vendor(request: ActorRequest, customer_id: UUID, vendor: str) -> HttpResponse:
    customer, manifest = get_customer(request.actor, customer_id), _offered(vendor)
    form = ConnectionForm(manifest, request.POST or None)
    if request.method == "POST":
        connection = submit(form, lambda data: _create(request, customer, manifest, form))
        if connection is not None:
            return _after_creation(request, connection)
    context = {
        "customer": customer, "manifest": manifest, "form": form, "is_consent": is_consent(manifest),
        "has_app": find_oauth_app(vendor) is not None,
        "crumbs": customer_crumbs(customer, "customer_connections"), "next": _next_path(request),
    }  # fmt: skip
    return render(request, "partner_portal/connect_vendor.html", context)


def _create(request: ActorRequest, customer: Customer, manifest: ConnectorManifest, form: ConnectionForm) -> Connection:
    given: dict[str, Any] = {
        "actor": request.actor,
        "now": clock.now(),
        "environment": get_environment(customer, EnvironmentKind(form.cleaned_data["environment"])),
        "vendor": manifest.key,
        "name": form.cleaned_data["name"],
        "settings": form.given_settings(),
    }
    if not form.asks_customer:
        return create_connection(**given, secrets=form.given_secrets(), access_ends_at=form.access_ends_at())
    connection = create_pending_connection(**given)
    _send_link(request, connection, form.cleaned_data)
    return connection


def _send_link(request: ActorRequest, connection: Connection, given: dict[str, Any]) -> ConnectLink:
    return send_connect_link(
        actor=request.actor, now=clock.now(), connection=connection, email=given["email"], message=given["message"]
    )


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connections.manage")
def ask_customer(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    """Mail a link by which somebody at the customer gives access, and see or withdraw the one under way."""
    connection = get_connection(request.actor, connection_id)
    form = ConnectLinkForm(request.POST or None)
    if request.method == "POST":
        link = submit(form, lambda data: _send_link(request, connection, data))
        if link is not None:
            messages.info(request, f"The link went to {link.email}.")
            return htmx.redirect(request, reverse("partner_portal:connection", args=[connection.pk]))
    context = {
        "connection": connection, "form": form, "crumbs": customer_crumbs(connection.customer, "customer_connections"),
        "links": list_open_connect_links(connection, clock.now()),
    }  # fmt: skip
    return render(request, "partner_portal/connection_ask.html", context)


@require_POST
@requires(Audience.STAFF, "connections.manage")
def withdraw_link(request: ActorRequest, connection_id: UUID, link_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    link = connection.connect_links.filter(pk=link_id).first()
    if link is None:
        raise NotVisible("There is no such link.")
    return perform(
        request,
        lambda: withdraw_connect_link(actor=request.actor, now=clock.now(), link=link),
        done="The link no longer works.",
        next_url=reverse("partner_portal:connection", args=[connection.pk]),
    )


def _after_creation(request: ActorRequest, connection: Connection) -> HttpResponse:
    """Back to the wizard that sent us, or on to the connection's page, where a consent is asked for."""
    page = reverse("partner_portal:connection", args=[connection.pk])
    if connection.connect_links.exists():
        messages.info(request, f"{connection.name} is stored. The link to connect it is on its way.")
        return htmx.redirect(request, _next_path(request) or page)
    if connection.status == ConnectionStatus.PENDING:
        messages.info(request, f"{connection.name} is stored. Authorize it to finish.")
        following = _next_path(request)
        return htmx.redirect(request, f"{page}?next={following}" if following else page)
    messages.info(request, f"{connection.name} is connected to {connection.account_name}.")
    return htmx.redirect(request, _next_path(request) or page)


def _next_path(request: ActorRequest) -> str:
    """Where the person came from, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    own = wanted.startswith("/manage/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if own else ""


@require_GET
@requires(Audience.STAFF, "connections.view")
def show_connection(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    manifest = _manifest(connection.vendor)
    calls = list_connection_calls(request.actor, connection)[:20]
    context = {
        "connection": connection,
        "manifest": manifest,
        "status": connection_status(connection),
        "crumbs": customer_crumbs(connection.customer, "customer_connections"),
        "facts": _facts(connection, manifest),
        "usage": get_call_usage(connection, clock.now()),
        "calls": build_table(list(calls), CALL_COLUMNS, caption="Last calls", noun="calls"),
        "uses": list(list_uses(connection)),
        "is_consent": is_consent(manifest, connection),
        "takes_files": "uploads" in manifest.extra,
        "circuit": connection.circuit_state(clock.now()),
        "is_paused": connection.status == ConnectionStatus.PAUSED,
        "links": list_open_connect_links(connection, clock.now()),
        "next": _next_path(request),
        "keeps_payloads": keeps_payloads_of(connection.pk),
    }
    return render(request, "partner_portal/connection.html", context)


def _facts(connection: Connection, manifest: ConnectorManifest) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("System", manifest.name),
        ("Account", connection.account_name),
        ("Account id", connection.account_id),
        ("Environment", connection.environment.get_kind_display()),
    ]
    facts += [(f.label, connection.settings.get(f.key)) for f in manifest.config if not f.secret]
    if manifest.webhook is not None and manifest.webhook.scope == "connection":
        facts.append(("Webhook address", hook_address(connection)))
    return facts


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "connections.manage")
def edit_connection(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    manifest = _manifest(connection.vendor)
    form = ConnectionForm(manifest, request.POST or None, connection=connection)
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: update_connection(
                actor=request.actor, now=clock.now(), connection=connection, name=data["name"],
                settings=form.given_settings(), secrets=form.given_secrets(), access_ends_at=form.access_ends_at(),
            ),
        )  # fmt: skip
        if saved is not None:
            messages.info(request, "The connection was checked and saved.")
            return htmx.redirect(request, reverse("partner_portal:connection", args=[connection.pk]))
    context = {
        "connection": connection,
        "manifest": manifest,
        "form": form,
        "crumbs": customer_crumbs(connection.customer, "customer_connections"),
    }
    return render(request, "partner_portal/connection_edit.html", context)


@require_POST
@requires(Audience.STAFF, "connections.manage")
def authorize(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    """Send the browser to the vendor's consent page."""
    connection = get_connection(request.actor, connection_id)
    own = reverse("partner_portal:connection", args=[connection.pk])
    target: list[str] = []
    response = perform(
        request,
        lambda: target.append(
            begin_authorization(
                actor=request.actor, now=clock.now(), connection=connection, return_path=_next_path(request) or own
            )
        ),
        done="",
        next_url=own,
    )
    return htmx.redirect(request, start_address(target[0])) if target else response


_CHANGES: dict[str, tuple[Callable[..., Connection], str]] = {
    "check": (check_connection, "Checked."),
    "pause": (pause_connection, "Paused: nothing is read from it or written to it."),
    "resume": (resume_connection, "Resumed."),
    "archive": (archive_connection, "Archived. Its credentials are deleted, its history stays."),
}


@require_POST
@requires(Audience.STAFF, "connections.manage")
def change_connection(request: ActorRequest, connection_id: UUID, change: str) -> HttpResponse:
    if change not in _CHANGES:
        raise NotVisible("There is no such action.")
    connection = get_connection(request.actor, connection_id)
    service, done = _CHANGES[change]
    ending = change == "archive"
    name, key = ("customer_connections", connection.customer_id) if ending else ("connection", connection.pk)
    return perform(
        request,
        lambda: service(actor=request.actor, now=clock.now(), connection=connection),
        done=done,
        next_url=reverse(f"partner_portal:{name}", args=[key]),
    )


def _offered(vendor: str) -> ConnectorManifest:
    try:
        return get_offered(vendor)
    except UnknownVendor:
        raise NotVisible("There is no such system in the catalogue.") from None


def _manifest(vendor: str) -> ConnectorManifest:
    try:
        return get_manifest(vendor)
    except UnknownVendor:
        raise NotVisible("There is no such system in the catalogue.") from None
