"""Mappings that hold for all customers with a system: what is in that layer, where it is in force, publication."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS, paginate
from apps.api.v1.mappings import ObjectChangeSerializer, PublicationSerializer
from apps.core import clock
from apps.flows.layers import as_direction
from apps.flows.models import MappingPublication
from apps.flows.partner_layer import (
    get_publication,
    integrations_of_layer,
    list_publications,
    partner_objects,
    standings,
)
from apps.flows.services import (
    AT_ONCE,
    Publication,
    cancel_publication,
    change_partner_fields,
    start_publication,
)


class PartnerFieldSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="field")
    expression = serializers.CharField(help_text="Empty: the field is left out.")
    changed_at = serializers.DateTimeField()
    changed_by_label = serializers.CharField()


class PartnerObjectSerializer(serializers.Serializer[Any]):
    vendor = serializers.CharField()
    direction = serializers.ChoiceField(choices=["read", "write"])
    object = serializers.CharField(source="object_name")
    entity = serializers.CharField()
    mapping = PartnerFieldSerializer(source="fields", many=True)


class PartnerMappingsSerializer(serializers.Serializer[Any]):
    objects = PartnerObjectSerializer(many=True)


class PartnerChangeSerializer(ObjectChangeSerializer):
    vendor = serializers.CharField(max_length=60)


class StandingSerializer(serializers.Serializer[Any]):
    integration = PublicIdField("integration", source="integration.pk")
    customer = PublicIdField("customer", source="integration.customer_id")
    name = serializers.CharField(source="integration.name")
    environment = serializers.CharField(source="integration.environment.kind")
    in_force = serializers.BooleanField(source="is_current", help_text="Whether its flows do what the layers say.")
    fields_from_partner = serializers.IntegerField(source="from_partner", help_text="That publishing would change.")
    other_fields = serializers.IntegerField(
        source="others", help_text="That would change with them: edited in the integration itself."
    )


class PublicationAskedSerializer(PublicationSerializer):
    integrations = serializers.ListField(child=PublicIdField("integration"), min_length=1, max_length=AT_ONCE)


class CustomerOutcomeSerializer(serializers.Serializer[Any]):
    integration = PublicIdField("integration")
    status = serializers.ChoiceField([str(status) for status in Publication])
    message = serializers.CharField(allow_blank=True)


class ManyPublishedSerializer(serializers.Serializer[MappingPublication]):
    """`done` of `total` integrations had their turn; `outcomes` says what became of each of them, in order."""

    id = PublicIdField("mapping_publication")
    requested_by = serializers.CharField(source="requested_by_label")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    canceled_at = serializers.DateTimeField(allow_null=True)
    stop_reason = serializers.CharField(
        allow_blank=True, help_text="Why the rest was given up: whoever asked may not do it any more."
    )
    total = serializers.IntegerField()
    done = serializers.IntegerField(source="done_count")
    outcomes = serializers.SerializerMethodField()

    @extend_schema_field(CustomerOutcomeSerializer(many=True))
    def get_outcomes(self, publication: MappingPublication) -> list[Any]:
        told = [{**outcome, "integration": UUID(outcome["integration"])} for outcome in publication.outcomes]
        return list(CustomerOutcomeSerializer(told, many=True).data)


class PartnerMappings(ApiView):
    tag = "Integrations"
    scopes = {"GET": "templates.manage", "PUT": "templates.manage"}

    @extend_schema(responses=PartnerMappingsSerializer)
    def get(self, request: Request) -> Response:
        """Read what was changed for all customers with a system."""
        return Response(PartnerMappingsSerializer({"objects": partner_objects()}).data)

    @extend_schema(
        request=PartnerChangeSerializer,
        responses=PartnerMappingsSerializer,
        examples=[
            OpenApiExample(
                "Trim the phone of everybody's HubSpot companies",
                {"vendor": "hubspot", "direction": "read", "object": "companies", "changes": {"phone": "trim(record.phone)"}},
                request_only=True,
            )
        ],
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Change fields of one object for all customers; they are in force once published."""
        given = self.read(PartnerChangeSerializer)
        change_partner_fields(
            actor=self.actor, now=clock.now(), vendor=given["vendor"], direction=as_direction(given["direction"]),
            object_name=given["object"], fields=given["changes"],
        )  # fmt: skip
        return Response(PartnerMappingsSerializer({"objects": partner_objects()}).data)


class PartnerMappingStandings(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.manage"}

    @extend_schema(responses=paged(StandingSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List the integrations that these mappings concern, and whether they are in force there."""
        page, next_cursor = paginate(request, integrations_of_layer(self.actor))
        return Response({"data": StandingSerializer(standings(page), many=True).data, "next_cursor": next_cursor})


class PartnerMappingsPublish(ApiView):
    tag = "Integrations"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(
        request=PublicationAskedSerializer,
        responses={202: ManyPublishedSerializer},
        examples=[
            OpenApiExample(
                "To two customers",
                {"integrations": ["itg_" + "0" * 31 + "1", "itg_" + "0" * 31 + "2"], "note": "Phones without blanks"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Publish the mappings of integrations in the background; what one refuses keeps no other back."""
        given = self.read(PublicationAskedSerializer)
        wanted: list[UUID] = list(dict.fromkeys(given["integrations"]))
        found = {found.pk: found for found in integrations_of_layer(self.actor).filter(pk__in=wanted)}
        if set(wanted) - set(found):
            raise ValidationError({"integrations": ["One of these is not there, or these mappings do not concern it."]})

        def act() -> Response:
            publication = start_publication(
                actor=self.actor, now=clock.now(), integrations=[found[key] for key in wanted], note=given["note"],
                accepted=given["accepted"],
            )  # fmt: skip
            return Response(ManyPublishedSerializer(publication).data, status=202)

        return self.once(act)


class PublicationList(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.manage"}

    @extend_schema(responses=paged(ManyPublishedSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List publications to many integrations, newest first."""
        return self.list(list_publications(self.actor), ManyPublishedSerializer)


class PublicationDetail(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.manage"}

    @extend_schema(responses=ManyPublishedSerializer)
    def get(self, request: Request, publication_id: UUID) -> Response:
        """Watch a publication to many integrations."""
        return Response(ManyPublishedSerializer(get_publication(self.actor, publication_id)).data)


class PublicationCancel(ApiView):
    tag = "Integrations"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=None, responses=ManyPublishedSerializer)
    def post(self, request: Request, publication_id: UUID) -> Response:
        """Leave out those whose turn has not come."""

        def act() -> Response:
            publication = get_publication(self.actor, publication_id)
            stopped = cancel_publication(actor=self.actor, now=clock.now(), publication=publication)
            return Response(ManyPublishedSerializer(stopped).data)

        return self.once(act)
