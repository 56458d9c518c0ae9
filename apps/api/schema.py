"""How the OpenAPI 3.1 description is made from the endpoints."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.api.examples import EXAMPLES

PROBLEM_STATUSES = {
    "400": "Bad input, with a pointer to each field.",
    "401": "No valid API key.",
    "403": "The key lacks the scope.",
    "404": "Not there, or not for this key.",
    "409": "The state has moved on.",
    "422": "The Idempotency-Key was used for another request.",
}


class ProblemErrorSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="JSON pointer to the field.")
    code = serializers.CharField(required=False)
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; decide by this.")
    detail = serializers.CharField(help_text="What happened and what to do.")
    request_id = serializers.CharField(help_text="Quote it when asking for help.")
    errors = ProblemErrorSerializer(many=True, required=False)  # type: ignore[assignment]


@cache
def _list_paths() -> frozenset[str]:
    # By name: the framework loads this module before there are endpoints.
    patterns = import_module("apps.api.v1.urls").urlpatterns
    paths = ["/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(url.pattern)) for url in patterns]
    return frozenset(path.rpartition("/")[0] for path in paths if path.endswith("}"))


class ApiSchema(AutoSchema):
    """Adds what all endpoints share: problem answers, paging parameters, the idempotency header, the scope."""

    def get_operation_id(self) -> str:
        """`customers_list` beside `customers_retrieve`: what is read where single ones lie below it is a list."""
        name = str(super().get_operation_id())
        return name.removesuffix("_retrieve") + "_list" if self.path in _list_paths() and self.method == "GET" else name

    def get_description(self) -> str:  # type: ignore[override]
        scope = getattr(self.view, "scopes", {}).get(self.method, "")
        text = super().get_description()
        return f"{text}\n\nScope: `{scope}`" if scope else str(text)

    def get_override_parameters(self) -> list[Any]:
        if self.method == "POST":
            return [OpenApiParameter("Idempotency-Key", str, "header", description="Makes a repeat harmless for 24 h.")]
        return []

    def get_examples(self) -> list[OpenApiExample]:
        """The body of a request, where the endpoint has none of its own."""
        if self.method not in ("POST", "PUT", "PATCH"):
            return []
        found = self.get_request_serializer()
        kind = found if isinstance(found, type) else type(found)
        value = EXAMPLES.get(kind.__name__)
        return [] if value is None else [OpenApiExample("Example", value, request_only=True)]

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "API")]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, description in PROBLEM_STATUSES.items():
            if (status == "404" and "{" not in self.path) or (status in {"409", "422"} and self.method != "POST"):
                continue
            answer = OpenApiResponse(ProblemSerializer, description=description)
            bodies[status] = self._get_response_for_code(answer, status, media_types=["application/problem+json"])  # type: ignore[no-untyped-call]
        return bodies
