"""Deletions that seem too many: read, let through or refused; and full comparisons that find what vanished."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.connections import of_customer
from apps.api.v1.runs import RunSerializer
from apps.core import clock
from apps.flows.selectors import get_flow
from apps.sync.models import DeletionReview
from apps.sync.selectors import get_deletion_review, list_deletion_reviews
from apps.sync.services import approve_deletions, reject_deletions, start_reconcile

ANSWERS = {"approve": approve_deletions, "reject": reject_deletions}


class DeletionReviewSerializer(serializers.Serializer[DeletionReview]):
    """`is_removal`: the objects are about to be deleted in this system; otherwise they vanished from it."""

    id = PublicIdField("deletion_review")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")
    connection = PublicIdField("connection", source="connection_id")
    object = serializers.CharField(source="object_name")
    is_removal = serializers.BooleanField()
    count = serializers.IntegerField()
    total = serializers.IntegerField(help_text="How many objects the system held.")
    status = serializers.ChoiceField(["waiting", "approved", "rejected"])
    asked_at = serializers.DateTimeField()


class DeletionReviewDetailSerializer(DeletionReviewSerializer):
    external_ids = serializers.ListField(child=serializers.CharField())


class DeletionAnswerInput(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(sorted(ANSWERS))


class DeletionReviewList(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=paged(DeletionReviewSerializer), parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER])
    def get(self, request: Request) -> Response:
        """List stopped deletions that wait for a person, newest first."""
        return self.list(of_customer(list_deletion_reviews(self.actor), request), DeletionReviewSerializer)


class DeletionReviewDetail(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=DeletionReviewDetailSerializer)
    def get(self, request: Request, review_id: UUID) -> Response:
        """Read stopped deletions with the ids concerned."""
        return Response(DeletionReviewDetailSerializer(get_deletion_review(self.actor, review_id)).data)


class DeletionReviewAnswer(ApiView):
    tag = "Stewardship"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(
        request=DeletionAnswerInput, responses=DeletionReviewSerializer,
        examples=[OpenApiExample("Keep the records", {"answer": "reject"}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request, review_id: UUID) -> Response:
        """Let exactly these deletions through, or keep the records."""

        def act() -> Response:
            review = get_deletion_review(self.actor, review_id)
            answer = ANSWERS[self.read(DeletionAnswerInput)["answer"]]
            return Response(DeletionReviewSerializer(answer(actor=self.actor, now=clock.now(), review=review)).data)

        return self.once(act)


class FlowComparison(ApiView):
    tag = "Runs"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, flow_id: UUID) -> Response:
        """Start a full comparison: everything is read, and what vanished is treated as deleted."""

        def act() -> Response:
            run = start_reconcile(actor=self.actor, now=clock.now(), flow=get_flow(self.actor, flow_id))
            return Response(RunSerializer(run).data, status=202)

        return self.once(act)
