"""What holds for all customers as a text: export, plan, apply."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.v1.configuration import ConfigurationInput, ConfigurationSerializer, DetailSerializer
from apps.core import clock
from apps.flows.services.partner_configuration import apply_partner, export_partner, plan_partner

EXAMPLE = OpenApiExample(
    "At most two runs at a system, and every customer's HubSpot read alike",
    {
        "yaml": "kind: partner\nlimits:\n  per_connection: 2\nmappings:\n  hubspot:\n    read:\n      companies:\n"
        "        name: trim(record.properties.name)\n"
    },
    request_only=True,
)


class PartPlannedSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(["change", "same"])
    part = serializers.CharField(source="section.key")
    name = serializers.CharField()
    details = DetailSerializer(many=True)
    problems = serializers.ListField(child=serializers.CharField())


class PartnerPlanSerializer(serializers.Serializer[Any]):
    is_empty = serializers.BooleanField(help_text="Whether there is nothing to do.")
    parts = PartPlannedSerializer(source="entries", many=True)


class PartnerConfiguration(ApiView):
    tag = "Configuration"
    scopes = {"GET": "templates.manage"}

    @extend_schema(responses=ConfigurationSerializer)
    def get(self, request: Request) -> Response:
        """Export what holds for all customers as YAML: mappings, match rules, business exceptions, limits, log, releases.

        Only parts that the key may change are in it.
        """
        return Response({"yaml": export_partner(self.actor)})


class PartnerConfigurationPlanned(ApiView):
    tag = "Configuration"
    scopes = {"POST": "templates.manage"}
    body_names = {"source": "yaml"}

    @extend_schema(request=ConfigurationInput, responses=PartnerPlanSerializer, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Show what applying a text would change for all customers; nothing is done. Parts it does not name stay."""
        given = self.read(ConfigurationInput)
        plan = plan_partner(actor=self.actor, now=clock.now(), text=given["yaml"])
        return Response(PartnerPlanSerializer(plan).data)


class PartnerConfigurationApplied(ApiView):
    tag = "Configuration"
    scopes = {"POST": "templates.manage"}
    body_names = {"source": "yaml"}

    @extend_schema(request=ConfigurationInput, responses=PartnerPlanSerializer, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Make every part that the text names what it says, all of it or nothing; again changes nothing.

        Changed mappings are in force once they are published into the integrations (`POST /partner-mappings/publish`).
        """

        def act() -> Response:
            given = self.read(ConfigurationInput)
            plan = apply_partner(actor=self.actor, now=clock.now(), text=given["yaml"])
            return Response(PartnerPlanSerializer(plan).data)

        return self.once(act)
