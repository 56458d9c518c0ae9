from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.connections import of_customer
from apps.canonical.models import CanonicalRecord, CrossReference
from apps.canonical.selectors import search_records
from apps.connectors.sdk.entities import ENTITIES, json_schema
from apps.sync.selectors import get_record, list_records, record_timeline


class CrossReferenceSerializer(serializers.Serializer[CrossReference]):
    connection = PublicIdField("connection", source="connection_id")
    object = serializers.CharField(source="object_name")
    external_id = serializers.CharField()
    url = serializers.CharField()


class RecordSerializer(serializers.Serializer[CanonicalRecord]):
    """`data` follows the entity's schema at `/api/v1/schemas/<entity>`."""

    id = PublicIdField("record")
    customer = PublicIdField("customer", source="customer_id")
    entity = serializers.CharField()
    title = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField()
    cross_references = CrossReferenceSerializer(many=True)


class RecordList(ApiView):
    tag = "Records"
    scopes = {"GET": "records.view"}

    @extend_schema(
        responses=paged(RecordSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            CUSTOMER_PARAMETER,
            OpenApiParameter("entity", str, enum=sorted(ENTITIES)),
            OpenApiParameter("q", str, description="Beginnings of words of the name or number, or an id in a system."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List canonical records with their ids in each system."""
        text = request.query_params.get("q", "")
        rows = of_customer(list_records(self.actor), request)
        entity = self.asked("entity", sorted(ENTITIES))
        rows = rows.filter(entity=entity) if entity else rows
        rows = search_records(rows, text) if text else rows
        return self.list(rows.prefetch_related("cross_references"), RecordSerializer)


class RecordDetail(ApiView):
    tag = "Records"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=RecordSerializer)
    def get(self, request: Request, record_id: UUID) -> Response:
        """Read a canonical record."""
        return Response(RecordSerializer(get_record(self.actor, record_id)).data)


class TimelineEntrySerializer(serializers.Serializer[Any]):
    """One change of the record, or one write of it to a system. `fields` is {field: [before, after]}."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(["changed", "created", "updated", "skipped", "failed", "deleted"])
    system = serializers.CharField()
    fields = serializers.JSONField()  # type: ignore[assignment]
    run = PublicIdField("run", source="run_id", allow_null=True)


class RecordTimeline(ApiView):
    tag = "Records"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=TimelineEntrySerializer(many=True))
    def get(self, request: Request, record_id: UUID) -> Response:
        """The newest hundred things that happened to a record, over all systems."""
        record = get_record(self.actor, record_id)
        return Response(TimelineEntrySerializer(record_timeline(self.actor, record).entries, many=True).data)


class EntitySchema(ApiView):
    tag = "Records"
    scopes = {"GET": "records.view"}

    @extend_schema(responses={200: dict[str, Any]})
    def get(self, request: Request, entity: str) -> Response:
        """The JSON Schema (2020-12) that records of an entity follow."""
        if entity not in ENTITIES:
            raise ValidationError({"entity": [f"Use one of {', '.join(sorted(ENTITIES))}."]})
        return Response(json_schema(entity))
