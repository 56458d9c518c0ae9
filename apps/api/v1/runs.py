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
from apps.api.v1.connections import of_customer
from apps.core import clock
from apps.core.actor import Actor
from apps.flows.models import Flow
from apps.flows.selectors import get_flow
from apps.sync.models import RecordLog, RunLimits, RunStatus, RunTrigger, SyncRun
from apps.sync.selectors import get_run, list_record_logs, list_runs
from apps.sync.services import cancel_run, continue_run, load_limits, save_limits, start_run
from apps.sync.services.limits import FIELDS
from apps.sync.services.scoped_runs import start_backfill, start_record_run, start_refresh


class RunSerializer(serializers.ModelSerializer[SyncRun]):
    id = PublicIdField("run")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")

    class Meta:
        model = SyncRun
        fields = ("id", "customer", "flow", "trigger", "status", "queued_at", "started_at", "finished_at", "read_count",
                  "created_count", "updated_count", "unchanged_count", "skipped_count", "failed_count", "call_count",
                  "expected_count", "held_by", "guard", "resume_at", "scope", "warning", "error_class",
                  "error_message")  # fmt: skip


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
    latency_ms = serializers.IntegerField(allow_null=True)


class RunList(ApiView):
    tag = "Runs"
    scopes = {"GET": "runs.view", "POST": "runs.start"}

    @extend_schema(
        responses=paged(RunSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("customer", str, description="Id of a customer."),
            OpenApiParameter("status", str, enum=[value for value, _ in RunStatus.choices]),
        ],
    )
    def get(self, request: Request) -> Response:
        """List runs, newest first."""
        rows = of_customer(list_runs(self.actor), request)
        status = request.query_params.get("status")
        if status is not None and status not in RunStatus.values:
            raise ValidationError({"status": [f"Use one of {', '.join(RunStatus.values)}."]})
        return self.list(rows.filter(status=status) if status else rows, RunSerializer)

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

    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Watch a run: its status and counts so far."""
        return Response(RunSerializer(get_run(self.actor, run_id)).data)


class RunCancel(ApiView):
    tag = "Runs"
    scopes = {"POST": "runs.start"}

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Ask a run to stop after its current page."""
        run = cancel_run(actor=self.actor, now=clock.now(), run=get_run(self.actor, run_id))
        return Response(RunSerializer(run).data, status=202)


class RunContinue(ApiView):
    tag = "Runs"
    scopes = {"POST": "runs.start"}

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Let a run go on that a guard stopped; that guard stops it no more."""
        run = continue_run(actor=self.actor, now=clock.now(), run=get_run(self.actor, run_id))
        return Response(RunSerializer(run).data, status=202)


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
