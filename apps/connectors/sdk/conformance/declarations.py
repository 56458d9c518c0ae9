"""What the connector says of itself holds."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance_harness import (
    Harness,
)
from apps.connectors.sdk.entities import ENTITIES, REFERENCES
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.manifest import AuthKind, Resolve
from apps.core import expressions


class DeclarationsConformance:
    def test_manifest_is_valid(self, harness: Harness) -> None:
        manifest = harness.connector_type.manifest

        assert set(harness.connector_type.stream_types) == {spec.name for spec in manifest.streams}
        assert set(harness.connector_type.sink_types) == {spec.name for spec in manifest.sinks}
        assert manifest.evidence_note
        # Field names are compared in small letters.
        assert bool(manifest.redact) != bool(manifest.nothing_to_hide)
        assert [rule for rule in manifest.redact if rule != rule.lower() or not rule.strip("*.")] == []
        assert (manifest.oauth2 is not None) == (manifest.auth is AuthKind.OAUTH2)
        if manifest.auth is AuthKind.API_KEY:
            assert any(field.secret for field in manifest.config)
        if manifest.webhook:
            assert set(manifest.webhook.streams) <= set(harness.connector_type.stream_types)
            assert manifest.webhook.signature_header == manifest.webhook.signature_header.lower()

    def test_stream_mappings_compile_and_speak_canonical(self, harness: Harness) -> None:
        manifest = harness.connector_type.manifest
        for spec in manifest.streams:
            assert set(spec.fields) <= set(ENTITIES[spec.entity].__struct_fields__), spec.name
            assert set(spec.refs) <= set(REFERENCES[spec.entity]), spec.name
            expressions.compile(spec.fields)
            for ref in spec.refs.values():
                assert manifest.stream(ref["stream"]).entity in ENTITIES
                expressions.compile_one(ref["id"])

    def test_sink_mappings_compile_and_their_objects_exist(self, harness: Harness) -> None:
        manifest = harness.connector_type.manifest
        objects = {spec.name for spec in manifest.streams} | {spec.name for spec in manifest.sinks}
        for spec in manifest.sinks:
            assert manifest.stream(spec.stream).entity == spec.entity, spec.name
            assert set(spec.refs) <= set(REFERENCES[spec.entity]), spec.name
            assert set(spec.refs.values()) <= objects, spec.name
            assert set(spec.required_refs) <= set(spec.refs), spec.name
            assert spec.batch_size >= 1
            assert not spec.deletes or callable(getattr(harness.connector().sink(spec.name), "delete", None)), spec.name
            assert (spec.settle_seconds > 0) == (spec.resolve is Resolve.LOOKUP_AFTER_SETTLE), spec.name
            expressions.compile(spec.fields)

    def test_check_names_the_account(self, harness: Harness) -> None:
        result = harness.connector().check()

        assert result.account_id
        assert result.account_name

    def test_a_bad_key_is_refused(self, harness: Harness) -> None:
        with pytest.raises(ConfigurationError):
            harness.connector(valid=False).check()
