"""Whatever the vendor holds is read, once it is there, and nothing is missed."""

from __future__ import annotations

import orjson
import pytest

from apps.connectors.sdk.conformance_harness import (
    Harness,
    MissingAbility,
    ids,
    is_gone,
    records_of,
    through_storage,
    unreadable_values,
)
from apps.connectors.sdk.types import JsonDict
from apps.core import expressions


class ReadingConformance:
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
            assert len(pages) >= (2 if spec.paged else 1), spec.name
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

    def test_what_is_deleted_there_shows(self, harness: Harness) -> None:
        """In the next pass where the vendor tells of it (`deletes`); else a full read, which comparisons go by, has it no more."""
        for spec in harness.connector_type.manifest.streams:
            (seeded,) = harness.seed(spec.name, 1)
            *_, last = records_of(harness.connector(), spec.name, size=100)
            try:
                if not harness.remove(spec.name, seeded):
                    continue
            except MissingAbility as error:
                pytest.skip(str(error))
            checkpoint = through_storage(last.checkpoint) if spec.deletes else None
            pages = records_of(harness.connector(), spec.name, size=100, checkpoint=checkpoint)
            told = [record for page in pages for record in page.records if record.external_id == seeded]
            assert told or not spec.deletes, f"{spec.name}: the deletion is not told"
            assert is_gone(harness, spec, told[-1] if told else None), spec.name
