from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.connections import of_customer
from apps.core import clock
from apps.core.actor import Actor
from apps.flows.models import Flow, Integration
from apps.flows.selectors import FLOWS_IN_FORCE, get_flow, get_integration, list_integrations
from apps.flows.services import pause_flow, pause_integration, resume_flow, resume_integration


class FlowSerializer(serializers.ModelSerializer[Flow]):
    id = PublicIdField("flow")
    in_step_until = serializers.DateTimeField(
        allow_null=True, help_text="Up to this instant every change in the source is confirmed in the targets."
    )

    class Meta:
        model = Flow
        fields = ("id", "key", "name", "description", "schedule_seconds", "is_enabled", "paused_at", "in_step_until")


class RoleSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    connection = PublicIdField("connection", source="connection_id")


class IntegrationSerializer(serializers.Serializer[Integration]):
    id = PublicIdField("integration")
    customer = PublicIdField("customer", source="customer_id")
    environment = serializers.CharField(source="environment.kind")
    name = serializers.CharField()
    template = serializers.CharField(source="template_version.template.key")
    template_version = serializers.CharField(source="template_version.number")
    status = serializers.CharField()
    live_at = serializers.DateTimeField(allow_null=True)
    flows = FlowSerializer(many=True)
    roles = RoleSerializer(source="role_bindings", many=True)


def shown(actor: Actor, integration_id: UUID) -> Any:
    integration = get_integration(actor, integration_id)
    prefetch_related_objects([integration], FLOWS_IN_FORCE)
    return IntegrationSerializer(integration).data


class IntegrationList(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.view"}

    @extend_schema(responses=paged(IntegrationSerializer), parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER])
    def get(self, request: Request) -> Response:
        """List deployed integrations with their flows."""
        rows = of_customer(list_integrations(self.actor), request)
        return self.list(rows, IntegrationSerializer)


class IntegrationDetail(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.view"}

    @extend_schema(responses=IntegrationSerializer)
    def get(self, request: Request, integration_id: UUID) -> Response:
        """Read an integration."""
        return Response(shown(self.actor, integration_id))


class FlowPause(ApiView):
    tag = "Integrations"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=None, responses=FlowSerializer)
    def post(self, request: Request, flow_id: UUID) -> Response:
        """Pause one flow of a live integration: its run stops after the page it is at and waits."""

        def act() -> Response:
            flow = pause_flow(actor=self.actor, now=clock.now(), flow=get_flow(self.actor, flow_id))
            return Response(FlowSerializer(flow).data)

        return self.once(act)


class FlowResume(ApiView):
    tag = "Integrations"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=None, responses=FlowSerializer)
    def post(self, request: Request, flow_id: UUID) -> Response:
        """Resume a paused flow: it goes on where it stopped."""

        def act() -> Response:
            flow = resume_flow(actor=self.actor, now=clock.now(), flow=get_flow(self.actor, flow_id))
            return Response(FlowSerializer(flow).data)

        return self.once(act)


class IntegrationPause(ApiView):
    tag = "Integrations"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=None, responses=IntegrationSerializer)
    def post(self, request: Request, integration_id: UUID) -> Response:
        """Pause an integration: its flows stop after the page they are at."""

        def act() -> Response:
            integration = get_integration(self.actor, integration_id)
            pause_integration(actor=self.actor, now=clock.now(), integration=integration)
            return Response(shown(self.actor, integration_id))

        return self.once(act)


class IntegrationResume(ApiView):
    tag = "Integrations"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=None, responses=IntegrationSerializer)
    def post(self, request: Request, integration_id: UUID) -> Response:
        """Resume a paused integration."""

        def act() -> Response:
            integration = get_integration(self.actor, integration_id)
            resume_integration(actor=self.actor, now=clock.now(), integration=integration)
            return Response(shown(self.actor, integration_id))

        return self.once(act)
