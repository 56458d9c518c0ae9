"""The rules behind business exceptions over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import MoneySerializer, PublicIdField
from apps.canonical.models import Entity
from apps.core import clock
from apps.monitoring.models import ExceptionRule, Solver
from apps.monitoring.selectors import get_rule, list_rules
from apps.monitoring.services import RuleDraft, add_rule, draft_of, preview_rule, remove_rule, save_rule, switch_rule

SCOPES = {"GET": "exceptions.view", "POST": "integrations.manage", "PATCH": "integrations.manage", "DELETE": "integrations.manage"}  # fmt: skip


class RuleChange(serializers.Serializer[Any]):
    """Expressions are CEL over `record`; ways are references joined by `/`, alternatives by `|`."""

    name = serializers.CharField(max_length=120, required=False)
    condition = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    only_if = serializers.CharField(max_length=200, required=False, allow_blank=True)
    expectation = serializers.CharField(max_length=400, required=False, allow_blank=True)
    expected = serializers.CharField(max_length=500, required=False, allow_blank=True)
    only_where_known = serializers.BooleanField(required=False)
    within_days = serializers.IntegerField(min_value=0, max_value=730, required=False)
    counted_from = serializers.CharField(max_length=40, required=False, allow_blank=True)
    amount = serializers.CharField(max_length=500, required=False, allow_blank=True)
    solver = serializers.ChoiceField(Solver.choices, required=False)
    description = serializers.CharField(max_length=400, required=False, allow_blank=True)
    next_step = serializers.CharField(max_length=400, required=False, allow_blank=True)
    is_enabled = serializers.BooleanField(required=False)


class RuleInput(RuleChange):
    name = serializers.CharField(max_length=120)
    entity = serializers.ChoiceField(Entity.choices)
    is_enabled = None  # type: ignore[assignment]  # a new rule is on


class RuleSerializer(serializers.ModelSerializer[ExceptionRule]):
    class Meta:
        model = ExceptionRule
        fields = ("key", "name", "entity", "condition", "only_if", "expectation", "expected", "only_where_known",
                  "within_days", "counted_from", "amount", "solver", "description", "next_step", "is_enabled",
                  "is_shipped")  # fmt: skip


class HitSerializer(serializers.Serializer[Any]):
    record = PublicIdField("record", source="record_id")
    title = serializers.CharField()
    since = serializers.DateTimeField()
    amount = MoneySerializer(source="stake", allow_null=True)


class PreviewSerializer(serializers.Serializer[Any]):
    """What would be open today. `is_cut`: there are more than were counted."""

    count = serializers.IntegerField()
    customers = serializers.IntegerField()
    at_stake = MoneySerializer(many=True)
    examples = HitSerializer(many=True)
    is_cut = serializers.BooleanField()


class RuleList(ApiView):
    tag = "Exceptions"
    scopes = SCOPES

    @extend_schema(responses=RuleSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the rules, shipped and own, by name."""
        return Response(RuleSerializer(list_rules(self.actor), many=True).data)

    @extend_schema(request=RuleInput, responses={201: RuleSerializer})
    def post(self, request: Request) -> Response:
        """Add a rule. It is held against every record at once."""
        draft = RuleDraft(**self.read(RuleInput))
        return self.once(
            lambda: Response(RuleSerializer(add_rule(actor=self.actor, now=clock.now(), draft=draft)).data, status=201)
        )


class RuleDetail(ApiView):
    tag = "Exceptions"
    scopes = SCOPES

    @extend_schema(responses=RuleSerializer)
    def get(self, request: Request, rule_key: str) -> Response:
        """Read a rule."""
        return Response(RuleSerializer(get_rule(self.actor, rule_key)).data)

    @extend_schema(request=RuleChange, responses=RuleSerializer)
    def patch(self, request: Request, rule_key: str) -> Response:
        """Change a rule, or switch it on or off."""
        rule, given, now = get_rule(self.actor, rule_key), self.read(RuleChange), clock.now()
        is_enabled = given.pop("is_enabled", rule.is_enabled)
        if given:
            draft = RuleDraft(**{**draft_of(rule).values(), **given})
            save_rule(actor=self.actor, now=now, key=rule.key, draft=draft)
        switch_rule(actor=self.actor, now=now, key=rule.key, is_enabled=is_enabled)
        return Response(RuleSerializer(get_rule(self.actor, rule_key)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, rule_key: str) -> Response:
        """Remove an own rule with what it found, or give a shipped one its shipped words again."""
        remove_rule(actor=self.actor, now=clock.now(), key=get_rule(self.actor, rule_key).key)
        return Response(status=204)


class RulePreview(ApiView):
    tag = "Exceptions"
    scopes = {"POST": "integrations.manage"}

    @extend_schema(request=RuleInput, responses=PreviewSerializer)
    def post(self, request: Request) -> Response:
        """Count what a rule would hold open today. Nothing is saved."""
        found = preview_rule(actor=self.actor, now=clock.now(), draft=RuleDraft(**self.read(RuleInput)))
        shown = {
            "count": found.count, "customers": found.customers, "at_stake": found.stakes, "is_cut": found.is_cut,
            "examples": [hit for _, hit in found.examples],
        }  # fmt: skip
        return Response(PreviewSerializer(shown).data)
