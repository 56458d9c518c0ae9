"""What counts when two systems disagree, and how sure the rules must be that two records are one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import PublicIdField
from apps.canonical.scoring import RULES
from apps.canonical.selectors import PolicyInForce, match_policies
from apps.canonical.services import reset_match_policy, set_match_policy
from apps.core import clock
from apps.customers.models import Customer
from apps.customers.selectors import get_customer
from apps.flows.definition import CONFLICT_POLICIES, DELETE_POLICIES
from apps.flows.selectors import get_integration, get_policy, list_policies
from apps.flows.services import reset_field_policy, set_field_policy

CUSTOMER = OpenApiParameter("customer", str, description="The rules of this customer; absent: the partner's.")


class FieldPolicySerializer(serializers.Serializer[Any]):
    """`id` is null for what the template says; setting a policy puts the integration's own in front of it."""

    id = PublicIdField("field_policy", source="own.pk", allow_null=True, default=None)
    entity = serializers.CharField()
    field = serializers.CharField(help_text="`*`: all fields without a policy of their own; `@deleted`: deletions.")
    policy = serializers.ChoiceField(sorted({**CONFLICT_POLICIES, **DELETE_POLICIES}))
    role = serializers.CharField(help_text="The system that is right, for `system_of_record`.", allow_blank=True)


class FieldPolicyInput(serializers.Serializer[Any]):
    entity = serializers.CharField(max_length=20)
    field = serializers.CharField(max_length=40)
    policy = serializers.ChoiceField(sorted({**CONFLICT_POLICIES, **DELETE_POLICIES}))
    role = serializers.CharField(max_length=30, required=False, allow_blank=True, default="")


class FieldPolicyList(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.manage", "PUT": "integrations.manage"}

    @extend_schema(responses=FieldPolicySerializer(many=True))
    def get(self, request: Request, integration_id: UUID) -> Response:
        """What the integration does about fields edited on both sides, and about deletions."""
        found = list_policies(get_integration(self.actor, integration_id))
        return Response(FieldPolicySerializer(found, many=True).data)

    @extend_schema(
        request=FieldPolicyInput,
        responses={
            200: FieldPolicySerializer(many=True),
            202: OpenApiResponse(FieldPolicySerializer(many=True), "Kept as a draft; a second person publishes it."),
        },
        examples=[
            OpenApiExample(
                "The ERP leads", {"entity": "account", "field": "phone", "policy": "system_of_record", "role": "erp"},
                request_only=True,
            ),
            OpenApiExample(
                "Carry deletions over", {"entity": "account", "field": "@deleted", "policy": "propagate"}, request_only=True
            ),
        ],
    )  # fmt: skip
    def put(self, request: Request, integration_id: UUID) -> Response:
        """Set one policy, from the next run on. A new version of the integration has it."""
        integration, given = get_integration(self.actor, integration_id), self.read(FieldPolicyInput)
        saved = set_field_policy(actor=self.actor, now=clock.now(), integration=integration, **given)
        answer = self.get(request, integration_id)
        answer.status_code = 200 if saved else 202
        return answer


class FieldPolicyDetail(ApiView):
    tag = "Integrations"
    scopes = {"DELETE": "integrations.manage"}

    @extend_schema(responses={204: None, 202: OpenApiResponse(description="A second person publishes it.")})
    def delete(self, request: Request, field_policy_id: UUID) -> Response:
        """Go back to the template's policy. A new version of the integration has it."""
        policy = get_policy(self.actor, field_policy_id)
        is_done = reset_field_policy(actor=self.actor, now=clock.now(), policy=policy)
        return Response(status=204 if is_done else 202)


class MatchRuleSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    points = serializers.IntegerField(help_text="0: switched off.")
    shipped_points = serializers.IntegerField()


class MatchRulesSerializer(serializers.Serializer[PolicyInForce]):
    """From `merge_score` on two records are one without asking (101: never); from `ask_score` on a person is asked."""

    entity = serializers.CharField()
    merge_score = serializers.IntegerField()
    ask_score = serializers.IntegerField()
    origin = serializers.ChoiceField(["shipped", "partner", "customer"])
    rules = MatchRuleSerializer(many=True)


class MatchRulesInput(serializers.Serializer[Any]):
    """`points` by rule; a rule that is not named keeps the shipped points."""

    merge_score = serializers.IntegerField()
    ask_score = serializers.IntegerField()
    points = serializers.DictField(child=serializers.IntegerField(min_value=-1000, max_value=100), default=dict)


class MatchRulesList(ApiView):
    tag = "Stewardship"
    scopes = {"GET": "records.view"}

    @extend_schema(responses=MatchRulesSerializer(many=True), parameters=[CUSTOMER])
    def get(self, request: Request) -> Response:
        """The rules in force, for every kind of record that is matched."""
        return Response([MatchRulesSerializer(policy).data for policy in match_policies(_customer(self))])


class MatchRulesDetail(ApiView):
    tag = "Stewardship"
    scopes = {"PUT": "integrations.manage", "DELETE": "integrations.manage"}

    @extend_schema(
        request=MatchRulesInput, responses=MatchRulesSerializer, parameters=[CUSTOMER],
        examples=[
            OpenApiExample(
                "Always ask; a telephone number proves nothing",
                {"merge_score": 101, "ask_score": 50, "points": {"phone": 0}}, request_only=True,
            )
        ],
    )  # fmt: skip
    def put(self, request: Request, entity: str) -> Response:
        """Set thresholds and points, for new records from now on."""
        customer, given = _customer(self), self.read(MatchRulesInput)
        set_match_policy(
            actor=self.actor, now=clock.now(), entity=_entity(entity), customer=customer,
            merge_score=given["merge_score"], ask_score=given["ask_score"], weights=given["points"],
        )  # fmt: skip
        return Response(MatchRulesSerializer(_in_force(entity, customer)).data)

    @extend_schema(responses=MatchRulesSerializer, parameters=[CUSTOMER])
    def delete(self, request: Request, entity: str) -> Response:
        """Go back to the partner's rules (for a customer) or the shipped ones."""
        customer = _customer(self)
        reset_match_policy(actor=self.actor, now=clock.now(), entity=_entity(entity), customer=customer)
        return Response(MatchRulesSerializer(_in_force(entity, customer)).data)


def _entity(entity: str) -> str:
    if entity not in RULES:
        raise ValidationError({"entity": [f"Use one of {', '.join(RULES)}."]})
    return entity


def _in_force(entity: str, customer: Customer | None) -> PolicyInForce:
    return next(policy for policy in match_policies(customer) if policy.entity == entity)


def _customer(view: ApiView) -> Customer | None:
    """The customer named in the query, else the one that the key belongs to."""
    given = view.request.query_params.get("customer")
    if given is not None:
        try:
            return get_customer(view.actor, PublicIdField("customer").to_internal_value(given))
        except serializers.ValidationError as error:
            raise ValidationError({"customer": error.detail}) from error
    own = view.actor.scope
    return get_customer(view.actor, next(iter(own))) if own is not None and len(own) == 1 else None
