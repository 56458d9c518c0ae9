"""One view serves the page and its partial. Headers are read here and nowhere else."""

import json

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def is_partial(request: HttpRequest) -> bool:
    """Tell whether only the swap target is wanted: htmx asked, and it is neither a boosted link nor a history restore."""
    return (
        is_htmx(request)
        and request.headers.get("HX-Boosted") != "true"
        and request.headers.get("HX-History-Restore-Request") != "true"
    )


def render_page(
    request: HttpRequest, page: str, partial: str, context: dict[str, object], *, status: int = 200
) -> HttpResponse:
    """Render the partial for htmx and the whole page otherwise; caches must keep the two apart."""
    response = render(request, partial if is_partial(request) else page, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect the whole browser, also when htmx asked."""
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def trigger(response: HttpResponse, event: str, detail: dict[str, object] | None = None) -> HttpResponse:
    """Add a client event to the response, keeping those already there."""
    events: dict[str, object] = json.loads(response.headers.get("HX-Trigger", "{}"))
    events[event] = detail or {}
    response.headers["HX-Trigger"] = json.dumps(events)
    return response
