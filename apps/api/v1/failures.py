"""The error desk: failed records by cause, and what is done about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.assignees import colleague_id
from apps.api.v1.connections import of_customer
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotPermitted
from apps.sync.desk import list_notes, trend_of
from apps.sync.models import ErrorClass, FailureNote, FailureStatus, RecordFailure
from apps.sync.selectors import explain_failure, get_failure, group_failures, list_failures
from apps.sync.services import (
    assign_failures,
    comment_failure,
    edit_and_retry,
    find_editable,
    ignore_failures,
    reopen_failures,
    retry_failure,
    snooze_failures,
    wake_failures,
)

MOST_GROUPS = 200


class FailureSerializer(serializers.Serializer[RecordFailure]):
    """`cause` and `next_step` are for people. `assignee` is told to keys of the partner only."""

    id = PublicIdField("failure")
    customer = PublicIdField("customer", source="customer_id")
    flow = PublicIdField("flow", source="flow_id")
    connection = PublicIdField("connection", source="connection_id")
    run = PublicIdField("run", source="run_id")
    record = PublicIdField("record", source="record_id", allow_null=True)
    direction = serializers.ChoiceField(["read", "write"])
    object = serializers.CharField(source="object_name")
    external_id = serializers.CharField()
    title = serializers.CharField(source="record_title")
    error_class = serializers.ChoiceField(ErrorClass.choices)
    code = serializers.CharField()
    message = serializers.CharField()
    cause = serializers.SerializerMethodField()
    next_step = serializers.SerializerMethodField()
    fingerprint = serializers.CharField()
    status = serializers.ChoiceField(FailureStatus.choices)
    attempts = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    ignore_reason = serializers.CharField()
    assignee = serializers.CharField(source="assignee_label")
    snoozed_until = serializers.DateTimeField(allow_null=True)
    snoozed_attempts = serializers.IntegerField(allow_null=True)

    def get_cause(self, failure: RecordFailure) -> str:
        return explain_failure(failure).cause

    def get_next_step(self, failure: RecordFailure) -> str:
        return explain_failure(failure).next_step


class FailureGroupSerializer(serializers.Serializer[Any]):
    """Unsolved failures of one cause at one customer. `trend`: how many began on each of the last 14 days, today last."""

    fingerprint = serializers.CharField()
    count = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    trend = serializers.ListField(child=serializers.IntegerField())
    newest = FailureSerializer()


class NoteSerializer(serializers.Serializer[FailureNote]):
    kind = serializers.CharField()
    text = serializers.CharField()
    by = serializers.CharField(source="by_label")
    at = serializers.DateTimeField()


class EditableFieldSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.ChoiceField(["text", "integer", "boolean", "date", "choice", "money"])
    required = serializers.BooleanField(source="is_required")  # type: ignore[assignment]
    value = serializers.JSONField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())


class EditableSerializer(serializers.Serializer[Any]):
    record = PublicIdField("record", source="record.pk")
    version = serializers.IntegerField(source="record.version")
    fields = EditableFieldSerializer(many=True)  # type: ignore[assignment]


class EditInput(serializers.Serializer[Any]):
    """`values`: only what changes; null empties a field. `version`: the record's when it was read."""

    version = serializers.IntegerField()
    values = serializers.DictField()


class AssignInput(serializers.Serializer[Any]):
    assignee = serializers.EmailField(allow_null=True)


class SnoozeInput(serializers.Serializer[Any]):
    """Until a time, or until it failed `times` more."""

    until = serializers.DateTimeField(required=False)
    times = serializers.IntegerField(required=False, min_value=1, max_value=1000)


class IgnoreInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class CommentInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000)


def shown(failure: RecordFailure, actor: Actor) -> RecordFailure:
    """Who of the partner looks after it is no customer's business."""
    if actor.scope is not None:
        failure.assignee_label = ""
    return failure


def demand_partner(actor: Actor) -> None:
    actor.require_sight_of_all("Only a key of the partner may do this.")


