"""Mappings of an integration: what is in the layers now, changed fields, publication."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.core import clock
from apps.flows.layers import as_direction, differs, draft_mappings, mapped_objects, published_mappings
from apps.flows.models import Integration
from apps.flows.selectors import get_integration
from apps.flows.services import publish_mappings, save_mapping


class MappedFieldSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    expression = serializers.CharField(help_text="Empty: the field is left out.")
    layer = serializers.ChoiceField(choices=["connector", "template", "partner", "customer"])


class MappedObjectSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    direction = serializers.ChoiceField(choices=["read", "write"])
    object = serializers.CharField(source="object_name")
    entity = serializers.CharField()
    mapping = MappedFieldSerializer(source="sources", many=True)


class MappingsSerializer(serializers.Serializer[Any]):
    is_published = serializers.BooleanField(help_text="Whether the flows do what the layers say.")
    objects = MappedObjectSerializer(many=True)


class ObjectChangeSerializer(serializers.Serializer[Any]):
    """Fields of one object that a layer is to say otherwise."""

    direction = serializers.ChoiceField(choices=["read", "write"])
    object = serializers.CharField(max_length=60)
    changes = serializers.DictField(
        child=serializers.CharField(allow_null=True, allow_blank=True, max_length=2048),
        help_text="Expressions by field; an empty one leaves the field out, null brings back the layer below.",
    )


class MappingChangeSerializer(ObjectChangeSerializer):
    role = serializers.CharField(max_length=30)


class PublicationSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    accepted = serializers.BooleanField(
        required=False, default=False, help_text="Publish even where sample records would be refused."
    )


def _told(integration: Integration) -> dict[str, Any]:
    changed = differs(published_mappings(integration), draft_mappings(integration))
    return dict(MappingsSerializer({"is_published": not changed, "objects": mapped_objects(integration)}).data)


class IntegrationMappings(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.manage", "PUT": "integrations.manage"}

    @extend_schema(responses=MappingsSerializer)
    def get(self, request: Request, integration_id: UUID) -> Response:
        """Read the mappings of an integration, each field with the layer it comes from."""
        return Response(_told(get_integration(self.actor, integration_id)))

    @extend_schema(request=MappingChangeSerializer, responses=MappingsSerializer)
    def put(self, request: Request, integration_id: UUID) -> Response:
        """Change fields of one object in the customer's layer; they are in force once published."""
        integration = get_integration(self.actor, integration_id)
        given = self.read(MappingChangeSerializer)
        save_mapping(
            actor=self.actor, now=clock.now(), integration=integration, fields=given["changes"],
            place=(given["role"], as_direction(given["direction"]), given["object"]),
        )  # fmt: skip
        return Response(_told(integration))


class IntegrationMappingsPublish(ApiView):
    tag = "Integrations"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=PublicationSerializer, responses=MappingsSerializer)
    def post(self, request: Request, integration_id: UUID) -> Response:
        """Publish the mappings into a new version of every flow; refused when sample records would be (`accepted`)."""

        def act() -> Response:
            integration = get_integration(self.actor, integration_id)
            given = self.read(PublicationSerializer)
            publish_mappings(actor=self.actor, now=clock.now(), integration=integration, **given)
            return Response(_told(integration))

        return self.once(act)
