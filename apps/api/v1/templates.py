"""Templates: what can be deployed, own ones, and the life of their versions."""

from __future__ import annotations

from collections.abc import Callable
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
from apps.core.errors import NotVisible
from apps.flows.models import OPEN_VERSIONS, IntegrationTemplateVersion, VersionStatus
from apps.flows.selectors import get_template, list_template_versions
from apps.flows.services import (
    create_template,
    deprecate_template,
    discard_template_draft,
    fork_template,
    open_template_draft,
    publish_template,
    return_template,
    revive_template,
    save_template_draft,
    submit_template,
)
from apps.flows.services.template_versions import source_of


class TemplateVersionSerializer(serializers.Serializer[IntegrationTemplateVersion]):
    id = PublicIdField("template_version")
    template = serializers.CharField(source="template.key")
    name = serializers.CharField(source="template.name")
    number = serializers.CharField()
    is_own = serializers.BooleanField(source="template.is_own")
    forked_from = PublicIdField("template_version", source="template.forked_from_id", allow_null=True)
    status = serializers.ChoiceField(VersionStatus.choices)
    note = serializers.CharField()
    author = serializers.CharField(source="author_label")
    reviewer = serializers.CharField(source="reviewer_label")
    review_note = serializers.CharField()
    released_at = serializers.DateTimeField(allow_null=True)
    deprecated_at = serializers.DateTimeField(allow_null=True)
    deprecation_reason = serializers.CharField()


class TemplateTextSerializer(TemplateVersionSerializer):
    yaml = serializers.SerializerMethodField(help_text="The template as YAML.")

    def get_yaml(self, version: IntegrationTemplateVersion) -> str:
        return source_of(version)


class TemplateInput(serializers.Serializer[Any]):
    yaml = serializers.CharField(trim_whitespace=False, help_text="The template as YAML.")


class DraftInput(TemplateInput):
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ForkInput(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=60, help_text="Begins with `custom-`.")
    name = serializers.CharField(max_length=120)


class TemplateReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class TemplateList(ApiView):
    tag = "Templates"
    scopes = {"GET": "integrations.view", "POST": "templates.manage"}
    body_names = {"source": "yaml"}

    @extend_schema(responses=paged(TemplateVersionSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List every version of every template, newest first."""
        found = list_template_versions()
        # What is still being written is the partner's own business.
        found = found if self.actor.scope is None else found.exclude(status__in=OPEN_VERSIONS)
        return self.list(found, TemplateVersionSerializer)

    @extend_schema(request=TemplateInput, responses={201: TemplateTextSerializer})
    def post(self, request: Request) -> Response:
        """Begin a template of your own from YAML; it is a draft until you publish it."""
        given = self.read(TemplateInput)

        def act() -> Response:
            made = create_template(actor=self.actor, now=clock.now(), source=given["yaml"])
            return Response(TemplateTextSerializer(made).data, status=201)

        return self.once(act)


class TemplateDetail(ApiView):
    tag = "Templates"
    scopes = {"GET": "integrations.view", "PUT": "templates.manage", "DELETE": "templates.manage"}
    body_names = {"source": "yaml"}

    @extend_schema(responses=TemplateTextSerializer)
    def get(self, request: Request, template_version_id: UUID) -> Response:
        """Read a version with its YAML."""
        found = get_template(template_version_id)
        if self.actor.scope is not None and found.status in OPEN_VERSIONS:
            raise NotVisible("There is no such template.")
        return Response(TemplateTextSerializer(found).data)

    @extend_schema(request=DraftInput, responses=TemplateTextSerializer)
    def put(self, request: Request, template_version_id: UUID) -> Response:
        """Replace the YAML of a draft. What is wrong is told with its line."""
        version = get_template(template_version_id)
        given = self.read(DraftInput)
        saved = save_template_draft(
            actor=self.actor, now=clock.now(), version=version, source=given["yaml"], note=given["note"]
        )
        return Response(TemplateTextSerializer(saved).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, template_version_id: UUID) -> Response:
        """Discard a draft."""
        discard_template_draft(actor=self.actor, now=clock.now(), version=get_template(template_version_id))
        return Response(status=204)


class TemplateFork(ApiView):
    tag = "Templates"
    scopes = {"POST": "templates.manage"}

    @extend_schema(request=ForkInput, responses={201: TemplateTextSerializer})
    def post(self, request: Request, template_version_id: UUID) -> Response:
        """Begin a template of your own with the text of a released version."""
        version, given = get_template(template_version_id), self.read(ForkInput)

        def act() -> Response:
            made = fork_template(actor=self.actor, now=clock.now(), version=version, **given)
            return Response(TemplateTextSerializer(made).data, status=201)

        return self.once(act)


class _Step(ApiView):
    """One step in a version's life."""

    tag = "Templates"
    scopes = {"POST": "templates.manage"}
    service: Callable[..., IntegrationTemplateVersion]
    takes_reason = False

    def step(self, template_version_id: UUID) -> Response:
        kind: Any = type(self)

        def act() -> Response:
            version = get_template(template_version_id)
            given = self.read(TemplateReasonInput) if self.takes_reason else {}
            changed = kind.service(actor=self.actor, now=clock.now(), version=version, **given)
            return Response(TemplateVersionSerializer(changed).data)

        return self.once(act)


class TemplateDraft(_Step):
    service = staticmethod(open_template_draft)

    @extend_schema(request=None, responses=TemplateVersionSerializer)
    def post(self, request: Request, template_version_id: UUID) -> Response:
        """Begin the next version of your own template; the one that is open already is returned."""
        return self.step(template_version_id)


class TemplateSubmit(_Step):
    service = staticmethod(submit_template)

    @extend_schema(request=None, responses=TemplateVersionSerializer)
    def post(self, request: Request, template_version_id: UUID) -> Response:
        """Hand a draft in for review."""
        return self.step(template_version_id)


class TemplateReturn(_Step):
    service = staticmethod(return_template)
    takes_reason = True

    @extend_schema(request=TemplateReasonInput, responses=TemplateVersionSerializer)
    def post(self, request: Request, template_version_id: UUID) -> Response:
        """Give a version in review back to its author."""
        return self.step(template_version_id)


class TemplatePublish(_Step):
    service = staticmethod(publish_template)

    @extend_schema(request=None, responses=TemplateVersionSerializer)
    def post(self, request: Request, template_version_id: UUID) -> Response:
        """Release a version: it can be deployed and rolled out, and never changes again."""
        return self.step(template_version_id)


class TemplateDeprecate(_Step):
    service = staticmethod(deprecate_template)
    takes_reason = True

    @extend_schema(request=TemplateReasonInput, responses=TemplateVersionSerializer)
    def post(self, request: Request, template_version_id: UUID) -> Response:
        """End new deployments of a version; what is deployed goes on."""
        return self.step(template_version_id)


class TemplateRevive(_Step):
    service = staticmethod(revive_template)

    @extend_schema(request=None, responses=TemplateVersionSerializer)
    def post(self, request: Request, template_version_id: UUID) -> Response:
        """Allow new deployments of a deprecated version again."""
        return self.step(template_version_id)
