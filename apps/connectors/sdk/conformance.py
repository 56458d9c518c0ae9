"""The suite every connector inherits; it runs unchanged against a simulator and a real server.

    class TestHarvest(ConnectorConformance):
        @pytest.fixture
        def harness(self, sandbox): return HarvestHarness(sandbox)

A harness speaks for one fresh (or shared, real) vendor account. What it cannot do - a real server cannot be told to
answer 429 - it leaves out of `abilities`; those checks are reported as skipped, never as passed.
"""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest

from apps.connectors.sdk import canonical_fields
from apps.connectors.sdk.conformance_harness import (
    Delivery,
    Harness,
    ids,
    new_key,
    records_of,
    through_storage,
    unreadable_values,
)
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, RateLimited, RecordRejected, TransientError
from apps.connectors.sdk.manifest import AuthKind, Resolve, SinkSpec
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.sdk.webhooks import ForgedWebhook
from apps.core import expressions

__all__ = ["ConnectorConformance", "Delivery", "Harness"]

MARKS = (Resolve.IDEMPOTENCY_KEY, Resolve.EXTERNAL_ID)


class ConnectorConformance:
    """Inherit it, give a `harness` fixture, done."""

    def test_manifest_is_valid(self, harness: Harness) -> None:
        manifest = harness.connector_type.manifest

        assert set(harness.connector_type.stream_types) == {spec.name for spec in manifest.streams}
        assert set(harness.connector_type.sink_types) == {spec.name for spec in manifest.sinks}
        assert manifest.evidence_note
        assert (manifest.oauth2 is not None) == (manifest.auth is AuthKind.OAUTH2)
        if manifest.auth is AuthKind.API_KEY:
            assert any(field.secret for field in manifest.config)
        if manifest.webhook:
            assert set(manifest.webhook.streams) <= set(harness.connector_type.stream_types)
            assert manifest.webhook.signature_header == manifest.webhook.signature_header.lower()

    def test_stream_mappings_compile_and_speak_canonical(self, harness: Harness) -> None:
        manifest = harness.connector_type.manifest
        for spec in manifest.streams:
            assert set(spec.fields) <= set(canonical_fields.FIELDS[spec.entity]), spec.name
            assert set(spec.refs) <= canonical_fields.REFS[spec.entity], spec.name
            expressions.compile(spec.fields)
            for ref in spec.refs.values():
                assert manifest.stream(ref["stream"]).entity in canonical_fields.FIELDS
                expressions.compile_one(ref["id"])

    def test_sink_mappings_compile_and_their_objects_exist(self, harness: Harness) -> None:
        manifest = harness.connector_type.manifest
        objects = {spec.name for spec in manifest.streams} | {spec.name for spec in manifest.sinks}
        for spec in manifest.sinks:
            assert manifest.stream(spec.stream).entity == spec.entity, spec.name
            assert set(spec.refs) <= canonical_fields.REFS[spec.entity], spec.name
            assert set(spec.refs.values()) <= objects, spec.name
            assert set(spec.required_refs) <= set(spec.refs), spec.name
            assert spec.batch_size >= 1
            assert (spec.settle_seconds > 0) == (spec.resolve is Resolve.LOOKUP_AFTER_SETTLE), spec.name
            expressions.compile(spec.fields)

    def test_check_names_the_account(self, harness: Harness) -> None:
        result = harness.connector().check()

        assert result.account_id
        assert result.account_name

    def test_a_bad_key_is_refused(self, harness: Harness) -> None:
        with pytest.raises(ConfigurationError):
            harness.connector(valid=False).check()

    def test_records_have_ids_times_and_canonical_values(self, harness: Harness) -> None:
        for spec in harness.connector_type.manifest.streams:
            seeded = set(harness.seed(spec.name, 2))
            pages = list(records_of(harness.connector(), spec.name, size=100))
            found = [record for page in pages for record in page.records]
            assert seeded <= ids(found), spec.name
            for record in found:
                assert orjson.dumps(record.data), spec.name
                assert record.modified_at is None or record.modified_at.tzinfo is not None, spec.name
                assert unreadable_values(spec, record, harness.settings()) == [], spec.name

    def test_get_gives_what_the_stream_reads(self, harness: Harness) -> None:
        for spec in harness.connector_type.manifest.streams:
            (seeded,) = harness.seed(spec.name, 1)
            stream = harness.connector().stream(spec.name)
            listed = [r for page in stream.read(checkpoint=None) for r in page.records if r.external_id == seeded]
            got = stream.get(seeded)
            mapping = expressions.compile(spec.fields)
            assert got is not None, spec.name
            assert got.external_id == seeded
            context = {"connection": harness.settings()}
            assert mapping.evaluate({"record": got.data, **context}) == mapping.evaluate(
                {"record": listed[-1].data, **context}
            ), spec.name

    def test_get_of_an_unknown_object_is_none(self, harness: Harness) -> None:
        for spec in harness.connector_type.manifest.streams:
            assert harness.connector().stream(spec.name).get(harness.unknown_id) is None, spec.name

    def test_it_reads_past_the_first_page(self, harness: Harness) -> None:
        for spec in harness.connector_type.manifest.streams:
            seeded = set(harness.seed(spec.name, harness.page_size * 2 + 1))
            pages = list(records_of(harness.connector(), spec.name, size=harness.page_size))
            assert len(pages) >= 2, spec.name
            assert seeded <= {i for page in pages for i in ids(page.records)}, spec.name

    def test_it_resumes_from_the_checkpoint_of_any_page(self, harness: Harness) -> None:
        for spec in harness.connector_type.manifest.streams:
            seeded = set(harness.seed(spec.name, harness.page_size * 2 + 1))
            pages = records_of(harness.connector(), spec.name, size=harness.page_size)
            read: set[str] = set()
            checkpoint: JsonDict | None = None
            # A process that dies after every single page still gets through, and reads everything.
            for _ in range(500):
                page = next(pages, None)
                if page is None or (seeded <= read):
                    break
                read |= ids(page.records)
                checkpoint = through_storage(page.checkpoint)
                pages = records_of(harness.connector(), spec.name, size=harness.page_size, checkpoint=checkpoint)
            assert seeded <= read, spec.name

    def test_nothing_written_during_a_read_is_missed(self, harness: Harness) -> None:
        for spec in harness.connector_type.manifest.streams:
            if not spec.incremental:
                continue
            seeded = harness.seed(spec.name, harness.page_size * 2 + 1)
            pages = records_of(harness.connector(), spec.name, size=harness.page_size)
            first = next(pages)
            late = set(harness.seed(spec.name, 1))
            harness.edit(spec.name, seeded[0])
            rest = list(pages)
            checkpoint = through_storage((rest or [first])[-1].checkpoint)
            again = list(records_of(harness.connector(), spec.name, size=100, checkpoint=checkpoint))
            seen = {i for page in (*rest, *again) for i in ids(page.records)}
            assert late | {seeded[0]} <= seen, spec.name
            assert set(seeded) <= seen | ids(first.records), spec.name

    def test_an_edit_shows_in_the_next_pass(self, harness: Harness) -> None:
        for spec in harness.connector_type.manifest.streams:
            if not spec.incremental:
                continue
            (seeded,) = harness.seed(spec.name, 1)
            *_, last = records_of(harness.connector(), spec.name, size=100)
            harness.edit(spec.name, seeded)
            checkpoint = through_storage(last.checkpoint)
            pages = list(records_of(harness.connector(), spec.name, size=100, checkpoint=checkpoint))
            assert seeded in {i for page in pages for i in ids(page.records)}, spec.name

    @pytest.mark.parametrize(
        "kind,options,error",
        [
            ("status", {"status": 401}, ConfigurationError),
            ("status", {"status": 500}, TransientError),
            ("status", {"status": 502}, TransientError),
            ("status", {"status": 503}, TransientError),
            ("reset", {}, TransientError),
            ("truncate", {}, TransientError),
        ],
    )
    def test_vendor_trouble_becomes_the_right_error(
        self, harness: Harness, kind: str, options: JsonDict, error: type[ConnectorError]
    ) -> None:
        self.require(harness, "faults")
        stream = harness.connector_type.manifest.streams[0].name
        harness.seed(stream, 1)
        connector = harness.connector()
        harness.fault(kind, **options)

        with pytest.raises(error) as caught:
            list(records_of(connector, stream, size=100))

        assert not isinstance(caught.value, RateLimited)

    def test_a_rate_limit_carries_the_vendors_delay(self, harness: Harness) -> None:
        self.require(harness, "faults")
        stream = harness.connector_type.manifest.streams[0].name
        connector = harness.connector()
        harness.fault("429", retry_after=7)

        with pytest.raises(RateLimited) as caught:
            list(records_of(connector, stream, size=100))

        assert caught.value.retry_after == 7

    def test_every_write_is_read_back(self, harness: Harness) -> None:
        for spec in self.creating_sinks(harness):
            before = harness.count(spec.name)
            sink = harness.connector().sink(spec.name)
            key = new_key()
            (result,) = sink.write([WriteRequest(key=key, payload=harness.payload(spec.name))])
            assert result.error is None, f"{spec.name}: {result.error}"
            assert result.key == key
            assert result.record is not None
            assert harness.count(spec.name) == before + 1, spec.name
            self.assert_same(harness, spec, result.record, sink.get(result.record.external_id))

    def test_writing_twice_under_one_key_makes_one_object(self, harness: Harness) -> None:
        for spec in self.creating_sinks(harness):
            before = harness.count(spec.name)
            request = WriteRequest(key=new_key(), payload=harness.payload(spec.name))
            (first,) = harness.connector().sink(spec.name).write([request])
            harness.settle(spec.settle_seconds)
            sink = harness.connector().sink(spec.name)
            # Sinks without a mark of their own at the vendor rely on the engine, which resolves before it repeats.
            second = sink.write([request])[0].record if spec.resolve in MARKS else sink.resolve(request.key)
            if spec.resolve is Resolve.NONE:
                continue
            assert first.record is not None, f"{spec.name}: {first.error}"
            assert second is not None, spec.name
            assert second.external_id == first.record.external_id, spec.name
            assert harness.count(spec.name) == before + 1, spec.name

    def test_a_create_whose_answer_was_lost_is_found(self, harness: Harness) -> None:
        self.require(harness, "faults")
        for spec in self.creating_sinks(harness):
            if spec.resolve is Resolve.NONE:
                continue
            request = WriteRequest(key=new_key(), payload=harness.payload(spec.name))
            before = harness.count(spec.name)
            harness.lose_answer(spec.name)
            with pytest.raises(TransientError):
                harness.connector().sink(spec.name).write([request])
            assert harness.count(spec.name) == before + 1, spec.name
            harness.settle(spec.settle_seconds)
            found = self.recover(harness, spec, request)
            assert found is not None, spec.name
            assert harness.count(spec.name) == before + 1, spec.name

    def test_a_key_never_written_resolves_to_nothing(self, harness: Harness) -> None:
        for spec in self.creating_sinks(harness):
            # With vendor idempotency the repeat itself is the resolution; there is nothing to look up.
            if spec.resolve not in (Resolve.NONE, Resolve.IDEMPOTENCY_KEY):
                assert harness.connector().sink(spec.name).resolve(new_key()) is None, spec.name

    def test_an_update_changes_the_object_and_makes_no_other(self, harness: Harness) -> None:
        for spec in self.creating_sinks(harness):
            if not spec.updates:
                continue
            sink = harness.connector().sink(spec.name)
            (made,) = sink.write([WriteRequest(key=new_key(), payload=harness.payload(spec.name))])
            assert made.record is not None, f"{spec.name}: {made.error}"
            before = harness.count(spec.name)
            external_id = made.record.external_id
            change = WriteRequest(key=new_key(), payload=harness.change(spec.name), external_id=external_id)
            (changed,) = sink.write([change])
            assert changed.error is None, f"{spec.name}: {changed.error}"
            assert changed.record is not None
            assert changed.record.external_id == external_id, spec.name
            assert harness.count(spec.name) == before, spec.name
            self.assert_same(harness, spec, changed.record, sink.get(external_id))

    def test_a_refused_record_stops_no_other(self, harness: Harness) -> None:
        for spec in self.creating_sinks(harness):
            bad = harness.bad_payload(spec.name)
            if bad is None:
                continue
            before = harness.count(spec.name)
            payloads = [harness.payload(spec.name), bad, harness.payload(spec.name)]
            requests = [WriteRequest(key=new_key(), payload=payload) for payload in payloads]
            results = harness.connector().sink(spec.name).write(requests)
            assert [result.key for result in results] == [request.key for request in requests], spec.name
            assert [result.error is None for result in results] == [True, False, True], spec.name
            assert isinstance(results[1].error, RecordRejected), spec.name
            assert harness.count(spec.name) == before + 2, spec.name

    def test_a_genuine_webhook_is_accepted_and_a_forged_one_refused(self, harness: Harness) -> None:
        self.require(harness, "webhooks")
        webhook = harness.connector_type.manifest.webhook
        assert webhook is not None
        stream = webhook.streams[0]
        sent = harness.delivery(stream)
        headers = {name.lower(): value for name, value in sent.headers.items()}
        good: dict[str, Any] = {"secret": sent.secret, "headers": headers, "body": sent.body, "url": sent.url}
        verify = harness.connector_type.verify_webhook

        events = verify(**good, now=sent.now)
        assert stream in {event.stream for event in events}
        assert all(event.event_id for event in events)

        unsigned = {name: value for name, value in headers.items() if name != webhook.signature_header}
        forgeries: list[dict[str, Any]] = [
            {"secret": "another-secret"},
            {"body": sent.body + b" "},
            {"headers": unsigned},
            {"headers": {**headers, webhook.signature_header: "x"}},
        ]
        for forgery in forgeries:
            with pytest.raises(ForgedWebhook):
                verify(**{**good, **forgery}, now=sent.now)

    def test_each_call_asks_the_budget_and_is_observed(self, harness: Harness) -> None:
        connector = harness.connector()
        connector.check()
        list(records_of(connector, harness.connector_type.manifest.streams[0].name, size=100))

        assert len(harness.exchanges) >= 2
        assert harness.acquired == len(harness.exchanges)
        assert all(exchange.status and exchange.status < 400 for exchange in harness.exchanges)

    def test_secrets_stay_out_of_logs_errors_and_exchanges(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        secrets = {*harness.credentials(valid=True).values(), *harness.credentials(valid=False).values()}
        texts: list[str] = []
        with caplog.at_level(logging.DEBUG):
            harness.connector().check()
            with pytest.raises(ConnectorError) as caught:
                harness.connector(valid=False).check()
            texts += [repr(caught.value), str(caught.value), caught.value.message]
            if "faults" in harness.abilities:
                connector = harness.connector()
                harness.fault("status", status=500)
                with pytest.raises(ConnectorError) as broken:
                    list(records_of(connector, harness.connector_type.manifest.streams[0].name, size=100))
                texts += [repr(broken.value), str(broken.value), broken.value.message]
        texts += [record.getMessage() for record in caplog.records] + [repr(exchange) for exchange in harness.exchanges]
        leaked = [text for text in texts for secret in secrets if len(secret) >= 6 and secret in text]
        assert leaked == []

    # Steps the checks share.

    def require(self, harness: Harness, ability: str) -> None:
        if ability not in harness.abilities:
            pytest.skip(f"this server offers no {ability}")

    def creating_sinks(self, harness: Harness) -> list[SinkSpec]:
        return [spec for spec in harness.connector_type.manifest.sinks if spec.creates]

    def recover(self, harness: Harness, spec: SinkSpec, request: WriteRequest) -> SourceRecord | None:
        """What the engine does with an unconfirmed create."""
        sink = harness.connector().sink(spec.name)
        if spec.resolve is Resolve.IDEMPOTENCY_KEY:
            return sink.write([request])[0].record
        return sink.resolve(request.key)

    def assert_same(self, harness: Harness, spec: SinkSpec, claimed: SourceRecord, held: SourceRecord | None) -> None:
        """The record a write claims is the one the vendor holds, in every canonical field."""
        assert held is not None, spec.name
        mapping = expressions.compile(harness.connector_type.manifest.stream(spec.stream).fields)
        context = {"connection": harness.settings()}
        assert claimed.external_id == held.external_id, spec.name
        assert mapping.evaluate({"record": claimed.data, **context}) == mapping.evaluate(
            {"record": held.data, **context}
        ), spec.name
