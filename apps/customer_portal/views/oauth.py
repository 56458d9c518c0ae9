"""The way back from a vendor's consent page. The single-use state proves the request; it needs no session."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET

from apps.accounts.access import Audience, requires
from apps.connectors.selectors import find_return_path
from apps.connectors.services import UnableToAuthorize, complete_authorization
from apps.core import clock


@require_GET
@requires(Audience.MACHINE)
def oauth_callback(request: HttpRequest) -> HttpResponse:
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    return_path = find_return_path(state)
    try:
        connection = complete_authorization(now=clock.now(), state=state, code=code, error=request.GET.get("error", ""))
    except UnableToAuthorize as error:
        if return_path is None:
            return HttpResponse(f"{error.user_message}\n", status=400, content_type="text/plain; charset=utf-8")
        messages.error(request, error.user_message)
        return HttpResponseRedirect(return_path)
    messages.success(request, f"{connection.name} is connected to {connection.account_name}.")
    return HttpResponseRedirect(return_path or "/")
