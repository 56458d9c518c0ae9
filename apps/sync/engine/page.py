"""The page transaction: everything a page causes commits at once, with the checkpoint that follows it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from apps.canonical.references import mark_deleted, save_references
from apps.canonical.workspace import Workspace
from apps.connectors.sdk.types import SourceRecord
from apps.core.bulk import json_text, write
from apps.core.ids import uuid7
from apps.sync.engine.claim import effects
from apps.sync.engine.conflicts import Judge
from apps.sync.engine.consequences import Consequences, draw_consequences, note_failures
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.crashpoints import crash_here
from apps.sync.engine.deletions import newly_deleted, note_deletions
from apps.sync.engine.failures import from_reading, resolve_reading
from apps.sync.engine.filtering import ReadFilter
from apps.sync.engine.invoiced_time import note_invoiced_time
from apps.sync.engine.journal import Entry
from apps.sync.engine.mapping import SourceMapping
from apps.sync.engine.merging import Merger
from apps.sync.engine.read import ReadFailure, SiftedPage, sift_page
from apps.sync.models import RecordAction

Checkpoint = dict[str, Any]
_CHECKPOINT = """
INSERT INTO sync_checkpoint (id, flow_id, connection_id, stream, position, updated_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (flow_id, connection_id, stream) DO UPDATE SET position = EXCLUDED.position, updated_at = EXCLUDED.updated_at
"""


class StreamReader:
    """Takes the pages of one stream over. Pages without a change are only counted until `finish` or the next change."""

    def __init__(self, context: RunContext, system: BoundSystem, mapping: SourceMapping, kept: str = "") -> None:
        """`kept`: a read's filter."""
        self.context = context
        self._filter = ReadFilter(kept, context) if kept else None
        self.system = system
        self.mapping = mapping
        self._counted: Checkpoint | None = None
        self._counted_since: datetime | None = None

    def take(self, records: Iterable[SourceRecord], checkpoint: Checkpoint | None) -> Consequences | None:
        """One page with all that follows from it. `checkpoint` None: records by id, which move no checkpoint."""
        page = sift_page(self.system, self.mapping, records, self._filter)
        crash_here("page_read")
        if page.records or page.failures or page.tombstones or self.context.has_failures:
            return self._commit(page, checkpoint)
        self._count(page)
        self._count_only(checkpoint)
        return None

    def finish(self) -> None:
        """This method will commit what was only counted."""
        if self._counted is not None:
            with effects(self.context) as now:
                self._save_checkpoint(self._counted, now)
            self._counted = self._counted_since = None

    def _count_only(self, checkpoint: Checkpoint | None) -> None:
        # A crash replays these pages, and their hashes make that a no-op: one commit a second is enough.
        now = self.context.now()
        self._counted, self._counted_since = checkpoint, self._counted_since or now
        if (now - self._counted_since).total_seconds() >= 1:
            self.finish()

    def _commit(self, page: SiftedPage, checkpoint: Checkpoint | None) -> Consequences:
        with effects(self.context) as now:
            workspace = self.context.workspace("connection", self.system.connection.pk)
            gone = newly_deleted(self.system.connection.pk, self.mapping.spec.name, _deleted_ids(page))
            judge = Judge(self.context.policies, self.system.connection.pk, now)
            merger = Merger(workspace, self.system, now, judge)
            merger.merge(page.records)
            workspace.flush()
            merger.ask()
            save_references(merger.saved, now)
            if page.tombstones:
                mark_deleted(self.system.connection.pk, self.mapping.spec.name, page.tombstones, now)
            consequences = draw_consequences(
                self.context, workspace, workspace.take_touched(), now, self.context.at_once
            )
            note_invoiced_time(self.context, self.system, workspace, gone, now)
            note_deletions(self.context, self.system, self.mapping.spec.entity, gone, now)
            self._note(page, merger, workspace, now)
            if checkpoint is not None:
                self._save_checkpoint(checkpoint, now)
            crash_here("page_written")
        crash_here("page_committed")
        self._counted = self._counted_since = None
        return consequences

    def _note(self, page: SiftedPage, merger: Merger, workspace: Workspace, now: datetime) -> None:
        self._count(page)
        failures = [*page.failures, *merger.failures]
        note_failures(self.context, [from_reading(self.system.connection.pk, f) for f in failures], now)
        for failure in failures:
            self.context.journal.note(self._failed(failure))
        differences = {change.state.id: change.fields for change in workspace.changes}
        passed: dict[str, list[str]] = {self.mapping.spec.name: list(page.unchanged)}
        for taken in merger.taken:
            passed.setdefault(taken.mapped.object_name, []).append(taken.mapped.external_id)
            if not taken.is_changed or taken.state is None:
                self.context.journal.count("unchanged")
                continue
            self.context.journal.note(
                Entry(
                    connection_id=self.system.connection.pk, direction="read", object_name=taken.mapped.object_name,
                    entity=taken.mapped.entity, action=RecordAction.CREATED if taken.is_new else RecordAction.UPDATED,
                    record_id=taken.state.id, external_id=taken.mapped.external_id, title=taken.state.title,
                    diff=differences.get(taken.state.id, {}),
                )
            )  # fmt: skip
        if self.context.has_failures and not self.context.is_dry:
            for object_name, external_ids in passed.items():
                resolve_reading(self.context, self.system.connection.pk, object_name, external_ids, now)

    def _count(self, page: SiftedPage) -> None:
        self.context.journal.count("read", page.read_count)
        self.context.journal.count("unchanged", len(page.unchanged))
        self.context.journal.count("skipped", page.filtered_count)

    def _failed(self, failure: ReadFailure) -> Entry:
        return Entry(
            connection_id=self.system.connection.pk, direction="read", object_name=failure.object_name,
            entity=failure.entity, action=RecordAction.FAILED, external_id=failure.source.external_id,
        )  # fmt: skip

    def _save_checkpoint(self, position: Checkpoint, now: datetime) -> None:
        if not self.context.is_dry:
            save_checkpoint(self.context, self.system, self.mapping.spec.name, position, now)


def save_checkpoint(context: RunContext, system: BoundSystem, stream: str, position: Checkpoint, now: datetime) -> None:
    write(_CHECKPOINT, [uuid7(), context.flow.pk, system.connection.pk, stream, json_text(position), now])


def _deleted_ids(page: SiftedPage) -> list[str]:
    return [*page.tombstones, *(record.external_id for record in page.records if record.source.deleted)]
