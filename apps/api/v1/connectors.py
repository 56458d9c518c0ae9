"""The catalogue of systems, and connectors that the partner writes down: drafted, published, shared as text."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, paged
from apps.api.fields import PublicIdField
from apps.api.paging import PAGE_PARAMETERS
from apps.connectors.models import CustomConnector
from apps.connectors.registry import list_manifests
from apps.connectors.sdk.declared.definition import LONGEST_SOURCE
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest, Domain, Evidence, SinkSpec, StreamSpec
from apps.connectors.selectors import get_custom_connector, get_version_numbered, list_custom_connectors
from apps.connectors.services import (
    archive_connector,
    create_custom_connector,
    publish_connector,
    restore_version,
    save_draft,
)
from apps.core import clock

SOURCE_HELP = "The definition in YAML, as the guide “Add a connector” describes it."
EXAMPLE = OpenApiExample(
    "A system with one list",
    {
        "source": "name: Timekeeper\ndomain: delivery\nbase_url: https://api.example.com\ncheck: {path: /me}\nobjects:\n"
        "  - name: projects\n    label: Projects\n    entity: project\n    id: id\n    list: {path: /projects}\n"
        "    fields: {name: record.name}\n"
    },
    request_only=True,
)


class CatalogueObjectSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    entity = serializers.CharField()
    reads = serializers.BooleanField()
    creates = serializers.BooleanField()
    updates = serializers.BooleanField()
    deletes = serializers.BooleanField()


class CatalogueEntrySerializer(serializers.Serializer[ConnectorManifest]):
    key = serializers.CharField(help_text="The `vendor` of a connection.")
    name = serializers.CharField()
    domains = serializers.SerializerMethodField()
    description = serializers.CharField()
    evidence = serializers.ChoiceField([str(kind) for kind in Evidence], help_text="The strongest proof behind it.")
    evidence_note = serializers.CharField(help_text="What was shown, and what was not.")
    auth = serializers.ChoiceField([str(kind) for kind in AuthKind])
    webhooks = serializers.SerializerMethodField(help_text="Whether the system tells of changes by itself.")
    hidden_fields = serializers.ListField(
        child=serializers.CharField(), source="redact", help_text="Whose values no log keeps."
    )
    objects = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField([str(domain) for domain in Domain])))
    def get_domains(self, manifest: ConnectorManifest) -> list[str]:
        return [manifest.domain.value, *(domain.value for domain in manifest.also_domains)]

    def get_webhooks(self, manifest: ConnectorManifest) -> bool:
        return manifest.webhook is not None

    @extend_schema_field(CatalogueObjectSerializer(many=True))
    def get_objects(self, manifest: ConnectorManifest) -> list[Any]:
        sinks = {sink.name: sink for sink in manifest.sinks}
        streams = {stream.name: stream for stream in manifest.streams}
        specs: dict[str, StreamSpec | SinkSpec] = {**sinks, **streams}
        return [
            {
                "name": name, "label": spec.label, "entity": spec.entity, "reads": name in streams,
                **{act: bool(name in sinks and getattr(sinks[name], act)) for act in ("creates", "updates", "deletes")},
            }
            for name, spec in specs.items()
        ]  # fmt: skip


class CatalogueSerializer(serializers.Serializer[Any]):
    connectors = CatalogueEntrySerializer(many=True)


class ConnectorVersionSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    note = serializers.CharField()
    published_at = serializers.DateTimeField()
    published_by = serializers.CharField(source="published_by_label")


class CustomConnectorSerializer(serializers.Serializer[CustomConnector]):
    id = PublicIdField("custom_connector")
    key = serializers.CharField(help_text="The `vendor` of its connections.")
    name = serializers.CharField()
    updated_at = serializers.DateTimeField()
    published = ConnectorVersionSerializer(allow_null=True)


class CustomConnectorTextSerializer(CustomConnectorSerializer):
    draft = serializers.CharField(help_text=SOURCE_HELP)
    published_source = serializers.CharField(
        source="published.source", default="", help_text="What its connections use; give it to another partner."
    )
    versions = serializers.SerializerMethodField()

    @extend_schema_field(ConnectorVersionSerializer(many=True))
    def get_versions(self, connector: CustomConnector) -> list[Any]:
        return list(ConnectorVersionSerializer(connector.versions.order_by("-number"), many=True).data)


class SourceInput(serializers.Serializer[Any]):
    source = serializers.CharField(max_length=LONGEST_SOURCE, trim_whitespace=False, help_text=SOURCE_HELP)  # type: ignore[assignment]


class ConnectorNoteInput(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ConnectorVersionInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1)


def told(connector: CustomConnector) -> Response:
    return Response(CustomConnectorTextSerializer(connector).data)


class Catalogue(ApiView):
    tag = "Connectors"
    scopes = {"GET": "connections.view"}

    @extend_schema(responses=CatalogueSerializer)
    def get(self, request: Request) -> Response:
        """Read the catalogue: each system with its objects and the evidence behind its connector."""
        return Response(CatalogueSerializer({"connectors": list_manifests()}).data)


class CustomConnectorList(ApiView):
    tag = "Connectors"
    scopes = {"GET": "connectors.manage", "POST": "connectors.manage"}

    @extend_schema(responses=paged(CustomConnectorSerializer), parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        """List the connectors that you wrote down."""
        return self.list(list_custom_connectors(self.actor), CustomConnectorSerializer)

    @extend_schema(request=SourceInput, responses={201: CustomConnectorTextSerializer}, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Write a connector down, as a draft. What cannot work is told with its place."""
        given = self.read(SourceInput)

        def act() -> Response:
            made = create_custom_connector(actor=self.actor, now=clock.now(), source=given["source"])
            return Response(CustomConnectorTextSerializer(made).data, status=201)

        return self.once(act)


