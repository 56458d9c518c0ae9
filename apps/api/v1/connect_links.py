"""Mailed links by which somebody at the customer gives access to their own system."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.connectors.models import ConnectLink
from apps.connectors.selectors import get_connection, list_connect_links
from apps.connectors.services import send_connect_link, withdraw_connect_link
from apps.core import clock
from apps.core.visible import get_visible


class ConnectLinkSerializer(serializers.ModelSerializer[ConnectLink]):
    """The address itself is in the mail alone: whoever has it may connect."""

    id = PublicIdField("connect_link")
    connection = PublicIdField("connection", source="connection_id")
    sent_by = serializers.CharField(source="sent_by_label")

    class Meta:
        model = ConnectLink
        fields = ("id", "connection", "email", "message", "sent_by", "created_at", "expires_at", "used_at",
                  "withdrawn_at")  # fmt: skip


class ConnectLinkInput(serializers.Serializer[Any]):
    email = serializers.EmailField(help_text="Whoever gives access at the customer.")
    message = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ConnectLinkList(ApiView):
    tag = "Connections"
    scopes = {"GET": "connections.manage", "POST": "connections.manage"}

    @extend_schema(responses=paged(ConnectLinkSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request, connection_id: UUID) -> Response:
        """List the links that were mailed for a connection, with what became of them."""
        connection = get_connection(self.actor, connection_id)
        return self.list(list_connect_links(self.actor, connection), ConnectLinkSerializer)

    @extend_schema(request=ConnectLinkInput, responses={201: ConnectLinkSerializer})
    def post(self, request: Request, connection_id: UUID) -> Response:
        """Mail a link that connects this connection, for a week. Links sent before stop working."""
        connection, given = get_connection(self.actor, connection_id), self.read(ConnectLinkInput)

        def act() -> Response:
            link = send_connect_link(actor=self.actor, now=clock.now(), connection=connection, **given)
            return Response(ConnectLinkSerializer(link).data, status=201)

        return self.once(act)


class ConnectLinkWithdrawal(ApiView):
    tag = "Connections"
    scopes = {"POST": "connections.manage"}

    @extend_schema(request=None, responses=ConnectLinkSerializer)
    def post(self, request: Request, connection_id: UUID, link_id: UUID) -> Response:
        """Make a link useless. One that did its work stays as it is."""

        def act() -> Response:
            links = list_connect_links(self.actor, get_connection(self.actor, connection_id))
            link = get_visible(links, link_id, "There is no such link.")
            withdrawn = withdraw_connect_link(actor=self.actor, now=clock.now(), link=link)
            return Response(ConnectLinkSerializer(withdrawn).data)

        return self.once(act)
