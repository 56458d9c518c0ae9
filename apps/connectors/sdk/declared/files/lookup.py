"""Finding a row by its id without reading all files for every look-up, and without holding them in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import msgspec

from apps.connectors.sdk.files import FileEntry
from apps.connectors.sdk.types import SourceRecord

_MAKE = "CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, content BLOB) WITHOUT ROWID"
_KEEP = "INSERT OR REPLACE INTO record VALUES (?, ?)"


class Lookup:
    """The newest row per id in a temporary database on disk, made again when the files are others."""

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None
        self._of: list[FileEntry] = []

    def refresh(self, files: list[FileEntry], rows: Callable[[FileEntry], Iterator[SourceRecord]]) -> None:
        """`files` from the oldest to the newest."""
        if self._database is not None and files == self._of:
            return
        self.close()
        # An empty name is a file of its own that vanishes with the connection.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("BEGIN")
        self._database.execute(_MAKE)
        for entry in files:
            self._database.executemany(_KEEP, ((row.external_id, msgspec.msgpack.encode(row)) for row in rows(entry)))
        self._database.execute("COMMIT")
        self._of = files

    def get(self, external_id: str) -> SourceRecord | None:
        if self._database is None:
            return None
        found = self._database.execute("SELECT content FROM record WHERE id = ?", (external_id,)).fetchone()
        return msgspec.msgpack.decode(found[0], type=SourceRecord) if found else None

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None
