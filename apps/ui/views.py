"""Error pages in the brand's look, and the style guide (routed only where DEBUG is on)."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from . import styleguide

log = structlog.get_logger(__name__)


def _error(request: HttpRequest, status: int) -> HttpResponse:
    """Render with the brand if it can be had; an error page must never fail for want of a database."""
    try:
        return render(request, f"{status}.html", status=status)
    except Exception:
        log.exception("ui.error_page_failed", status=status)
        return HttpResponse(render_to_string(f"{status}.html"), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _error(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    response = _error(request, 503)
    response.headers["Retry-After"] = "60"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)


def show_styleguide(request: HttpRequest) -> HttpResponse:
    return render(request, "components/styleguide.html", styleguide.build_context(request))
