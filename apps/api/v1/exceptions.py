"""Business exceptions over the API: what should have followed and has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import MoneySerializer, PublicIdField
from apps.api.paging import CUSTOMER_PARAMETER, PAGE_PARAMETERS
from apps.api.v1.assignees import colleague_id
from apps.api.v1.connections import of_customer
from apps.core import clock
from apps.core.actor import Actor
from apps.monitoring.models import BusinessException, ExceptionStatus, Solver
from apps.monitoring.selectors import get_exception, list_exceptions
from apps.monitoring.services import (
    assign_exception,
    ignore_exception,
    reopen_exception,
    snooze_exception,
    wake_exception,
)


class ExceptionSerializer(serializers.Serializer[BusinessException]):
    """`since`: from when the days count. `assignee` is told to keys of the partner only."""

    id = PublicIdField("exception")
    customer = PublicIdField("customer", source="customer_id")
    record = PublicIdField("record", source="record_id")
    title = serializers.CharField()
    rule = serializers.CharField(source="rule.key")
    rule_name = serializers.CharField(source="rule.name")
    solver = serializers.ChoiceField(Solver.choices, source="rule.solver")
    next_step = serializers.CharField(source="rule.next_step")
    status = serializers.ChoiceField(ExceptionStatus.choices)
    amount = MoneySerializer(source="stake", allow_null=True)
    since = serializers.DateTimeField()
    opened_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    assignee = serializers.CharField(source="assignee_label")
    snoozed_until = serializers.DateTimeField(allow_null=True)
    ignore_reason = serializers.CharField()


class AssignExceptionInput(serializers.Serializer[Any]):
    assignee = serializers.EmailField(allow_null=True)


class SnoozeExceptionInput(serializers.Serializer[Any]):
    until = serializers.DateTimeField()


class IgnoreExceptionInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


def shown(exception: BusinessException, actor: Actor) -> BusinessException:
    """Who of the partner looks after it is no customer's business."""
    if actor.scope is not None:
        exception.assignee_label = ""
    return exception


class ExceptionList(ApiView):
    tag = "Exceptions"
    scopes = {"GET": "exceptions.view"}

    @extend_schema(
        responses=paged(ExceptionSerializer),
        parameters=[
            *PAGE_PARAMETERS,
            CUSTOMER_PARAMETER,
            OpenApiParameter("status", str, enum=list(ExceptionStatus.values)),
            OpenApiParameter("rule", str, description="Key of a rule."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List business exceptions, newest first. Keys of a customer see those that are theirs to solve."""
        rows = of_customer(list_exceptions(self.actor), request)
        status, rule = self.asked("status", ExceptionStatus.values), request.query_params.get("rule")
        rows = rows.filter(status=status) if status else rows
        rows = rows.filter(rule__key=rule) if rule else rows
        return self.list(rows, ExceptionSerializer, prepare=lambda row: shown(row, self.actor))


class ExceptionDetail(ApiView):
    tag = "Exceptions"
    scopes = {"GET": "exceptions.view"}

    @extend_schema(responses=ExceptionSerializer)
    def get(self, request: Request, exception_id: UUID) -> Response:
        """Read a business exception."""
        return Response(ExceptionSerializer(shown(get_exception(self.actor, exception_id), self.actor)).data)


class ExceptionAct(ApiView):
    """One thing done about one exception; answers with it as it stands then."""

    tag = "Exceptions"
    scopes = {"POST": "exceptions.resolve"}
    form: ClassVar[type[serializers.Serializer[Any]] | None] = None

    def answer(self, exception_id: UUID, act: Callable[..., BusinessException]) -> Response:
        def work() -> Response:
            exception = get_exception(self.actor, exception_id)
            given = self.read(self.form) if self.form else {}
            act(actor=self.actor, now=clock.now(), exception=exception, **given)
            return Response(ExceptionSerializer(shown(get_exception(self.actor, exception_id), self.actor)).data)

        return self.once(work)


class ExceptionAssign(ExceptionAct):
    form = AssignExceptionInput

    @extend_schema(request=AssignExceptionInput, responses=ExceptionSerializer)
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Give it to a colleague by e-mail address, or to nobody."""
        return self.answer(exception_id, _assign)


class ExceptionSnooze(ExceptionAct):
    form = SnoozeExceptionInput

    @extend_schema(request=SnoozeExceptionInput, responses=ExceptionSerializer)
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Keep it out of sight until then."""
        return self.answer(exception_id, snooze_exception)


class ExceptionWake(ExceptionAct):
    @extend_schema(request=None, responses=ExceptionSerializer)
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Bring a snoozed one back."""
        return self.answer(exception_id, wake_exception)


class ExceptionIgnore(ExceptionAct):
    form = IgnoreExceptionInput

    @extend_schema(request=IgnoreExceptionInput, responses=ExceptionSerializer)
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Leave it be for as long as the rule holds."""
        return self.answer(exception_id, ignore_exception)


class ExceptionReopen(ExceptionAct):
    @extend_schema(request=None, responses=ExceptionSerializer)
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Take an ignored one up again."""
        return self.answer(exception_id, reopen_exception)


def _assign(*, assignee: str | None, **common: Any) -> BusinessException:
    return assign_exception(**common, assignee_id=colleague_id(assignee))
