from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.connections import of_customer
from apps.sla.models import SlaReport
from apps.sla.selectors import get_report, list_reports


class ObjectiveResultSerializer(serializers.Serializer[Any]):
    """Percentages are decimal strings, cut (never rounded up) to two places."""

    key = serializers.CharField()
    target = serializers.CharField()
    achieved = serializers.CharField(allow_null=True, help_text="Null when there was nothing to measure.")
    threshold_seconds = serializers.IntegerField()
    good = serializers.IntegerField()
    total = serializers.IntegerField()
    budget_left = serializers.CharField(allow_null=True)
    is_met = serializers.BooleanField()


class SlaReportSerializer(serializers.Serializer[SlaReport]):
    id = PublicIdField("sla_report")
    customer = PublicIdField("customer", source="customer_id")
    policy = serializers.CharField(source="policy_version")
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    is_met = serializers.BooleanField()
    run_count = serializers.IntegerField(source="results.run_count")
    failed_run_count = serializers.IntegerField(source="results.failed_run_count")
    objectives = ObjectiveResultSerializer(source="results.objectives", many=True)
    computed_at = serializers.DateTimeField()


class SlaReportList(ApiView):
    tag = "SLA reports"
    scopes = {"GET": "sla.view"}

    @extend_schema(responses=paged(SlaReportSerializer), parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER])
    def get(self, request: Request) -> Response:
        """List closed months."""
        return self.list(of_customer(list_reports(self.actor), request), SlaReportSerializer)


class SlaReportDetail(ApiView):
    tag = "SLA reports"
    scopes = {"GET": "sla.view"}

    @extend_schema(responses=SlaReportSerializer)
    def get(self, request: Request, report_id: UUID) -> Response:
        """Read one month."""
        return Response(SlaReportSerializer(get_report(self.actor, report_id)).data)
