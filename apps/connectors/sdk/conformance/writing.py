"""Each write is read back, and a key makes one object, whatever got lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from apps.connectors.sdk.conformance.ability import require
from apps.connectors.sdk.conformance_harness import (
    Harness,
    is_gone,
    new_key,
)
from apps.connectors.sdk.errors import RecordRejected, TransientError
from apps.connectors.sdk.manifest import Resolve, SinkSpec
from apps.connectors.sdk.types import SourceRecord, WriteRequest
from apps.core import expressions

MARKS = (Resolve.IDEMPOTENCY_KEY, Resolve.EXTERNAL_ID)


class WritingConformance:
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

    def test_what_is_deleted_is_gone_and_may_be_deleted_again(self, harness: Harness) -> None:
        for spec in self.creating_sinks(harness):
            if not spec.deletes:
                continue
            sink: Any = harness.connector().sink(spec.name)
            (made,) = sink.write([WriteRequest(key=new_key(), payload=harness.payload(spec.name))])
            assert made.record is not None, f"{spec.name}: {made.error}"
            for _ in range(2):
                sink.delete(made.record.external_id)
            stream = harness.connector_type.manifest.stream(spec.stream)
            assert is_gone(harness, stream, sink.get(made.record.external_id)), spec.name
            # What was never there, or went long ago, is no error either.
            sink.delete(harness.unknown_id)

    def test_a_create_whose_answer_was_lost_is_found(self, harness: Harness) -> None:
        require(harness, "faults")
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
