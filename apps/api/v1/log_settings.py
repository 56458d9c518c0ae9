"""What the log keeps: times by class and outcome, hidden fields, and systems whose values are never kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import PublicIdField
from apps.connectors.selectors import get_connection
from apps.core import clock
from apps.sync.models import LogSettings
from apps.sync.retention import MOST_DAYS, days_of
from apps.sync.services import keep_connection_payloads, update_log_settings
from apps.sync.services.keeping import MOST_RULES, find_log_settings, keeps_payloads_of

TAG, SCOPES = "Log", {"GET": "security.manage", "PATCH": "security.manage", "PUT": "security.manage"}


class OutcomeDaysSerializer(serializers.Serializer[Any]):
    success = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)
    failure = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)


class KeptDaysSerializer(serializers.Serializer[Any]):
    """Days that each class is kept, apart for what went well and what failed; runs for 70 at least."""

    payloads = OutcomeDaysSerializer(required=False)
    records = OutcomeDaysSerializer(required=False)
    calls = OutcomeDaysSerializer(required=False)
    runs = OutcomeDaysSerializer(required=False)


class LogSettingsSerializer(serializers.Serializer[Any]):
    """`hidden_fields` such as `email`, `*phone*`, `contact.name`: their values are never written."""

    keeps_payloads = serializers.BooleanField()
    hidden_fields = serializers.ListField(child=serializers.CharField(max_length=80), max_length=MOST_RULES)
    days = KeptDaysSerializer()
    connections_without_payloads = serializers.ListField(
        child=PublicIdField("connection"), read_only=True, help_text="Changed at the connection."
    )


class KeptPayloadsSerializer(serializers.Serializer[Any]):
    keeps_payloads = serializers.BooleanField()


def shown(kept: LogSettings) -> Any:
    return LogSettingsSerializer(
        {
            "keeps_payloads": kept.keeps_payloads, "hidden_fields": kept.hidden_fields, "days": days_of(kept.days),
            "connections_without_payloads": kept.payload_free_connections,
        }
    ).data  # fmt: skip


class LogSettingsDetail(ApiView):
    tag = TAG
    scopes = SCOPES

    @extend_schema(responses=LogSettingsSerializer)
    def get(self, request: Request) -> Response:
        """Read what the log keeps, and for how long."""
        return Response(shown(find_log_settings()))

    @extend_schema(
        request=LogSettingsSerializer,
        responses=LogSettingsSerializer,
        examples=[
            OpenApiExample(
                "Hide personal data; values of what went well go after a week",
                {"hidden_fields": ["email", "*phone*"], "days": {"payloads": {"success": 7}}}, request_only=True,
            ),
            OpenApiExample("Keep no values at all", {"keeps_payloads": False}, request_only=True),
        ],
    )  # fmt: skip
    def patch(self, request: Request) -> Response:
        """Change what is named; it holds for what is logged from now on, and what is too old goes shortly."""
        given = LogSettingsSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        saved = update_log_settings(actor=self.actor, now=clock.now(), **given.validated_data)
        return Response(shown(saved))


class ConnectionPayloads(ApiView):
    tag = TAG
    scopes = SCOPES

    @extend_schema(responses=KeptPayloadsSerializer)
    def get(self, request: Request, connection_id: UUID) -> Response:
        """Whether field values of what this connection reads and writes are kept in the log."""
        connection = get_connection(self.actor, connection_id)
        return Response({"keeps_payloads": keeps_payloads_of(connection.pk)})

    @extend_schema(request=KeptPayloadsSerializer, responses=KeptPayloadsSerializer)
    def put(self, request: Request, connection_id: UUID) -> Response:
        """Keep them or not, from now on. Where the log keeps none at all, none of this connection's are kept either."""
        connection, given = get_connection(self.actor, connection_id), self.read(KeptPayloadsSerializer)
        keep_connection_payloads(
            actor=self.actor, now=clock.now(), connection=connection, is_kept=given["keeps_payloads"]
        )
        return Response({"keeps_payloads": keeps_payloads_of(connection.pk)})
