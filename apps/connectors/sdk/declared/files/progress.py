"""What a checkpoint remembers of the files of one object."""

from __future__ import annotations

from typing import Any

import msgspec

from apps.connectors.sdk.types import JsonDict

DONE, FAILED = "done", "failed"


class FileRead(msgspec.Struct, kw_only=True):
    """One file that was read to its end; `digest` is of its content."""

    name: str
    size: int
    modified: int
    digest: str
    outcome: str = DONE


class FileUnderWay(msgspec.Struct, kw_only=True):
    """The file whose rows are being handed out; the first `rows` of them are taken over."""

    name: str
    digest: str
    rows: int = 0


class FileSeen(msgspec.Struct, kw_only=True):
    """A file that may still be growing: its size since `since` (our clock, seconds since 1970)."""

    size: int
    modified: int
    since: int


class Progress(msgspec.Struct, kw_only=True):
    read: list[FileRead] = []
    seen: dict[str, FileSeen] = {}
    current: FileUnderWay | None = None

    @classmethod
    def of(cls, checkpoint: JsonDict | None) -> Progress:
        return msgspec.convert(checkpoint or {}, cls)

    def checkpoint(self) -> JsonDict:
        plain: Any = msgspec.to_builtins(self)
        return dict(plain)

    def repeats(self, name: str, digest: str) -> bool:
        """Whether the last file of this name had the same content. (Earlier ones say nothing: values come back.)"""
        last = next((f for f in reversed(self.read) if f.name == name), None)
        return last is not None and last.digest == digest
