"""What starts a flow: the choices with calls, cost and delay from the flow's own history, and choosing one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import PublicIdField
from apps.core import clock
from apps.flows.models import VersionStatus
from apps.flows.selectors import get_flow, get_integration
from apps.flows.services import change_starts
from apps.flows.states import starts_of
from apps.sync.estimates import CHOICES
from apps.sync.schedules import chosen_starts, schedule_choices

KEYS = [choice.key for choice in CHOICES]


class EstimateSerializer(serializers.Serializer[Any]):
    """`quota_percent` is of the scarcest daily quota; null where no system has one. `amount`: minor units a month by the
    plan; null without a plan."""

    choice = serializers.ChoiceField(KEYS, source="choice.key")
    label = serializers.CharField(source="choice.label")  # type: ignore[assignment]
    runs_per_day = serializers.IntegerField()
    calls_per_day = serializers.IntegerField()
    quota_percent = serializers.FloatField(allow_null=True)
    quota_system = serializers.CharField()
    amount = serializers.IntegerField(allow_null=True)
    delay_p50_seconds = serializers.IntegerField()
    delay_p95_seconds = serializers.IntegerField()


class BasisSerializer(serializers.Serializer[Any]):
    """The flow's last two weeks, which the numbers come from; zeros where it has no history."""

    runs = serializers.IntegerField()
    days = serializers.FloatField()
    changes_per_day = serializers.FloatField()
    calls_per_idle_run = serializers.FloatField()
    calls_per_change = serializers.FloatField()
    run_seconds = serializers.FloatField()


class FlowScheduleSerializer(serializers.Serializer[Any]):
    flow = PublicIdField("flow", source="flow.pk")
    name = serializers.CharField(source="flow.name")
    chosen = serializers.CharField(help_text="The choice it has now; empty when it is none of them.", allow_blank=True)
    triggers = serializers.SerializerMethodField()
    basis = BasisSerializer()
    estimates = EstimateSerializer(many=True)

    def get_triggers(self, row: Any) -> list[dict[str, Any]]:
        return starts_of(row.flow.current_version.definition)


class ScheduleSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    flows = FlowScheduleSerializer(many=True)


class ScheduleInput(serializers.Serializer[Any]):
    """Either one of the choices, or the triggers themselves as the flow language writes them."""

    choice = serializers.ChoiceField(KEYS, required=False)
    triggers = serializers.ListField(child=serializers.DictField(), required=False, min_length=1, max_length=20)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise ValidationError({"choice": ["Give either a choice or triggers."]})
        return attrs


class ScheduleDetail(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.manage"}

    @extend_schema(responses=ScheduleSerializer)
    def get(self, request: Request, integration_id: UUID) -> Response:
        """Real time or scheduled in numbers: what each choice means for each flow in calls, cost and delay."""
        integration = get_integration(self.actor, integration_id)
        return Response(ScheduleSerializer(schedule_choices(integration, clock.now())).data)


class FlowSchedule(ApiView):
    tag = "Integrations"
    scopes = {"PUT": "integrations.manage"}

    @extend_schema(
        request=ScheduleInput,
        responses={
            200: FlowScheduleSerializer,
            202: OpenApiResponse(FlowScheduleSerializer, "Kept as a draft; a second person publishes it."),
        },
        examples=[
            OpenApiExample("Every hour", {"choice": "60"}, request_only=True),
            OpenApiExample(
                "Workdays at six, and by hand", {"triggers": [{"cron": "0 6 * * 1-5"}, {"manual": True}]},
                request_only=True,
            ),
        ],
    )  # fmt: skip
    def put(self, request: Request, flow_id: UUID) -> Response:
        """Choose what starts the flow. A new version of the integration has it."""
        flow, given = get_flow(self.actor, flow_id), self.read(ScheduleInput)
        integration = get_integration(self.actor, flow.integration_id)
        starts = given.get("triggers") or chosen_starts(flow, given.get("choice", ""))[1]
        made = change_starts(
            actor=self.actor, now=clock.now(), integration=integration, starts={flow.key: starts},
            note=f"{flow.name}: schedule"[:200],
        )  # fmt: skip
        rows = schedule_choices(integration, clock.now()).flows
        answer = FlowScheduleSerializer(next(row for row in rows if row.flow.pk == flow.pk)).data
        return Response(answer, status=200 if made.status == VersionStatus.PUBLISHED else 202)
