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


class FileExists(Exception):
    """A file that was to be new is there already."""


class FileStore(Protocol):
    """Paths are relative to the connection's folder and use `/`. Failures of the place are a `ConnectorError`."""

    def scan(self, folder: str) -> list[FileEntry]:
        """The files of a folder, without those of folders below. Raises FileMissing."""
        ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Raises FileMissing."""
        ...

    def move(self, path: str, target: str) -> bool:
        """Whether it was moved: not where that is not permitted, the file is gone, or another has the name."""
        ...

    def write(self, path: str, content: bytes, *, is_new: bool = False) -> None:
        """Make or replace a file; its folder is made where it is missing. Raises FileExists where it was to be new."""
        ...

    def remove(self, path: str) -> None:
        """A file that is gone already is no error."""
        ...

    def close(self) -> None: ...
