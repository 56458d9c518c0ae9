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
from apps.api.schema import PAGE_PARAMETERS
from apps.api.v1.connections import of_customer
from apps.core import clock
from apps.flows.selectors import get_flow
from apps.sync.models import RecordLog, RunStatus, RunTrigger, SyncRun
from apps.sync.selectors import get_run, list_record_logs, list_runs
from apps.sync.services import cancel_run, start_run


class RunSerializer(serializers.ModelSerializer[SyncRun]):
    id = PublicIdField("run")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")

    class Meta:
        model = SyncRun
        fields = ("id", "customer", "flow", "trigger", "status", "queued_at", "started_at", "finished_at", "read_count",
                  "created_count", "updated_count", "unchanged_count", "skipped_count", "failed_count", "call_count",
                  "error_class", "error_message")  # fmt: skip


class RunInput(serializers.Serializer[Any]):
    flow = PublicIdField("flow")


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
            run = start_run(actor=self.actor, now=clock.now(), flow=flow, trigger=RunTrigger.API)
            return Response(RunSerializer(run).data, status=202)

        return self.once(act)


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


class RunRecordList(ApiView):
    tag = "Runs"
    scopes = {"GET": "runs.view"}

    @extend_schema(responses=paged(RunRecordSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request, run_id: UUID) -> Response:
        """List what a run did, record by record."""
        run = get_run(self.actor, run_id)
        return self.list(list_record_logs(self.actor, run_id=run.pk), RunRecordSerializer)
