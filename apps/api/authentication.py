"""`Authorization: Bearer pk_…` becomes the actor of the request."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.accounts.services import authenticate_api_key
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError

_SCHEME = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """`request.user` is the `Actor`; cookies are never looked at, so there is nothing to forge across sites."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
        if scheme != _SCHEME:
            return None
        try:
            return authenticate_api_key(raw.strip(), clock.now()), None
        except AnticipatedError as error:
            raise AuthenticationFailed(error.user_message) from error

    def authenticate_header(self, request: Request) -> str:
        return _SCHEME


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apps.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key from the partner's settings."}
