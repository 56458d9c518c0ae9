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
from apps.api.paging import PAGE_PARAMETERS
from apps.api.v1.logs import PLACE_PARAMETERS, asked_choices, asked_places
from apps.canonical.models import Entity
from apps.core import clock
from apps.core.actor import Actor
from apps.flows.models import Flow
from apps.flows.selectors import get_flow
from apps.sync.explorer import LogFilters, find_runs
from apps.sync.models import ErrorClass, RecordLog, RunLimits, RunStatus, RunStep, RunTrigger, SyncRun
from apps.sync.selectors import get_run, list_record_logs, run_progress
from apps.sync.services import cancel_run, continue_run, load_limits, save_limits, start_run
from apps.sync.services.limits import FIELDS
from apps.sync.services.scoped_runs import start_backfill, start_record_run, start_refresh


class RunSerializer(serializers.ModelSerializer[SyncRun]):
    id = PublicIdField("run")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")
    version = serializers.IntegerField(source="flow_version.number", help_text="Of the flow.")
    triggered_by = serializers.CharField(source="triggered_by_label", help_text="Empty: nobody, it started by itself.")

    class Meta:
        model = SyncRun
        fields = ("id", "customer", "flow", "version", "trigger", "triggered_by", "status", "queued_at", "started_at", "finished_at", "read_count",
                  "created_count", "updated_count", "unchanged_count", "skipped_count", "failed_count", "call_count",
                  "byte_count", "expected_count", "held_by", "guard", "resume_at", "scope", "warning", "error_class",
                  "error_message")  # fmt: skip


class RunStepSerializer(serializers.Serializer[RunStep]):
    label = serializers.CharField()  # type: ignore[assignment]
    status = serializers.ChoiceField(RunStatus.choices)
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class RunDetailSerializer(RunSerializer):
    """A run as it goes. The remaining time is known where the systems tell how many records there are."""

    seconds = serializers.FloatField(source="progress.seconds", help_text="Since it began.")
    records_per_second = serializers.FloatField(source="progress.per_second")
    remaining_seconds = serializers.FloatField(source="progress.eta_seconds", allow_null=True)
    steps = RunStepSerializer(many=True, source="ordered_steps")

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "seconds", "records_per_second", "remaining_seconds", "steps")  # type: ignore[assignment]


