"""The page behind a mailed connect link: somebody gives access to their own system, without an account here."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts.access import Audience, requires
from apps.connectors.consents import start_address
from apps.connectors.models import ConnectLink
from apps.connectors.registry import get_manifest
from apps.connectors.selectors import ConnectLinkUnusable, find_connect_link, get_connect_link
from apps.connectors.services import UnableToAuthorize, UnableToConnect, begin_consent_by_link, connect_by_link
from apps.core import clock
from apps.customer_portal.forms import AccessForm
from apps.customer_portal.selectors.connections import connects_by_consent, what_is_exchanged
from apps.ui import htmx


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@requires(Audience.ANYONE)
def connect(request: HttpRequest, token: str) -> HttpResponse:
    try:
        link = get_connect_link(token, clock.now())
        return _give_access(request, link, token)
    except ConnectLinkUnusable as error:
        return _end(request, error, token)


def _give_access(request: HttpRequest, link: ConnectLink, token: str) -> HttpResponse:
    if connects_by_consent(link.connection):
        return _consent(request, link, token)
    form = AccessForm(request.POST or None, connection=link.connection)
    if request.method == "POST" and form.is_valid():
        try:
            connect_by_link(token=token, now=clock.now(), settings=form.settings, secrets=form.secrets)
        except UnableToConnect as error:
            form.add_error(error.field if error.field in form.fields else None, error.user_message)
        else:
            return HttpResponseRedirect(reverse("customer_portal:connect", args=[token]))
    return _show(request, link, form)


def _consent(request: HttpRequest, link: ConnectLink, token: str) -> HttpResponse:
    if request.method == "GET":
        return _show(request, link, None)
    own = reverse("customer_portal:connect", args=[token])
    try:
        address = begin_consent_by_link(token=token, now=clock.now(), return_path=own)
    except UnableToAuthorize as error:
        messages.error(request, error.user_message)
        return htmx.redirect(request, own)
    if htmx.is_htmx(request):
        return htmx.redirect(request, start_address(address))
    # A form may not lead a browser off this host (form-action 'self'); a link may.
    context = {"system": get_manifest(link.connection.vendor), "address": start_address(address), "back": own}
    return render(request, "customer_portal/connection_continue.html", context)


def _show(request: HttpRequest, link: ConnectLink, form: AccessForm | None) -> HttpResponse:
    manifest = get_manifest(link.connection.vendor)
    context = {"link": link, "form": form, "system": manifest, **what_is_exchanged(manifest)}
    status = 422 if form is not None and form.errors else 200
    return render(request, "customer_portal/connect.html", context, status=status)


def _end(request: HttpRequest, error: ConnectLinkUnusable, token: str) -> HttpResponse:
    """A link that did its work says so, for whoever comes back to it."""
    context: dict[str, object] = {"error": error}
    if error.state == "used":
        connection = find_connect_link(token).connection
        context |= {"connection": connection, "system": get_manifest(connection.vendor)}
    return render(
        request, "customer_portal/connect_end.html", context, status=200 if error.state == "used" else error.status
    )
