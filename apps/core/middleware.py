"""Request id and security headers, for every answer including errors and unknown hosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

from apps.core import correlation

GetResponse = Callable[[HttpRequest], HttpResponse]

# style-src has no 'unsafe-inline': boxes are sized by class, brand colours come from /theme.<hash>.css.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class RequestIdMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = correlation.begin(request.headers.get("X-Request-Id", ""))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=identifier)
        response = self.get_response(request)
        response["X-Request-Id"] = identifier
        return response


class SecurityHeadersMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", _POLICY)
        response.setdefault("Referrer-Policy", "same-origin")
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("X-Frame-Options", "DENY")
        response.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class NullCharacterMiddleware:
    """Refuses addresses, cookies and forms with a null character: no text in the database can hold one, so none leads anywhere."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return _bad_request()
        # Quoted cookies spell it in octal digits, and a session is looked up by what its cookie says.
        if any("\x00" in value for value in request.COOKIES.values()):
            return _bad_request()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Forms of our own pages, which are read for their CSRF token anyway; what others send is left as it came."""
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        if any("\x00" in part for name, values in request.POST.lists() for part in (name, *values)):
            return _bad_request()
        return None


def _bad_request() -> HttpResponse:
    return HttpResponse("Bad request\n", status=400, content_type="text/plain; charset=utf-8")
