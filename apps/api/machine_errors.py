"""Errors where only machines call, for what never reaches a view's own answer: problem details, never a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from apps.api.problems import problem_page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, 400, "invalid", "The request is not valid.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, 403, "not_permitted", "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, 404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_page(request, 500, "internal", "Something went wrong on our side. Try again later.")
