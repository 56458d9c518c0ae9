"""Errors as RFC 9457 problem details, for every failure below /api/."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core import correlation
from apps.core.errors import AnticipatedError
from apps.core.ids import MalformedId

CONTENT_TYPE = "application/problem+json"


def problem(status: int, *, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The body of an error: stable `code`, human `detail`, and per-field `errors` for bad input."""
    body: dict[str, Any] = {
        "type": f"urn:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": correlation.request_id(),
    }
    return {**body, "errors": errors} if errors else body


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None lets a bug become the plain 500 of `server_error`."""
    response = _answer(error)
    if response is None:
        return None
    set_rollback()
    response.content_type = CONTENT_TYPE
    return response


def _answer(error: Exception) -> Response | None:
    if isinstance(error, AnticipatedError):
        pointers = [{"pointer": f"/{error.field}", "detail": error.user_message}] if error.field else None
        return _response(error.status, error.code, error.user_message, pointers)
    if isinstance(error, MalformedId | Http404):
        return _response(404, "not_found", "There is nothing at this address, or not for this key.")
    if isinstance(error, PermissionDenied):
        return _response(403, "not_permitted", "This API key may not do this.")
    if isinstance(error, exceptions.ValidationError):
        return _response(400, "invalid", "Some of the input is not valid.", list(_pointers(error.detail)))
    if isinstance(error, exceptions.APIException):
        return _from_framework(error)
    return None


def _from_framework(error: exceptions.APIException) -> Response:
    response = _response(error.status_code, str(error.default_code), str(error.detail))
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        response["WWW-Authenticate"] = getattr(error, "auth_header", "Bearer")
    return response


def _response(status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> Response:
    return Response(problem(status, code=code, detail=detail, errors=errors), status=status)


def _pointers(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _pointers(value, path if key == "non_field_errors" else f"{path}/{key}")
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for index, item in enumerate(detail):
            yield from _pointers(item, f"{path}/{index}")
    else:
        for item in detail if isinstance(detail, list) else [detail]:
            yield {"pointer": path or "/", "code": str(getattr(item, "code", "invalid")), "detail": str(item)}


def problem_page(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    """For what never reaches an endpoint: an unknown address, a bug."""
    return JsonResponse(problem(status, code=code, detail=detail), status=status, content_type=CONTENT_TYPE)