class RunInput(serializers.Serializer[Any]):
    """Without `read` a run reads what is new."""

    flow = PublicIdField("flow")
    read = serializers.ChoiceField(
        ["new", "everything", "period", "record"], default="new",
        help_text="`everything` again, what changed in a `period`, or one `record`.",
    )  # fmt: skip
    first_day = serializers.DateField(required=False, help_text="Of the period, in UTC.")
    last_day = serializers.DateField(required=False, help_text="Of the period, included.")
    stream = serializers.CharField(required=False, max_length=80, help_text="Of the record: `role:stream`.")
    external_id = serializers.CharField(required=False, max_length=120, help_text="The record's id in that system.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = {"period": ("first_day", "last_day"), "record": ("stream", "external_id")}.get(attrs["read"], ())
        missing = {name: ["This field is required."] for name in needed if name not in attrs}
        if missing:
            raise ValidationError(missing)
        return attrs


class RunRecordSerializer(serializers.Serializer[RecordLog]):
    """What the run did with one record at one system."""

    at = serializers.DateTimeField()
    direction = serializers.ChoiceField(["read", "write"])
    connection = PublicIdField("connection", source="connection_id")
    object = serializers.CharField(source="object_name")
    entity = serializers.CharField()
    action = serializers.CharField()
    record = PublicIdField("record", source="record_id", allow_null=True)
    external_id = serializers.CharField()
    title = serializers.CharField()
    changed_fields = serializers.ListField(child=serializers.CharField())
    attempts = serializers.IntegerField()
    latency_ms = serializers.IntegerField(allow_null=True)


class RunList(ApiView):
    tag = "Runs"
    scopes = {"GET": "runs.view", "POST": "runs.start"}

    @extend_schema(
        responses=paged(RunSerializer),
        parameters=[
            *PLACE_PARAMETERS,
            OpenApiParameter("status", str, many=True, enum=RunStatus.values),
            OpenApiParameter("trigger", str, many=True, enum=RunTrigger.values),
            OpenApiParameter("error_class", str, many=True, enum=ErrorClass.values),
            OpenApiParameter("entity", str, many=True, enum=Entity.values, description="Runs that met such records."),
        ],
    )
    def get(self, request: Request) -> Response:
        """Search runs, newest first."""
        asked = LogFilters(
            **asked_places(request),
            states=asked_choices(request, "status", RunStatus.values),
            triggers=asked_choices(request, "trigger", RunTrigger.values),
            error_classes=asked_choices(request, "error_class", ErrorClass.values),
            entities=asked_choices(request, "entity", Entity.values),
        )
        rows = find_runs(self.actor, asked).select_related("flow_version")
        return self.list(rows.order_by("-id"), RunSerializer)

    @extend_schema(request=RunInput, responses={202: RunSerializer})
    def post(self, request: Request) -> Response:
        """Start a run of a flow. Watch it at its own address."""
        given = self.read(RunInput)

        def act() -> Response:
            flow = get_flow(self.actor, given["flow"])
            run = _start(self.actor, flow, given)
            return Response(RunSerializer(run).data, status=202)

        return self.once(act)


def _start(actor: Actor, flow: Flow, given: dict[str, Any]) -> SyncRun:
    now = clock.now()
    if given["read"] == "everything":
        return start_refresh(actor=actor, now=now, flow=flow)
    if given["read"] == "period":
        days = {"first_day": given["first_day"], "last_day": given["last_day"]}
        return start_backfill(actor=actor, now=now, flow=flow, **days)
    if given["read"] == "record":
        wanted = {"source": given["stream"], "external_id": given["external_id"]}
        return start_record_run(actor=actor, now=now, flow=flow, **wanted)
    return start_run(actor=actor, now=now, flow=flow, trigger=RunTrigger.API)


class RunDetail(ApiView):
    tag = "Runs"
    scopes = {"GET": "runs.view"}

    @extend_schema(responses=RunDetailSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Watch a run: its status, steps and counts so far, how fast it goes and how long it will take."""
        run: Any = get_run(self.actor, run_id)
        run.progress, run.ordered_steps = run_progress(run, clock.now()), run.steps.order_by("position")
        return Response(RunDetailSerializer(run).data)


class RunCancel(ApiView):
    tag = "Runs"
    scopes = {"POST": "runs.start"}

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Ask a run to stop after its current page."""

        def act() -> Response:
            run = cancel_run(actor=self.actor, now=clock.now(), run=get_run(self.actor, run_id))
            return Response(RunSerializer(run).data, status=202)

        return self.once(act)


class RunContinue(ApiView):
    tag = "Runs"
    scopes = {"POST": "runs.start"}

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Let a run go on that a guard stopped; that guard stops it no more."""

        def act() -> Response:
            run = continue_run(actor=self.actor, now=clock.now(), run=get_run(self.actor, run_id))
            return Response(RunSerializer(run).data, status=202)

        return self.once(act)


class RunLimitsSerializer(serializers.ModelSerializer[RunLimits]):
    class Meta:
        model = RunLimits
        fields = FIELDS


class RunLimitsDetail(ApiView):
    tag = "Runs"
    scopes = {"GET": "runs.view", "PATCH": "integrations.manage"}

    @extend_schema(responses=RunLimitsSerializer)
    def get(self, request: Request) -> Response:
        """Read how much runs may do at once, and when they stop and ask."""
        return Response(RunLimitsSerializer(load_limits()).data)

    @extend_schema(request=RunLimitsSerializer, responses=RunLimitsSerializer)
    def patch(self, request: Request) -> Response:
        """Change the limits; runs that begin later keep to them."""
        given = RunLimitsSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        limits = save_limits(actor=self.actor, now=clock.now(), values=dict(given.validated_data))
        return Response(RunLimitsSerializer(limits).data)


class RunRecordList(ApiView):
    tag = "Runs"
    scopes = {"GET": "runs.view"}

    @extend_schema(responses=paged(RunRecordSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request, run_id: UUID) -> Response:
        """List what a run did, record by record."""
        run = get_run(self.actor, run_id)
        return self.list(list_record_logs(self.actor, run_id=run.pk), RunRecordSerializer)
