"""Many merges at once: ids from a file, or a customer that joins another. Prepared, looked at, carried out, undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.canonical.models import MergeOutcome, MergePlan, MergePlanSource, MergePlanStatus, PlannedMerge
from apps.canonical.plan_selectors import (
    count_outcomes,
    get_merge_plan,
    get_planned_row,
    list_merge_plans,
    plan_progress,
    planned_rows,
)
from apps.connectors.sdk.entities import ENTITIES
from apps.connectors.selectors import get_connection
from apps.core import clock
from apps.customers.models import EnvironmentKind
from apps.customers.selectors import get_customer
from apps.sync.services import apply_plan, decide_row, discard_plan, request_joining, request_pairs, undo_plan

CON, CUS = "con_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", "cus_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"
OTHER_CON, OTHER_CUS = "con_0290a1b2c3d47e5f8a9b0c1d2e3f4a5b", "cus_0290a1b2c3d47e5f8a9b0c1d2e3f4a5b"


class MergePlanSerializer(serializers.Serializer[MergePlan]):
    """`checking`, `applying` and `undoing` go on in the background (`done` of `total`); `ready` changed nothing yet."""

    id = PublicIdField("merge_plan")
    source = serializers.ChoiceField(MergePlanSource.choices)  # type: ignore[assignment]
    customer = PublicIdField("customer", source="customer_id")
    joining_customer = PublicIdField("customer", source="other_customer_id", allow_null=True)
    environment = serializers.ChoiceField(EnvironmentKind.choices, source="environment.kind")
    entity = serializers.CharField(help_text="Empty when customers are joined.")
    left = PublicIdField("connection", source="left_id", allow_null=True)
    right = PublicIdField("connection", source="right_id", allow_null=True)
    status = serializers.ChoiceField(MergePlanStatus.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    message = serializers.CharField(help_text="Why the last attempt was put back; else empty.")
    requested_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)


class MergeLineSerializer(serializers.Serializer[PlannedMerge]):
    """A line of the file, or a record that comes: `left_record` meets `right_record`."""

    line = serializers.IntegerField(source="position")
    entity = serializers.CharField()
    outcome = serializers.ChoiceField(MergeOutcome.choices, allow_blank=True)
    left_id = serializers.CharField(source="left_key")
    right_id = serializers.CharField(source="right_key")
    left_record = PublicIdField("record", source="left_id", allow_null=True)
    left_title = serializers.CharField()
    right_record = PublicIdField("record", source="right_id", allow_null=True)
    right_title = serializers.CharField()
    score = serializers.IntegerField(allow_null=True)
    contested_fields = serializers.ListField(child=serializers.CharField(), source="contested")
    is_by_hand = serializers.BooleanField(source="by_hand")
    message = serializers.CharField()


class IdPairsInput(serializers.Serializer[Any]):
    """Ids that belong together; `pairs` are [id in `left`, id in `right`]."""

    entity = serializers.ChoiceField(sorted(ENTITIES))
    left = PublicIdField("connection")
    right = PublicIdField("connection")
    pairs = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=120), min_length=2, max_length=2),
        min_length=1, max_length=20_000,
    )  # fmt: skip


class JoiningInput(serializers.Serializer[Any]):
    """`joining_customer` becomes part of `customer`."""

    customer = PublicIdField("customer")
    joining_customer = PublicIdField("customer")
    environment = serializers.ChoiceField(EnvironmentKind.choices, default=EnvironmentKind.PRODUCTION.value)


class LineDecisionInput(serializers.Serializer[Any]):
    """The record it is; null: it stays a record of its own."""

    record = PublicIdField("record", allow_null=True)


class CarryOutInput(serializers.Serializer[Any]):
    prefers_joining = serializers.BooleanField(
        default=False, help_text="Where both records say something, the joining customer's is right."
    )


def told(plan: MergePlan) -> dict[str, Any]:
    done, total = plan_progress(plan)
    names = (
        "id", "source", "customer_id", "other_customer_id", "environment", "entity", "left_id", "right_id", "status",
        "message", "requested_at", "applied_at", "undone_at",
    )  # fmt: skip
    return {
        **{name: getattr(plan, name) for name in names}, "done": done, "total": total, "outcomes": count_outcomes(plan),
    }  # fmt: skip


def _answer(plan: MergePlan, status: int = 200) -> Response:
    return Response(MergePlanSerializer(told(plan)).data, status=status)  # type: ignore[arg-type]


class MergePlanList(ApiView):
    tag = "Merge plans"
    scopes = {"GET": "records.view"}

    @extend_schema(
        responses=paged(MergePlanSerializer),
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("source", str, enum=MergePlanSource.values)],
    )
    def get(self, request: Request) -> Response:
        """List imports of ids and joinings of customers, newest first."""
        source = self.asked("source", MergePlanSource.values)
        return self.list(list_merge_plans(self.actor, source), MergePlanSerializer, prepare=told)


class IdPairImports(ApiView):
    tag = "Merge plans"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(
        request=IdPairsInput, responses={202: MergePlanSerializer},
        examples=[
            OpenApiExample(
                "Two companies", {"entity": "account", "left": CON, "right": OTHER_CON, "pairs": [["17", "4"], ["18", "9"]]},
                request_only=True,
            )
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Have pairs of ids checked in the background; nothing is changed before the plan is carried out."""

        def act() -> Response:
            given = self.read(IdPairsInput)
            plan = request_pairs(
                actor=self.actor, now=clock.now(), entity=given["entity"], left=get_connection(self.actor, given["left"]),
                right=get_connection(self.actor, given["right"]), pairs=given["pairs"],
            )  # fmt: skip
            return _answer(plan, 202)

        return self.once(act)