class CustomConnectorDetail(ApiView):
    tag = "Connectors"
    scopes = {"GET": "connectors.manage", "PUT": "connectors.manage"}

    @extend_schema(responses=CustomConnectorTextSerializer)
    def get(self, request: Request, connector_id: UUID) -> Response:
        """Read a connector with its texts and versions."""
        return told(get_custom_connector(self.actor, connector_id))

    @extend_schema(request=SourceInput, responses=CustomConnectorTextSerializer, examples=[EXAMPLE])
    def put(self, request: Request, connector_id: UUID) -> Response:
        """Replace the draft; connections go on with what is published."""
        connector, given = get_custom_connector(self.actor, connector_id), self.read(SourceInput)
        save_draft(actor=self.actor, now=clock.now(), connector=connector, source=given["source"])
        return told(get_custom_connector(self.actor, connector_id))


class CustomConnectorPublish(ApiView):
    tag = "Connectors"
    scopes = {"POST": "connectors.manage"}

    @extend_schema(request=ConnectorNoteInput, responses=CustomConnectorTextSerializer)
    def post(self, request: Request, connector_id: UUID) -> Response:
        """Make the draft the version that connections use, within seconds."""
        connector, given = get_custom_connector(self.actor, connector_id), self.read(ConnectorNoteInput)

        def act() -> Response:
            publish_connector(actor=self.actor, now=clock.now(), connector=connector, note=given["note"])
            return told(get_custom_connector(self.actor, connector_id))

        return self.once(act)


class CustomConnectorRestore(ApiView):
    tag = "Connectors"
    scopes = {"POST": "connectors.manage"}

    @extend_schema(request=ConnectorVersionInput, responses=CustomConnectorTextSerializer)
    def post(self, request: Request, connector_id: UUID) -> Response:
        """Make an earlier version's text the draft."""
        connector, given = get_custom_connector(self.actor, connector_id), self.read(ConnectorVersionInput)
        version = get_version_numbered(connector, given["version"])

        def act() -> Response:
            restore_version(actor=self.actor, now=clock.now(), connector=connector, version=version)
            return told(get_custom_connector(self.actor, connector_id))

        return self.once(act)


class CustomConnectorArchive(ApiView):
    tag = "Connectors"
    scopes = {"POST": "connectors.manage"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, connector_id: UUID) -> Response:
        """Take a connector out of the catalogue; not while a connection uses it."""
        connector = get_custom_connector(self.actor, connector_id)

        def act() -> Response:
            archive_connector(actor=self.actor, now=clock.now(), connector=connector)
            return Response(status=204)

        return self.once(act)
