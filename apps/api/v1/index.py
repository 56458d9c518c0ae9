"""Where somebody who tries a key out begins."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.permissions import ANY_SCOPE


class IndexSerializer(serializers.Serializer[Any]):
    docs = serializers.URLField(help_text="The reference, to be read.")
    openapi = serializers.URLField(help_text="The description for programs, OpenAPI 3.1.")
    key = serializers.CharField(help_text="What the key is called.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="What the key may do.")


class ApiIndex(ApiView):
    tag = "API"
    scopes = {"GET": ANY_SCOPE}

    @extend_schema(responses=IndexSerializer)
    def get(self, request: Request) -> Response:
        """See what the key may do, and where everything is described."""
        links = {name: request.build_absolute_uri(reverse(f"api:{name}")) for name in ("docs", "openapi")}
        return Response(
            IndexSerializer({**links, "key": self.actor.label, "scopes": sorted(self.actor.permissions)}).data
        )
