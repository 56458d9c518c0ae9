"""The partner's own apps at vendors: whose consent screen people see, and where vendors report changes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.paging import PAGE_PARAMETERS
from apps.connectors.models import OAuthApp
from apps.connectors.selectors import hook_address, list_oauth_apps
from apps.connectors.services import save_oauth_app
from apps.connectors.services.authorizations import redirect_uri
from apps.core import clock
from apps.core.errors import NotVisible

SCOPE = "connectors.manage"


class OAuthAppSerializer(serializers.Serializer[OAuthApp]):
    """The secrets are sealed and never returned."""

    vendor = serializers.CharField()
    client_id = serializers.CharField()
    has_webhook_secret = serializers.SerializerMethodField()
    redirect_uri = serializers.SerializerMethodField(help_text="To enter at the vendor: where consents come back to.")
    webhook_url = serializers.SerializerMethodField(help_text="To enter at the vendor: where it reports changes.")
    updated_at = serializers.DateTimeField()

    def get_has_webhook_secret(self, app: OAuthApp) -> bool:
        return app.sealed_webhook_secret is not None

    def get_redirect_uri(self, app: OAuthApp) -> str:
        return redirect_uri()

    def get_webhook_url(self, app: OAuthApp) -> str:
        return hook_address(app)


class OAuthAppInput(serializers.Serializer[Any]):
    """A secret that is left out stays as it was."""

    client_id = serializers.CharField(max_length=200, allow_blank=True)
    client_secret = serializers.CharField(
        max_length=500, required=False, default="", write_only=True, help_text="Sealed; never returned."
    )
    webhook_secret = serializers.CharField(
        max_length=500, required=False, default="", write_only=True, help_text="Sealed; never returned."
    )


class OAuthAppList(ApiView):
    tag = "Connections"
    scopes = {"GET": SCOPE}

    @extend_schema(responses=paged(OAuthAppSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List the partner's apps at vendors."""
        return self.list(list_oauth_apps(self.actor), OAuthAppSerializer)


class OAuthAppDetail(ApiView):
    tag = "Connections"
    scopes = {"GET": SCOPE, "PUT": SCOPE}

    @extend_schema(responses=OAuthAppSerializer)
    def get(self, request: Request, vendor: str) -> Response:
        """Read the partner's app at a vendor, with the addresses to enter there."""
        app = list_oauth_apps(self.actor).filter(vendor=vendor).first()
        if app is None:
            raise NotVisible("There is no app at this vendor.")
        return Response(OAuthAppSerializer(app).data)

    @extend_schema(request=OAuthAppInput, responses=OAuthAppSerializer)
    def put(self, request: Request, vendor: str) -> Response:
        """Enter the partner's app at a vendor, or change it. Repeating it changes nothing."""
        given = self.read(OAuthAppInput)
        app = save_oauth_app(actor=self.actor, now=clock.now(), vendor=vendor, **given)
        return Response(OAuthAppSerializer(app).data)
