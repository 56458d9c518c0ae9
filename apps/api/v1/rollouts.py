"""Versions of integrations, and template versions on their way to customers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.core import clock
from apps.flows.models import IntegrationRevision, RolloutMember, RolloutStatus, TemplateRollout, VersionStatus
from apps.flows.selectors import get_integration, get_rollout, get_template, list_rollouts
from apps.flows.services import restore_revision
from apps.sync.services import cancel_rollout, resume_rollout, roll_back, start_rollout
from apps.sync.services.rollouts import candidates


class RevisionSerializer(serializers.Serializer[IntegrationRevision]):
    number = serializers.IntegerField()
    status = serializers.ChoiceField(VersionStatus.choices)
    template_version = PublicIdField("template_version", source="template_version_id", allow_null=True)
    settings = serializers.JSONField(allow_null=True)
    note = serializers.CharField()
    author = serializers.CharField(source="author_label")
    published_by = serializers.CharField(source="published_by_label")
    published_at = serializers.DateTimeField(allow_null=True)


class RestoreInput(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=1)


class MemberSerializer(serializers.Serializer[RolloutMember]):
    integration = PublicIdField("integration", source="integration_id")
    customer = PublicIdField("customer", source="customer_id")
    stage = serializers.IntegerField()
    status = serializers.CharField()
    message = serializers.CharField()


class RolloutSerializer(serializers.Serializer[TemplateRollout]):
    id = PublicIdField("rollout")
    template_version = PublicIdField("template_version", source="version_id")
    status = serializers.ChoiceField(RolloutStatus.choices)
    stages = serializers.ListField(child=serializers.IntegerField(), help_text="Integrations in each stage.")
    stage = serializers.IntegerField(help_text="The stage it is at, from 0.")
    halt_reason = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    members = MemberSerializer(many=True)


class RolloutInput(serializers.Serializer[Any]):
    template_version = PublicIdField("template_version")
    integrations = serializers.ListField(
        child=PublicIdField("integration"), required=False, help_text="In this order; without it everybody behind."
    )
    stages = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, default=list, max_length=20,
        help_text="Counts before everybody else: [1, 5].",
    )  # fmt: skip
    answers = serializers.DictField(
        child=serializers.DictField(),
        required=False,
        default=dict,
        help_text="Settings that are asked, by integration.",
    )


class IntegrationVersions(ApiView):
    tag = "Integrations"
    scopes = {"GET": "integrations.view", "POST": "integrations.manage"}

    @extend_schema(responses=paged(RevisionSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request, integration_id: UUID) -> Response:
        """List the versions of an integration, newest first."""
        return self.list(get_integration(self.actor, integration_id).revisions.all(), RevisionSerializer)

    @extend_schema(request=RestoreInput, responses=RevisionSerializer)
    def post(self, request: Request, integration_id: UUID) -> Response:
        """Go back to an earlier version: it becomes a new one, or a draft where a second person publishes."""

        def act() -> Response:
            integration = get_integration(self.actor, integration_id)
            number = self.read(RestoreInput)["number"]
            revision = integration.revisions.filter(number=number).first()
            if revision is None:
                raise serializers.ValidationError({"number": ["There is no such version."]})
            made = restore_revision(actor=self.actor, now=clock.now(), integration=integration, revision=revision)
            return Response(RevisionSerializer(made).data)

        return self.once(act)


class RolloutList(ApiView):
    tag = "Templates"
    scopes = {"GET": "templates.manage", "POST": "templates.manage"}

    @extend_schema(responses=paged(RolloutSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List rollouts, newest first."""
        return self.list(list_rollouts(self.actor).prefetch_related("members"), RolloutSerializer)

    @extend_schema(request=RolloutInput, responses={201: RolloutSerializer})
    def post(self, request: Request) -> Response:
        """Bring a template version to customers, stage by stage; it halts at the first failure."""
        given = self.read(RolloutInput)
        version = get_template(given["template_version"])
        asked = given.get("integrations")
        fleet = candidates(self.actor, version) if asked is None else [get_integration(self.actor, i) for i in asked]
        answers = {
            PublicIdField("integration").to_internal_value(key): value for key, value in given["answers"].items()
        }

        def act() -> Response:
            rollout = start_rollout(
                actor=self.actor, now=clock.now(), version=version, integrations=fleet, stages=given["stages"],
                answers=answers,
            )  # fmt: skip
            return Response(RolloutSerializer(rollout).data, status=201)

        return self.once(act)


class RolloutDetail(ApiView):
    tag = "Templates"
    scopes = {"GET": "templates.manage"}

    @extend_schema(responses=RolloutSerializer)
    def get(self, request: Request, rollout_id: UUID) -> Response:
        """Read a rollout with its customers."""
        return Response(RolloutSerializer(get_rollout(self.actor, rollout_id)).data)


class RolloutResume(ApiView):
    tag = "Templates"
    scopes = {"POST": "templates.manage"}

    @extend_schema(request=None, responses=RolloutSerializer)
    def post(self, request: Request, rollout_id: UUID) -> Response:
        """Go on after a halt; who failed is tried again."""

        def act() -> Response:
            rollout = get_rollout(self.actor, rollout_id)
            resume_rollout(actor=self.actor, now=clock.now(), rollout=rollout)
            return Response(RolloutSerializer(get_rollout(self.actor, rollout_id)).data)

        return self.once(act)


class RolloutCancel(ApiView):
    tag = "Templates"
    scopes = {"POST": "templates.manage"}

    @extend_schema(request=None, responses=RolloutSerializer)
    def post(self, request: Request, rollout_id: UUID) -> Response:
        """End a rollout where it is."""

        def act() -> Response:
            rollout = get_rollout(self.actor, rollout_id)
            cancel_rollout(actor=self.actor, now=clock.now(), rollout=rollout)
            return Response(RolloutSerializer(get_rollout(self.actor, rollout_id)).data)

        return self.once(act)


class RolloutBack(ApiView):
    tag = "Templates"
    scopes = {"POST": "templates.manage"}

    @extend_schema(request=None, responses=RolloutSerializer)
    def post(self, request: Request, rollout_id: UUID) -> Response:
        """Give everybody back what they had before, in the background."""

        def act() -> Response:
            rollout = get_rollout(self.actor, rollout_id)
            roll_back(actor=self.actor, now=clock.now(), rollout=rollout)
            return Response(RolloutSerializer(get_rollout(self.actor, rollout_id)).data)

        return self.once(act)
