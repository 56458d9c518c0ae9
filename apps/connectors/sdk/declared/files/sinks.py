"""Writing files: one row per record, one file per run or one that grows."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from apps.connectors.sdk.declared.files.cells import encoded, row_of
from apps.connectors.sdk.declared.files.definition import FileObjectPart
from apps.connectors.sdk.declared.files.lookup import Lookup
from apps.connectors.sdk.declared.files.outbox import KEY_COLUMN, Outbox
from apps.connectors.sdk.declared.files.rows import UnreadableFile, read_rows
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.files import FileEntry, FileMissing
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord, WriteRequest, WriteResult

if TYPE_CHECKING:
    from apps.connectors.sdk.declared.files.connector import FilesConnector


class SentRows:
    """What went out, as entered in `sent`: the newest row of every record, and which key it went out under.

    Records are read as they were sent, so that nothing that readers do to the files looks like a change of theirs.
    """

    def __init__(self, connector: FilesConnector, *, part: FileObjectPart) -> None:
        assert part.write is not None  # noqa: S101 - only such parts go out
        guard = part.write.guard_formulas
        self.connector = connector
        self.part = part
        self.outbox = Outbox(
            connector.store, part, connector.context.now, guard=connector.is_upload if guard is None else guard
        )
        self.by_id: Lookup = connector.lookups.setdefault(f"{part.name} ids", Lookup())
        self.by_key: Lookup = connector.lookups.setdefault(f"{part.name} keys", Lookup())

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        """Entries are named in their order, and never change: the checkpoint is the last one and the rows of the next."""
        state = dict(checkpoint or {})
        for entry in self.outbox.entries():
            if entry.name <= state.get("after", ""):
                continue
            rows, begin = list(self.rows(entry)), int(state.get("rows", 0)) if state.get("of") == entry.name else 0
            for start in range(begin, len(rows), page_size):
                state.update(of=entry.name, rows=start + page_size)
                yield Page(records=rows[start : start + page_size], checkpoint=dict(state))
            # Two of one moment are told apart by a mark that has no order: the last moment is read again.
            state = {"after": entry.name.partition("-")[0]}
        yield Page(records=[], checkpoint=state)

    def get(self, external_id: str) -> SourceRecord | None:
        self.by_id.refresh(self.outbox.entries(), self.rows)
        return self.by_id.get(external_id)

    def find(self, key: str) -> SourceRecord | None:
        """What went out under a key. What broke off is brought to its end first, once per conversation and failure."""
        if self.part.name not in self.connector.settled:
            self.outbox.settle()
            self.by_key.refresh(self.outbox.entries(), self._keyed)
            self.connector.settled.add(self.part.name)
        found = self.by_key.get(key)
        return msgspec.structs.replace(found, external_id=found.data.pop(KEY_COLUMN)) if found else None

    def rows(self, entry: FileEntry) -> Iterator[SourceRecord]:
        for row in self._entered(entry):
            row.data.pop(KEY_COLUMN, None)
            yield row

    def parsed(self, rows: list[list[str]], modified_at: datetime) -> list[SourceRecord]:
        """Rows as whoever reads the file gets them."""
        content = io.BytesIO(encoded([self.part.written_columns, *rows], self.part))
        return list(self._parse(content, "row", modified_at))

    def _keyed(self, entry: FileEntry) -> Iterator[SourceRecord]:
        for row in self._entered(entry):
            key = row.data[KEY_COLUMN]
            yield msgspec.structs.replace(row, external_id=key, data={**row.data, KEY_COLUMN: row.external_id})

    def _entered(self, entry: FileEntry) -> Generator[SourceRecord]:
        try:
            with self.connector.store.open(entry.path) as content:
                yield from self._parse(content, entry.name, datetime.fromtimestamp(entry.modified, UTC))
        except (FileMissing, UnreadableFile):
            return

    def _parse(self, content: object, name: str, modified_at: datetime) -> Generator[SourceRecord]:
        file = msgspec.structs.replace(self.part.file, header=True, skip_lines=0)
        part = msgspec.structs.replace(self.part, file=file)
        yield from read_rows(content, part, name=name, modified_at=modified_at)  # type: ignore[arg-type]


class FileSink:
    """A batch is a file, or an addition to the one that grows."""

    def __init__(self, connector: FilesConnector, *, part: FileObjectPart) -> None:
        self.connector = connector
        self.sent = SentRows(connector, part=part)
        self.part = part
        self.now = connector.context.now

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        rows: dict[str, list[str]] = {}
        refused: dict[str, RecordRejected] = {}
        for request in requests:
            try:
                rows[request.key] = row_of(request, self.part)
            except RecordRejected as error:
                refused[request.key] = error
        made = dict(zip(rows, self.sent.parsed(list(rows.values()), self.now()), strict=True))
        refused |= {
            key: RecordRejected(record.problem, code="bad_row") for key, record in made.items() if record.problem
        }
        good = [key for key in rows if key not in refused]
        if good:
            self.connector.settled.discard(self.part.name)
            self.sent.outbox.send([rows[key] for key in good], good)
        return [
            WriteResult(key=r.key, error=refused[r.key])
            if r.key in refused
            else WriteResult(key=r.key, record=made[r.key])
            for r in requests
        ]

    def resolve(self, key: str) -> SourceRecord | None:
        return self.sent.find(key)

    def get(self, external_id: str) -> SourceRecord | None:
        return self.sent.get(external_id)
