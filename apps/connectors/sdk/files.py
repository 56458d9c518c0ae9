"""Where files are: what every place that holds them can do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

import msgspec


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file as listed. `modified` is in seconds since 1970, by the clock of the place."""

    folder: str
    name: str
    size: int
    modified: int

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name


class FileMissing(Exception):
    """There is no such file or folder (any more)."""


class FileStore(Protocol):
    """Paths are relative to the connection's folder and use `/`. Failures of the place are a `ConnectorError`."""

    def scan(self, folder: str) -> list[FileEntry]:
        """The files of a folder, without those of folders below. Raises FileMissing."""
        ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Raises FileMissing."""
        ...

    def move(self, path: str, target: str) -> bool:
        """Whether it was moved: not where that is not permitted, or the file is gone."""
        ...

    def close(self) -> None: ...
