"""A customer's integrations as a text: export, plan, apply; and promotion from sandbox to production."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.core import clock
from apps.customers.models import Environment, EnvironmentKind
from apps.customers.selectors import get_customer, get_environment
from apps.flows.configuration import export_environment
from apps.flows.selectors import get_integration
from apps.flows.services.configuration import apply_configuration
from apps.flows.services.planning import Planned, plan_configuration
from apps.flows.services.promotion import UnableToPromote, plan_promotion, promote_integration

ENVIRONMENT = OpenApiParameter("environment", str, enum=list(EnvironmentKind.values))


class DetailSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class PlannedSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(["create", "change", "remove", "same"])
    name = serializers.CharField()
    details = DetailSerializer(many=True)
    problems = serializers.ListField(child=serializers.CharField())


class PlanSerializer(serializers.Serializer[Any]):
    is_empty = serializers.BooleanField(help_text="Whether there is nothing to do.")
    integrations = PlannedSerializer(source="entries", many=True)


class ConfigurationSerializer(serializers.Serializer[Any]):
    yaml = serializers.CharField()


class ConfigurationInput(serializers.Serializer[Any]):
    yaml = serializers.CharField(trim_whitespace=False, max_length=200_000)


class ApplyInput(ConfigurationInput):
    with_removals = serializers.BooleanField(
        default=False, help_text="Retire integrations that the text does not name; otherwise they are left alone."
    )


def _place(view: ApiView, customer_id: UUID) -> Environment:
    kind = view.asked("environment", EnvironmentKind.values) or EnvironmentKind.PRODUCTION
    return get_environment(get_customer(view.actor, customer_id), EnvironmentKind(kind))


class CustomerConfiguration(ApiView):
    tag = "Configuration"
    scopes = {"GET": "integrations.manage"}

    @extend_schema(responses=ConfigurationSerializer, parameters=[ENVIRONMENT])
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Export all integrations of a customer's environment as YAML."""
        return Response({"yaml": export_environment(_place(self, customer_id))})


class ConfigurationPlanned(ApiView):
    tag = "Configuration"
    scopes = {"POST": "integrations.manage"}
    body_names = {"source": "yaml"}

    @extend_schema(request=ConfigurationInput, responses=PlanSerializer, parameters=[ENVIRONMENT])
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Show what applying a text would create, change and remove; nothing is done."""
        place = _place(self, customer_id)
        given = self.read(ConfigurationInput)
        return Response(
            PlanSerializer(plan_configuration(actor=self.actor, text=given["yaml"], environment=place)).data
        )


class ConfigurationApplied(ApiView):
    tag = "Configuration"
    scopes = {"POST": "integrations.manage"}
    body_names = {"source": "yaml"}

    @extend_schema(request=ApplyInput, responses=PlanSerializer, parameters=[ENVIRONMENT])
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Make the integrations what the text says, all of it or nothing; again changes nothing."""

        def act() -> Response:
            place = _place(self, customer_id)
            given = self.read(ApplyInput)
            plan = apply_configuration(
                actor=self.actor, now=clock.now(), text=given["yaml"], environment=place,
                with_removals=given["with_removals"],
            )  # fmt: skip
            return Response(PlanSerializer(plan).data)

        return self.once(act)


class IntegrationPromotion(ApiView):
    tag = "Configuration"
    scopes = {"GET": "integrations.manage", "POST": "integrations.manage"}

    @extend_schema(responses=PlannedSerializer)
    def get(self, request: Request, integration_id: UUID) -> Response:
        """Show what production would get of an integration in the sandbox, or what stands against it."""
        integration = get_integration(self.actor, integration_id)
        try:
            entry = plan_promotion(actor=self.actor, integration=integration)
        except UnableToPromote as error:
            entry = Planned("same", integration.name, problems=[error.user_message])
        return Response(PlannedSerializer(entry).data)

    @extend_schema(request=None, responses=PlannedSerializer)
    def post(self, request: Request, integration_id: UUID) -> Response:
        """Make production what the sandbox is, and live; systems go by vendor and name."""

        def act() -> Response:
            integration = get_integration(self.actor, integration_id)
            entry = plan_promotion(actor=self.actor, integration=integration)
            promote_integration(actor=self.actor, now=clock.now(), integration=integration)
            return Response(PlannedSerializer(entry).data)

        return self.once(act)
