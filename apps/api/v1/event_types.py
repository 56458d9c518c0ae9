"""What can happen, told in advance: every event outside subscribers may hear, with its version and schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.events.registry import shared_event_types


class EventTypeSerializer(serializers.Serializer[Any]):
    """`data_schema` is the JSON Schema (2020-12) of the event's `data`; a change that breaks it raises `version`."""

    name = serializers.CharField()
    description = serializers.CharField()
    version = serializers.IntegerField()
    data_schema = serializers.JSONField(source="schema")


class EventTypeList(ApiView):
    tag = "Webhooks"
    scopes = {"GET": "webhooks.view"}

    @extend_schema(responses=EventTypeSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the events that webhooks can be sent for. Keys of a customer see those about customers."""
        told = shared_event_types(for_customers=self.actor.scope is not None)
        return Response(EventTypeSerializer(told, many=True).data)
