"""To a vendor's consent page and back. Signature, cookie and single-use state prove the requests; no session is needed."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.access import Audience, requires
from apps.connectors.consents import COOKIE_SECONDS, cookie_name, is_same_browser, read_start
from apps.connectors.registry import get_manifest
from apps.connectors.selectors import find_pending_authorization, find_return_path
from apps.connectors.services import UnableToAuthorize, complete_authorization
from apps.core import clock
from apps.core.actor import ActorKind


@require_GET
@never_cache
@requires(Audience.ANYONE)
def oauth_start(request: HttpRequest) -> HttpResponse:
    """On to the vendor. Whoever is not known to have begun this is told who did: the address may have been passed on to
    somebody who would then give access to a stranger's connection.
    """
    found = read_start(request.GET.get("to", ""))
    if found is None:
        return _tell("This way to the system has expired. Go back and start again.")
    url, state = found
    pending = find_pending_authorization(state)
    if pending is None:
        return _tell("This way to the system has expired. Go back and start again.")
    if (pending.actor_kind, pending.actor_id) == (ActorKind.USER, str(request.user.pk)):
        response: HttpResponse = HttpResponseRedirect(url)
    else:
        context = {"pending": pending, "address": url, "system": get_manifest(pending.connection.vendor)}
        response = render(request, "customer_portal/oauth_start.html", context)
    response.set_cookie(
        cookie_name(state), state, max_age=COOKIE_SECONDS, path="/oauth/", httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response


@require_GET
@never_cache
@requires(Audience.MACHINE)
def oauth_callback(request: HttpRequest) -> HttpResponse:
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    if not is_same_browser(state, request.COOKIES.get(cookie_name(state))):
        # The state is not spent: whoever began may still come back.
        return _tell("This browser did not begin the authorization, or it took longer than ten minutes. Start again.")
    return_path = find_return_path(state)
    try:
        connection = complete_authorization(now=clock.now(), state=state, code=code, error=request.GET.get("error", ""))
    except UnableToAuthorize as error:
        if return_path is None:
            return _tell(error.user_message)
        messages.error(request, error.user_message)
        return HttpResponseRedirect(return_path)
    messages.success(request, f"{connection.name} is connected to {connection.account_name}.")
    response = HttpResponseRedirect(return_path or "/")
    response.delete_cookie(cookie_name(state), path="/oauth/")
    return response


def _tell(text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=400, content_type="text/plain; charset=utf-8")
