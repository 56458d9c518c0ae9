"""Questions whether two records are one, their answers, and merges with the way back."""

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
from apps.canonical.models import MatchQuestion, QuestionStatus, RecordMerge
from apps.canonical.selectors import get_merge, get_question, list_merges, list_questions
from apps.core import clock
from apps.sync.services import answer_different, answer_later, answer_same, undo_merge

ANSWERS = ("same", "different", "later")


class ReasonSerializer(serializers.Serializer[dict[str, Any]]):
    rule = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    points = serializers.IntegerField()


class QuestionSerializer(serializers.Serializer[MatchQuestion]):
    """`left` is the newcomer, `right` was known before. While open, neither is created where the other is known."""

    id = PublicIdField("question")
    customer = PublicIdField("customer", source="customer_id")
    entity = serializers.CharField()
    left = PublicIdField("record", source="left_id")
    left_title = serializers.CharField(source="left.title")
    right = PublicIdField("record", source="right_id")
    right_title = serializers.CharField(source="right.title")
    score = serializers.IntegerField()
    reasons = ReasonSerializer(many=True)
    status = serializers.ChoiceField(QuestionStatus.choices)
    asked_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class AnswerInput(serializers.Serializer[Any]):
    """`take`: fields in which the newcomer is right, for the answer “same”."""

    answer = serializers.ChoiceField(ANSWERS)
    take = serializers.ListField(child=serializers.CharField(), required=False, default=list)


class MergeSerializer(serializers.Serializer[RecordMerge]):
    id = PublicIdField("merge")
    customer = PublicIdField("customer", source="customer_id")
    entity = serializers.CharField()
    record = PublicIdField("record", source="kept_id")
    merged_record = PublicIdField("record", source="dropped_id")
    merged_title = serializers.CharField(source="dropped_title")
    merged_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


class AnsweredSerializer(serializers.Serializer[Any]):
    """`merge` for the answer “same”, else the question as it stands now."""

    merge = MergeSerializer(allow_null=True)
    question = QuestionSerializer(allow_null=True)


class QuestionList(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(
        responses=paged(QuestionSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            CUSTOMER_PARAMETER,
            OpenApiParameter("status", str, enum=list(QuestionStatus.values)),
        ],
    )
    def get(self, request: Request) -> Response:
        """List questions, newest first."""
        rows = of_customer(list_questions(self.actor), request)
        status = self.asked("status", QuestionStatus.values)
        return self.list(rows.filter(status=status) if status else rows, QuestionSerializer)


class QuestionDetail(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=QuestionSerializer)
    def get(self, request: Request, question_id: UUID) -> Response:
        """Read a question."""
        return Response(QuestionSerializer(get_question(self.actor, question_id)).data)


class QuestionAnswer(ApiView):
    tag = "Stewardship"
    scopes = {"POST": "errors.resolve"}

    @extend_schema(request=AnswerInput, responses=AnsweredSerializer)
    def post(self, request: Request, question_id: UUID) -> Response:
        """Answer: the same (they are merged), different (remembered), or later."""

        def act() -> Response:
            question, now = get_question(self.actor, question_id), clock.now()
            given = self.read(AnswerInput)
            if given["answer"] == "same":
                merge = answer_same(actor=self.actor, now=now, question=question, take=given["take"])
                return Response(AnsweredSerializer({"merge": merge, "question": None}).data)
            answer = answer_different if given["answer"] == "different" else answer_later
            answered = answer(actor=self.actor, now=now, question=question)
            return Response(AnsweredSerializer({"merge": None, "question": answered}).data)

        return self.once(act)


class MergeList(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=paged(MergeSerializer), parameters=[*PAGE_PARAMETERS, CUSTOMER_PARAMETER])
    def get(self, request: Request) -> Response:
        """List merges, newest first."""
        return self.list(of_customer(list_merges(self.actor), request), MergeSerializer)


class MergeUndo(ApiView):
    tag = "Stewardship"
    scopes = {"POST": "errors.resolve"}

    @extend_schema(request=None, responses=MergeSerializer)
    def post(self, request: Request, merge_id: UUID) -> Response:
        """Part what was merged: each record gets back its fields, ids and references."""

        def act() -> Response:
            merge = get_merge(self.actor, merge_id)
            undo_merge(actor=self.actor, now=clock.now(), merge=merge)
            return Response(MergeSerializer(merge).data)

        return self.once(act)
