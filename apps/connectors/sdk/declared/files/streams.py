"""Reading files: each once, oldest first, only when they are whole; rows in pages.

A file is copied to a temporary file first. So its content is known to be complete, the server is not kept waiting while
records are taken over, and memory stays flat. Files are put aside at the beginning of the *next* read: only what came
back in a checkpoint is known to be taken over. Others that read the same folder find them in `done`.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from apps.connectors.sdk.declared.files.definition import UNFINISHED, FileObjectPart
from apps.connectors.sdk.declared.files.lookup import Lookup
from apps.connectors.sdk.declared.files.progress import DONE, FAILED, FileRead, FileSeen, FileUnderWay, Progress
from apps.connectors.sdk.declared.files.rows import UnreadableFile, read_rows
from apps.connectors.sdk.errors import ConfigurationError, FatalError
from apps.connectors.sdk.files import FileEntry, FileMissing
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord

if TYPE_CHECKING:
    from apps.connectors.sdk.declared.files.connector import FilesConnector

BLOCK_BYTES = 1024 * 1024
LARGEST_FILE_BYTES = 2 * 1024**3
DIGEST_LENGTH = 16
# Under this name a file that was read lies in `done`: when it was made, its digest, and its own name.
_ASIDE = re.compile(rf"\d{{8}}T\d{{6}}Z-([0-9a-f]{{{DIGEST_LENGTH}}})-(.+)")


class FileStream:
    """The records of one object, whatever files they come in."""

    def __init__(self, connector: FilesConnector, *, part: FileObjectPart) -> None:
        self.connector = connector
        self.part = part
        self.store = connector.store
        self.folder = part.file.folder.strip("/")
        self.lookup: Lookup = connector.lookups.setdefault(part.name, Lookup())

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        progress = Progress.of(checkpoint)
        self._put_aside(progress)
        found = self._listed()
        progress.read = [f for f in progress.read if any(own_name(entry) == f.name for entry in found)]
        for entry in self._whole(found, progress):
            yield from self._read_file(entry, progress, page_size)
        yield Page(records=[], checkpoint=progress.checkpoint())

    def get(self, external_id: str) -> SourceRecord | None:
        """The newest row with this id, of all files that are there."""
        found = [entry for entry in self._listed() if not self._is_unfinished(entry)]
        self.lookup.refresh(found, self._all_rows)
        return self.lookup.get(external_id)

    def _read_file(self, entry: FileEntry, progress: Progress, page_size: int) -> Iterator[Page]:
        with tempfile.TemporaryFile() as copy:
            digest = self._copy(entry, copy)
            if digest is None:
                return
            name, outcome = own_name(entry), DONE
            if not progress.repeats(name, digest):
                try:
                    yield from self._pages(copy, entry, FileUnderWay(name=name, digest=digest), progress, page_size)
                except UnreadableFile as error:
                    outcome = FAILED
                    yield Page(records=[_unreadable(entry, error)], checkpoint=progress.checkpoint())
            progress.current = None
            progress.seen.pop(entry.name, None)
            read = FileRead(name=name, size=entry.size, modified=entry.modified, digest=digest, outcome=outcome)
            progress.read = [*progress.read, read]

    def _pages(
        self, copy: BinaryIO, entry: FileEntry, current: FileUnderWay, progress: Progress, page_size: int
    ) -> Iterator[Page]:
        before = progress.current
        if before is not None and (before.name, before.digest) == (current.name, current.digest):
            current.rows = before.rows
        with closing(self._rows(copy, entry)) as every:
            rows = islice(every, current.rows, None)
            while records := list(islice(rows, page_size)):
                current.rows += len(records)
                progress.current = current
                yield Page(records=records, checkpoint=progress.checkpoint())

    def _copy(self, entry: FileEntry, target: BinaryIO) -> str | None:
        """The digest of the content; None when the file is gone, or is not what was listed."""
        digest, size = hashlib.sha256(), 0
        try:
            with self.store.open(entry.path) as source:
                while block := source.read(BLOCK_BYTES):
                    size += len(block)
                    if size > LARGEST_FILE_BYTES:
                        raise FatalError(f"{entry.name} is larger than 2 GB.", code="too_large")
                    digest.update(block)
                    target.write(block)
        except FileMissing:
            return None
        target.seek(0)
        # It grew or was replaced while it was read: the next run sees all of it.
        return digest.hexdigest()[:DIGEST_LENGTH] if size == entry.size else None

    def _rows(self, content: BinaryIO, entry: FileEntry) -> Generator[SourceRecord]:
        modified_at = datetime.fromtimestamp(entry.modified, UTC)
        return read_rows(content, self.part, name=own_name(entry), modified_at=modified_at)

    def _all_rows(self, entry: FileEntry) -> Iterator[SourceRecord]:
        with tempfile.TemporaryFile() as copy:
            if self._copy(entry, copy) is None:
                return
            try:
                yield from self._rows(copy, entry)
            except UnreadableFile:
                return

    def _listed(self) -> list[FileEntry]:
        """Every file of this object, oldest first: those in the folder and those put aside."""
        fresh = self._list_folder()
        names = {entry.name for entry in fresh}
        marker = self.part.file.marker
        if marker:
            fresh = [entry for entry in fresh if f"{entry.name}{marker}" in names]
        try:
            aside = [entry for entry in self.store.scan(_below(self.folder, DONE)) if _ASIDE.fullmatch(entry.name)]
        except FileMissing:
            aside = []
        pattern = self.part.file.pattern
        fitting = [entry for entry in (*fresh, *aside) if fnmatchcase(own_name(entry), pattern)]
        return sorted(fitting, key=lambda entry: (entry.modified, own_name(entry)))

    def _whole(self, found: list[FileEntry], progress: Progress) -> list[FileEntry]:
        """Files to read now. Those that may still be growing are remembered with the size they have."""
        fresh = {entry.name for entry in found if not _ASIDE.fullmatch(entry.name)}
        progress.seen = {name: seen for name, seen in progress.seen.items() if name in fresh}
        unread = [entry for entry in found if not any(_is_same(read, entry) for read in progress.read)]
        return [entry for entry in unread if _ASIDE.fullmatch(entry.name) or self._is_whole(entry, progress)]

    def _is_unfinished(self, entry: FileEntry) -> bool:
        return entry.name.startswith((".", "~")) or entry.name.lower().endswith(UNFINISHED)

    def _is_whole(self, entry: FileEntry, progress: Progress) -> bool:
        if self._is_unfinished(entry):
            return False
        if self.part.file.marker or self.connector.is_upload:
            return True
        now, quiet = int(self.connector.context.now().timestamp()), self.part.file.quiet_seconds
        seen = progress.seen.get(entry.name)
        if seen is None or (seen.size, seen.modified) != (entry.size, entry.modified):
            seen = progress.seen[entry.name] = FileSeen(size=entry.size, modified=entry.modified, since=now)
        # Two clocks: either we saw it unchanged for so long, or the server says that it is so old.
        return now - seen.since >= quiet or now - entry.modified >= quiet

    def _put_aside(self, progress: Progress) -> None:
        if self.connector.definition.keep or not progress.read:
            return
        folder, marker = self.folder, self.part.file.marker
        there = self._list_folder()
        for read in progress.read:
            if not any(_is_same(read, entry) for entry in there):
                continue
            stamp = datetime.fromtimestamp(read.modified, UTC).strftime("%Y%m%dT%H%M%SZ")
            target = f"{_below(folder, read.outcome)}/{stamp}-{read.digest}-{read.name}"
            if self.store.move(_below(folder, read.name), target) and marker:
                self.store.move(_below(folder, read.name + marker), target + marker)

    def _list_folder(self) -> list[FileEntry]:
        try:
            return self.store.scan(self.folder)
        except FileMissing:
            raise ConfigurationError(f"There is no folder {self.folder}.", code="no_folder") from None


def own_name(entry: FileEntry) -> str:
    """The name the file came with, also where it was put aside."""
    put_aside = _ASIDE.fullmatch(entry.name)
    return put_aside[2] if put_aside else entry.name


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_same(read: FileRead, entry: FileEntry) -> bool:
    put_aside = _ASIDE.fullmatch(entry.name)
    if put_aside:
        return (put_aside[2], put_aside[1], entry.modified) == (read.name, read.digest, read.modified)
    return (entry.name, entry.size, entry.modified) == (read.name, read.size, read.modified)


def _unreadable(entry: FileEntry, error: UnreadableFile) -> SourceRecord:
    return SourceRecord(external_id=own_name(entry), data={"file": own_name(entry)}, problem=str(error))
