"""Where vendors report changes: `POST /hooks/<token>/`. The signature proves the sender; the answer has no body."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.access import Audience, requires
from apps.api.problems import CONTENT_TYPE, problem
from apps.connectors.sdk.webhooks import ForgedWebhook, InvalidDelivery
from apps.connectors.services import UnknownHook, accept_handshake, hook_status, receive_delivery
from apps.core import clock

MAX_BODY_BYTES = 1024 * 1024
# What a first call carries, with the vendors that have one; other deliveries are spared the look-up.
HANDSHAKE = "x-hook-secret"


@csrf_exempt
@requires(Audience.MACHINE)
def receive_hook(request: HttpRequest, token: str) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if not 0 <= _length(request) <= MAX_BODY_BYTES:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    # The address as registered at the vendor: some sign it, and a proxy may have changed the scheme on the way.
    url = f"{settings.PLATFORM_SCHEME}://{request.get_host()}{request.get_full_path()}"
    try:
        agreed = accept_handshake(token=token, headers=headers, now=clock.now()) if HANDSHAKE in headers else None
        if agreed is not None:
            return HttpResponse(status=200, headers=agreed)
        receive_delivery(token=token, headers=headers, body=request.body, url=url, now=clock.now())
    except UnknownHook:
        return HttpResponse("Not found\n", status=404, content_type="text/plain; charset=utf-8")
    except ForgedWebhook:
        return HttpResponse(status=401)
    except InvalidDelivery as error:
        pointers = [{"pointer": f"/{error.place.replace('.', '/')}" if error.place else "", "detail": error.reason}]
        body = problem(422, code="invalid_delivery", detail=str(error), errors=pointers)
        return JsonResponse(body, status=422, content_type=CONTENT_TYPE)
    return HttpResponse(status=hook_status(token))


def _length(request: HttpRequest) -> int:
    """The announced length; a body of unknown length is not read at all."""
    try:
        return int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return -1
