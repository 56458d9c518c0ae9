"""Fields that two systems changed differently: read and decided."""

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
from apps.canonical.models import FieldQuestion
from apps.canonical.selectors import get_value_question, list_value_questions
from apps.core import clock
from apps.sync.services import answer_value

EXAMPLE = {
    "id": "vqu_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", "customer": "cus_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
    "record": "rec_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", "record_title": "Vulcan GmbH", "field": "phone",
    "known": "030 1234567", "other": "030 7654321", "connection": "con_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
    "asked_at": "2026-11-02T09:00:00Z", "answered_at": None, "answer": "",
}  # fmt: skip


class ValueQuestionSerializer(serializers.Serializer[FieldQuestion]):
    """The record says `known`; `other` is what stands in the connection's system, which is not overwritten meanwhile."""

    id = PublicIdField("value_question")
    customer = PublicIdField("customer", source="customer_id")
    record = PublicIdField("record", source="record_id")
    record_title = serializers.CharField(source="record.title")
    field = serializers.CharField()
    known = serializers.JSONField(source="ours")
    other = serializers.JSONField(source="theirs")
    connection = PublicIdField("connection", source="connection_id")
    asked_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(help_text="Empty while it is open.")


class ValueAnswerInput(serializers.Serializer[Any]):
    """`ours`: the known value counts everywhere; `theirs`: the other one does."""

    answer = serializers.ChoiceField(["ours", "theirs"])


class ValueQuestionList(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=paged(ValueQuestionSerializer), parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER])
    def get(self, request: Request) -> Response:
        """List open questions about contradicting values, newest first."""
        return self.list(of_customer(list_value_questions(self.actor), request), ValueQuestionSerializer)


class ValueQuestionDetail(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(
        responses=ValueQuestionSerializer, examples=[OpenApiExample("An open one", EXAMPLE, response_only=True)]
    )
    def get(self, request: Request, value_question_id: UUID) -> Response:
        """Read an open question about a value."""
        return Response(ValueQuestionSerializer(get_value_question(self.actor, value_question_id)).data)


class ValueQuestionAnswer(ApiView):
    tag = "Stewardship"
    scopes = {"POST": "errors.resolve"}

    @extend_schema(
        request=ValueAnswerInput, responses=ValueQuestionSerializer,
        examples=[OpenApiExample("The known value counts", {"answer": "ours"}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request, value_question_id: UUID) -> Response:
        """Decide which value counts; every system is told."""

        def act() -> Response:
            question = get_value_question(self.actor, value_question_id)
            given = self.read(ValueAnswerInput)
            answered = answer_value(actor=self.actor, now=clock.now(), question=question, answer=given["answer"])
            return Response(ValueQuestionSerializer(answered).data)

        return self.once(act)