class CustomerJoinings(ApiView):
    tag = "Merge plans"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(
        request=JoiningInput, responses={202: MergePlanSerializer},
        examples=[
            OpenApiExample("An acquisition", {"customer": CUS, "joining_customer": OTHER_CUS}, request_only=True)
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Have the records of two customers compared in the background; nothing is changed before you say so."""

        def act() -> Response:
            given = self.read(JoiningInput)
            plan = request_joining(
                actor=self.actor, now=clock.now(), customer=get_customer(self.actor, given["customer"]),
                other=get_customer(self.actor, given["joining_customer"]), kind=EnvironmentKind(given["environment"]),
            )  # fmt: skip
            return _answer(plan, 202)

        return self.once(act)


class MergePlanDetail(ApiView):
    tag = "Merge plans"
    scopes = {"GET": "records.view", "DELETE": "integrations.manage"}

    @extend_schema(responses=MergePlanSerializer)
    def get(self, request: Request, merge_plan_id: UUID) -> Response:
        """Watch a plan: how far it is, and how many records have which outcome."""
        return _answer(get_merge_plan(self.actor, merge_plan_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, merge_plan_id: UUID) -> Response:
        """Discard a plan that was never carried out."""
        discard_plan(actor=self.actor, now=clock.now(), plan=get_merge_plan(self.actor, merge_plan_id))
        return Response(status=204)


class MergePlanLines(ApiView):
    tag = "Merge plans"
    scopes = {"GET": "records.view"}

    @extend_schema(
        responses=paged(MergeLineSerializer),
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("outcome", str, enum=MergeOutcome.values)],
    )
    def get(self, request: Request, merge_plan_id: UUID) -> Response:
        """List what becomes of each line or record, the last one first."""
        outcome = self.asked("outcome", MergeOutcome.values)
        plan = get_merge_plan(self.actor, merge_plan_id)
        return self.list(planned_rows(plan, [outcome] if outcome else None), MergeLineSerializer)


class MergePlanLine(ApiView):
    tag = "Merge plans"
    scopes = {"GET": "records.view", "PUT": "integrations.manage"}

    @extend_schema(responses=MergeLineSerializer)
    def get(self, request: Request, merge_plan_id: UUID, line: int) -> Response:
        """Read one line."""
        return Response(MergeLineSerializer(get_planned_row(get_merge_plan(self.actor, merge_plan_id), line)).data)

    @extend_schema(
        request=LineDecisionInput, responses=MergeLineSerializer,
        examples=[OpenApiExample("A record of its own", {"record": None}, request_only=True)],
    )  # fmt: skip
    def put(self, request: Request, merge_plan_id: UUID, line: int) -> Response:
        """Decide by hand which record it meets, before a joining is carried out."""
        plan = get_merge_plan(self.actor, merge_plan_id)
        row, given = get_planned_row(plan, line), self.read(LineDecisionInput)
        decided = decide_row(actor=self.actor, now=clock.now(), plan=plan, row=row, right_id=given["record"])
        return Response(MergeLineSerializer(decided).data)


class MergePlanStep(ApiView):
    """Base of what is done with a plan as a whole."""

    tag = "Merge plans"
    scopes = {"POST": "integrations.manage"}

    def take(self, merge_plan_id: UUID, step: Callable[[MergePlan], MergePlan]) -> Response:
        return self.once(lambda: _answer(step(get_merge_plan(self.actor, merge_plan_id)), 202))


class MergePlanApply(MergePlanStep):
    @extend_schema(request=CarryOutInput, responses={202: MergePlanSerializer})
    def post(self, request: Request, merge_plan_id: UUID) -> Response:
        """Carry the plan out in the background."""
        prefers = self.read(CarryOutInput)["prefers_joining"]
        return self.take(
            merge_plan_id,
            lambda plan: apply_plan(actor=self.actor, now=clock.now(), plan=plan, prefers_other=prefers),
        )


class MergePlanUndo(MergePlanStep):
    @extend_schema(request=None, responses={202: MergePlanSerializer})
    def post(self, request: Request, merge_plan_id: UUID) -> Response:
        """Undo everything that the plan did, in the background."""
        return self.take(merge_plan_id, lambda plan: undo_plan(actor=self.actor, now=clock.now(), plan=plan))
