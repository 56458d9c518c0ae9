from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_tenants.utils import get_public_schema_name

from apps.accounts.access import Audience, find_actor
from apps.core.planes import current_schema

GetResponse = Callable[[HttpRequest], HttpResponse]


class TimeZoneMiddleware:
    """Render times in the signed-in person's zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        zone = user.time_zone if user is not None and user.is_authenticated else "UTC"
        with timezone.override(ZoneInfo(zone)):
            return self.get_response(request)


class AccountFrameMiddleware:
    """Show the pages below /accounts/ in the portal the signed-in person works in.

    They belong to no portal, and the sign-in library's know nothing of actors: both are set here.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/accounts/") and request.user.is_authenticated:
            self._frame(request)
        return self.get_response(request)

    def _frame(self, request: HttpRequest) -> None:
        in_public = current_schema() == get_public_schema_name()
        frames = [(Audience.OPERATOR, "backoffice")] if in_public else _PARTNER_FRAMES
        for audience, frame in frames:
            actor = find_actor(audience, request)
            if actor is not None:
                request.actor = actor  # type: ignore[attr-defined]
                request.ui_audience = frame  # type: ignore[attr-defined]
                return


_PARTNER_FRAMES = [(Audience.STAFF, "partner_portal"), (Audience.CUSTOMER, "customer_portal")]
