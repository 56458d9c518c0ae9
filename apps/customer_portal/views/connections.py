"""Connecting a system again: by consent at the vendor, or by entering a new key."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.connectors.consents import start_address
from apps.connectors.models import Connection
from apps.connectors.selectors import find_oauth_app, get_connection
from apps.connectors.services import UnableToAuthorize, UnableToConnect, begin_authorization, complete_connection
from apps.core import clock
from apps.customer_portal.forms import AccessForm
from apps.customer_portal.selectors.connections import connection_facts, connects_by_consent, list_uses
from apps.customer_portal.selectors.landscape import describe_system
from apps.ui import htmx


@require_GET
@requires(Audience.CUSTOMER, "connections.view")
def connection_detail(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    return _show(request, get_connection(request.actor, connection_id))


@require_POST
@requires(Audience.CUSTOMER, "connections.authorize")
def authorize(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    back = reverse("customer_portal:connection_detail", args=[connection.pk])
    try:
        address = begin_authorization(actor=request.actor, now=clock.now(), connection=connection, return_path=back)
    except UnableToAuthorize as error:
        messages.error(request, _reason(connection, error))
        return htmx.redirect(request, back)
    if htmx.is_htmx(request):
        return htmx.redirect(request, start_address(address))
    # A form may not lead a browser off this host (form-action 'self'); a link may.
    context = {"system": describe_system(connection), "address": start_address(address), "back": back}
    return render(request, "customer_portal/connection_continue.html", context)


@sensitive_post_parameters()
@never_cache
@require_POST
@requires(Audience.CUSTOMER, "connections.authorize")
def enter_secrets(request: ActorRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    form = AccessForm(request.POST, connection=connection)
    if not form.is_valid():
        return _show(request, connection, form, status=422)
    try:
        complete_connection(
            actor=request.actor, now=clock.now(), connection=connection, secrets=form.secrets, settings=form.settings
        )
    except UnableToConnect as error:
        form.add_error(error.field if error.field in form.fields else None, error.user_message)
        return _show(request, connection, form, status=422)
    messages.success(request, f"{describe_system(connection).name} is connected.")
    return HttpResponseRedirect(reverse("customer_portal:connection_detail", args=[connection.pk]))


def _reason(connection: Connection, error: UnableToAuthorize) -> str:
    """What the service says of a missing app is meant for the partner; the customer cannot enter one."""
    if find_oauth_app(connection.vendor) is None:
        return f"{describe_system(connection).name} cannot be connected yet: we have to finish its setup. Ask us."
    return error.user_message


def _show(
    request: ActorRequest, connection: Connection, form: AccessForm | None = None, status: int = 200
) -> HttpResponse:
    by_consent = connects_by_consent(connection)
    may_connect = request.actor.can("connections.authorize")
    if form is None and may_connect and not by_consent:
        form = AccessForm(connection=connection)
    system = describe_system(connection)
    context = {
        "connect_title": "Connect again" if system.was_connected else f"Connect {system.name}",
        "crumbs": [("Integrations", reverse("customer_portal:integration_list"))],
        "connection": connection,
        "system": system,
        "facts": connection_facts(connection),
        "uses": list_uses(request.actor, connection),
        "by_consent": by_consent,
        "may_connect": may_connect,
        "form": form,
    }
    return render(request, "customer_portal/connection_detail.html", context, status=status)
