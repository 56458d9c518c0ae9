"""One version of an integration: what it changed, and its way from a draft to its publication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.v1.rollouts import RevisionSerializer
from apps.api.v1.templates import TemplateReasonInput
from apps.core import clock
from apps.core.errors import NotVisible
from apps.flows.comparing import compare_states
from apps.flows.models import IntegrationRevision
from apps.flows.selectors import get_integration, revision_before
from apps.flows.services import discard_revision, publish_revision, return_revision, submit_revision
from apps.flows.states import state_of, state_of_revision


class DifferenceSerializer(serializers.Serializer[Any]):
    part = serializers.CharField(source="place")
    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class RevisionDetailSerializer(RevisionSerializer):
    changed = DifferenceSerializer(many=True, help_text="Against the version before it.")
    back = DifferenceSerializer(many=True, help_text="What going back to it would change now.")


class _Version(ApiView):
    tag = "Integrations"

    def find(self, integration_id: UUID, number: int) -> IntegrationRevision:
        """Raises NotVisible."""
        integration = get_integration(self.actor, integration_id)
        found = integration.revisions.select_related("template_version").filter(number=number).first()
        if found is None:
            raise NotVisible("There is no such version.")
        found.integration = integration
        return found


class VersionDetail(_Version):
    scopes = {"GET": "integrations.view", "DELETE": "integrations.manage"}

    @extend_schema(responses=RevisionDetailSerializer)
    def get(self, request: Request, integration_id: UUID, number: int) -> Response:
        """Read a version: what it changed, and what going back to it would change."""
        version: Any = self.find(integration_id, number)
        then, earlier = state_of_revision(version), revision_before(version)
        version.changed = compare_states(state_of_revision(earlier), then) if earlier else []
        version.back = compare_states(state_of(version.integration), then)
        return Response(RevisionDetailSerializer(version).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, integration_id: UUID, number: int) -> Response:
        """Discard a version that is not published yet."""
        discard_revision(actor=self.actor, now=clock.now(), revision=self.find(integration_id, number))
        return Response(status=204)


class _Step(_Version):
    scopes = {"POST": "integrations.manage"}
    form: ClassVar[type[serializers.Serializer[Any]] | None] = None

    def take(self, integration_id: UUID, number: int, step: Callable[..., IntegrationRevision]) -> Response:
        def act() -> Response:
            version = self.find(integration_id, number)
            given = self.read(self.form) if self.form else {}
            return Response(RevisionSerializer(step(actor=self.actor, now=clock.now(), revision=version, **given)).data)

        return self.once(act)


class VersionSubmit(_Step):
    @extend_schema(request=None, responses=RevisionSerializer)
    def post(self, request: Request, integration_id: UUID, number: int) -> Response:
        """Hand a draft in for review."""
        return self.take(integration_id, number, submit_revision)


class VersionReturn(_Step):
    form = TemplateReasonInput

    @extend_schema(request=TemplateReasonInput, responses=RevisionSerializer)
    def post(self, request: Request, integration_id: UUID, number: int) -> Response:
        """Give a version in review back to its author, with what is to be changed."""
        return self.take(integration_id, number, return_revision)


class VersionPublish(_Step):
    @extend_schema(request=None, responses=RevisionSerializer)
    def post(self, request: Request, integration_id: UUID, number: int) -> Response:
        """Put a version in force; runs that begin later use it. Whoever wrote it may not, where a second person does."""
        return self.take(integration_id, number, publish_revision)
