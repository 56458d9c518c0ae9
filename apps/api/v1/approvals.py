"""What waits for a person before it is written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.connections import of_customer
from apps.core import clock
from apps.sync.models import ApprovalRequest, ApprovalStatus
from apps.sync.selectors import get_approval, list_approvals
from apps.sync.services import approve, reject


class ApprovalSerializer(serializers.ModelSerializer[ApprovalRequest]):
    id = PublicIdField("approval")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")
    record = PublicIdField("record", source="record_id")

    class Meta:
        model = ApprovalRequest
        fields = ("id", "customer", "flow", "record", "entity", "title", "target", "question", "audience", "shown",
                  "status", "asked_at", "decided_at", "decided_by_label", "reason")  # fmt: skip


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class ApprovalList(ApiView):
    tag = "Approvals"
    scopes = {"GET": "approvals.view"}

    @extend_schema(
        responses=paged(ApprovalSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            CUSTOMER_PARAMETER,
            OpenApiParameter("status", str, enum=list(ApprovalStatus.values)),
        ],
    )
    def get(self, request: Request) -> Response:
        """List what waits or waited to be released, newest first."""
        rows = of_customer(list_approvals(self.actor), request)
        status = self.asked("status", ApprovalStatus.values)
        return self.list(rows.filter(status=status) if status else rows, ApprovalSerializer)


class ApprovalApprove(ApiView):
    tag = "Approvals"
    scopes = {"POST": "approvals.decide"}

    @extend_schema(request=ReasonInput, responses=ApprovalSerializer)
    def post(self, request: Request, approval_id: UUID) -> Response:
        """Release a record as it was shown; the flow's next run writes it. What the customer decides, no key decides."""

        def act() -> Response:
            given, found = self.read(ReasonInput), get_approval(self.actor, approval_id)
            decided = approve(actor=self.actor, now=clock.now(), approval=found, reason=given.get("reason", ""))
            return Response(ApprovalSerializer(decided).data)

        return self.once(act)


class ApprovalReject(ApiView):
    tag = "Approvals"
    scopes = {"POST": "approvals.decide"}

    @extend_schema(request=ReasonInput, responses=ApprovalSerializer)
    def post(self, request: Request, approval_id: UUID) -> Response:
        """Refuse a record, with a reason. It is asked about again when it changes."""

        def act() -> Response:
            given, found = self.read(ReasonInput), get_approval(self.actor, approval_id)
            decided = reject(actor=self.actor, now=clock.now(), approval=found, reason=given.get("reason", ""))
            return Response(ApprovalSerializer(decided).data)

        return self.once(act)