class FailureList(ApiView):
    tag = "Errors"
    scopes = {"GET": "errors.view"}

    @extend_schema(
        responses=paged(FailureSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            CUSTOMER_PARAMETER,
            OpenApiParameter("status", str, enum=list(FailureStatus.values)),
            OpenApiParameter("error_class", str, enum=list(ErrorClass.values)),
            OpenApiParameter("fingerprint", str, description="Of one cause."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List failed records, newest first."""
        rows = of_customer(list_failures(self.actor), request)
        for name, known in (("status", FailureStatus.values), ("error_class", ErrorClass.values)):
            given = self.asked(name, known)
            rows = rows.filter(**{name: given}) if given else rows
        cause = request.query_params.get("fingerprint")
        rows = rows.filter(fingerprint=cause) if cause else rows
        return self.list(rows, FailureSerializer, prepare=lambda row: shown(row, self.actor))


class FailureGroupList(ApiView):
    tag = "Errors"
    scopes = {"GET": "errors.view"}

    @extend_schema(responses=FailureGroupSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Unsolved failures by cause and customer, the most frequent first, at most 200."""
        groups = group_failures(self.actor, limit=MOST_GROUPS)
        trends = {
            customer_id: trend_of(
                RecordFailure.objects.visible_to(self.actor).filter(customer_id=customer_id),
                [g.fingerprint for g in groups if g.sample.customer_id == customer_id], clock.now(),
            )
            for customer_id in {group.sample.customer_id for group in groups}
        }  # fmt: skip
        rows = [
            {
                "fingerprint": group.fingerprint, "count": group.count, "first_at": group.first_at,
                "last_at": group.last_at, "newest": shown(group.sample, self.actor),
                "trend": trends[group.sample.customer_id][group.fingerprint],
            }
            for group in groups
        ]  # fmt: skip
        return Response(FailureGroupSerializer(rows, many=True).data)


class FailureDetail(ApiView):
    tag = "Errors"
    scopes = {"GET": "errors.view"}

    @extend_schema(responses=FailureSerializer)
    def get(self, request: Request, failure_id: UUID) -> Response:
        """Read a failed record with its cause and next step."""
        return Response(FailureSerializer(shown(get_failure(self.actor, failure_id), self.actor)).data)


class FailureActivity(ApiView):
    tag = "Errors"
    scopes = {"GET": "errors.view"}

    @extend_schema(responses=NoteSerializer(many=True))
    def get(self, request: Request, failure_id: UUID) -> Response:
        """Who of the team did what about it, the newest hundred. Keys of a customer read none."""
        notes: Any = list_notes(self.actor, get_failure(self.actor, failure_id))[:100]
        return Response(NoteSerializer(notes, many=True).data)


class FailureAct(ApiView):
    """One thing done about one failure; answers with the failure as it stands then."""

    tag = "Errors"
    scopes = {"POST": "errors.resolve"}
    form: ClassVar[type[serializers.Serializer[Any]] | None] = None

    def act(self, failure: RecordFailure, given: dict[str, Any], common: dict[str, Any]) -> object:
        raise NotPermitted("There is no such action.")

    def answer(self, failure_id: UUID) -> Response:
        def work() -> Response:
            failure = get_failure(self.actor, failure_id)
            given = self.read(self.form) if self.form else {}
            one = RecordFailure.objects.visible_to(self.actor).filter(pk=failure.pk)
            self.act(failure, given, {"actor": self.actor, "now": clock.now(), "failures": one})
            return Response(FailureSerializer(shown(get_failure(self.actor, failure_id), self.actor)).data)

        return self.once(work)


def failure_act(
    name: str, form: type[serializers.Serializer[Any]] | None, said: str,
    act: Callable[[RecordFailure, dict[str, Any], dict[str, Any]], object],
) -> type[FailureAct]:  # fmt: skip
    """The endpoint of one act. `said` describes it."""

    @extend_schema(request=form, responses=FailureSerializer)
    def post(self: FailureAct, request: Request, failure_id: UUID) -> Response:
        return self.answer(failure_id)

    post.__doc__ = said
    return type(name, (FailureAct,), {"form": form, "post": post, "act": lambda self, *given: act(*given)})


def _retry(failure: RecordFailure, given: dict[str, Any], common: dict[str, Any]) -> object:
    return retry_failure(actor=common["actor"], now=common["now"], failure=failure)


def _comment(failure: RecordFailure, given: dict[str, Any], common: dict[str, Any]) -> object:
    demand_partner(common["actor"])
    return comment_failure(actor=common["actor"], now=common["now"], failure=failure, text=given["text"])


def _assign(failure: RecordFailure, given: dict[str, Any], common: dict[str, Any]) -> object:
    demand_partner(common["actor"])
    return assign_failures(**common, assignee_id=colleague_id(given["assignee"]))


FailureTry = failure_act("FailureTry", None, "Try the record again at once.", _retry)
FailureComment = failure_act("FailureComment", CommentInput, "Comment for the team.", _comment)
FailureAssign = failure_act(
    "FailureAssign", AssignInput, "Give it to a colleague by e-mail address, or to nobody.", _assign
)
FailureSnooze = failure_act(
    "FailureSnooze", SnoozeInput, "Keep it out of sight for now; it is tried again like any other.",
    lambda failure, given, common: snooze_failures(**common, **given),
)  # fmt: skip
FailureWake = failure_act(
    "FailureWake", None, "Bring a snoozed one back.", lambda failure, given, common: wake_failures(**common)
)
FailureIgnore = failure_act(
    "FailureIgnore", IgnoreInput, "Leave the record as it is, for as long as it fails for the same cause.",
    lambda failure, given, common: ignore_failures(**common, reason=given["reason"]),
)  # fmt: skip
FailureReopen = failure_act(
    "FailureReopen", None, "Take an ignored one up again.", lambda failure, given, common: reopen_failures(**common)
)


class FailureEdit(ApiView):
    tag = "Errors"
    scopes = {"GET": "payloads.view", "POST": "payloads.view"}

    @extend_schema(responses=EditableSerializer)
    def get(self, request: Request, failure_id: UUID) -> Response:
        """Read the fields that can be corrected, with their types."""
        return Response(EditableSerializer(find_editable(self.actor, get_failure(self.actor, failure_id))).data)

    @extend_schema(request=EditInput, responses=FailureSerializer)
    def post(self, request: Request, failure_id: UUID) -> Response:
        """Correct the record and try it again. The history shows the correction as a person's."""

        def act() -> Response:
            failure, given = get_failure(self.actor, failure_id), self.read(EditInput)
            edit_and_retry(
                actor=self.actor, now=clock.now(), failure=failure, values=given["values"], version=given["version"]
            )
            return Response(FailureSerializer(get_failure(self.actor, failure_id)).data)

        return self.once(act)
