"""Retries of many failed records at once, counted exactly."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.core import clock
from apps.customers.selectors import get_customer
from apps.sync.desk import get_retry, list_retries, retry_progress
from apps.sync.models import ErrorClass, FailureRetry, RecordFailure
from apps.sync.services import cancel_retry, start_retry


class RetrySerializer(serializers.Serializer[FailureRetry]):
    """resolved + failed + waiting + withdrawn + passed_over = total; `left_out`: of integrations that do not run,
    `passed_over`: settled, or stopped, by the time their turn came."""

    id = PublicIdField("failure_retry")
    label = serializers.CharField()  # type: ignore[assignment]
    requested_by = serializers.CharField(source="requested_by_label")
    requested_at = serializers.DateTimeField()
    canceled_at = serializers.DateTimeField(allow_null=True)
    stop_reason = serializers.CharField(
        allow_blank=True, help_text="Why the rest was given up: whoever asked may not do it any more."
    )
    left_out = serializers.IntegerField(source="left_out_count")
    total = serializers.IntegerField()
    resolved = serializers.IntegerField(source="progress.resolved")
    failed = serializers.IntegerField(source="progress.failed")
    waiting = serializers.IntegerField(source="progress.waiting")
    withdrawn = serializers.IntegerField(source="progress.withdrawn")
    passed_over = serializers.IntegerField(source="progress.passed_over")


class RetryInput(serializers.Serializer[Any]):
    """Which open failures: all that fit everything named; at least one thing has to be named."""

    customer = PublicIdField("customer", required=False)
    fingerprint = serializers.CharField(required=False)
    error_class = serializers.ChoiceField(ErrorClass.choices, required=False)
    code = serializers.CharField(required=False)


def with_progress(retry: FailureRetry) -> dict[str, Any]:
    names = (
        "id", "label", "requested_by_label", "requested_at", "canceled_at", "stop_reason", "left_out_count", "total",
    )  # fmt: skip
    return {**{name: getattr(retry, name) for name in names}, "progress": retry_progress(retry)}


class RetryList(ApiView):
    tag = "Errors"
    scopes = {"GET": "errors.view", "POST": "errors.resolve"}

    @extend_schema(responses=paged(RetrySerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List retries of many records, newest first, with what became of them."""
        return self.list(list_retries(self.actor), RetrySerializer, prepare=with_progress)

    @extend_schema(request=RetryInput, responses={202: RetrySerializer})
    def post(self, request: Request) -> Response:
        """Try many records again in the background, each in its order. Watch it at its own address."""

        def act() -> Response:
            given = self.read(RetryInput)
            if not given:
                raise ValidationError({"fingerprint": ["Name at least one thing that the failures have in common."]})
            wanted = {("customer_id" if name == "customer" else name): value for name, value in given.items()}
            failures = RecordFailure.objects.visible_to(self.actor).filter(**wanted)
            said = {
                **given,
                **({"customer": get_customer(self.actor, given["customer"]).name} if "customer" in given else {}),
            }
            label = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items())
            retry = start_retry(actor=self.actor, now=clock.now(), failures=failures, label=label)
            return Response(RetrySerializer(with_progress(retry)).data, status=202)  # type: ignore[arg-type]

        return self.once(act)


class RetryDetail(ApiView):
    tag = "Errors"
    scopes = {"GET": "errors.view"}

    @extend_schema(responses=RetrySerializer)
    def get(self, request: Request, retry_id: UUID) -> Response:
        """Watch a retry of many records."""
        return Response(RetrySerializer(with_progress(get_retry(self.actor, retry_id))).data)  # type: ignore[arg-type]


class RetryCancel(ApiView):
    tag = "Errors"
    scopes = {"POST": "errors.resolve"}

    @extend_schema(request=None, responses=RetrySerializer)
    def post(self, request: Request, retry_id: UUID) -> Response:
        """Put back what was not tried yet."""

        def act() -> Response:
            retry = cancel_retry(actor=self.actor, now=clock.now(), retry=get_retry(self.actor, retry_id))
            return Response(RetrySerializer(with_progress(retry)).data)  # type: ignore[arg-type]

        return self.once(act)
