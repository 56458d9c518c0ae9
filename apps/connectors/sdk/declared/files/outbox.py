"""Files that go out: each record in exactly one of them, whatever breaks off, and whoever takes files away meanwhile.

A file is written whole under a name that nobody reads (`.name.batch.part`), then its rows are entered in `sent`, then it
gets its name. The entry decides: with it the file goes out, also when a later run has to finish the renaming; without it
nothing was sent. A file that grows is first taken out of its readers' sight, so that no row of it can be read twice.
One writer at a time: a lock file says since when.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from apps.connectors.sdk.declared.files.cells import encoded, guarded
from apps.connectors.sdk.declared.files.definition import FileObjectPart
from apps.connectors.sdk.errors import ConfigurationError, FatalError, TransientError
from apps.connectors.sdk.files import FileEntry, FileExists, FileMissing, FileStore

SENT = "sent"
KEY_COLUMN = "sent as"  # of an entry: under which key a row went out
MARK_LENGTH = 16
LARGEST_FILE_BYTES = 100 * 1024 * 1024
LOCK_LEASE = timedelta(minutes=5)
_PART = re.compile(rf"\.(.+)\.([0-9a-f]{{{MARK_LENGTH}}})\.(part|taken)")
_ENTRY = re.compile(rf"\d{{8}}T\d{{12}}Z-([0-9a-f]{{{MARK_LENGTH}}})-(.+)")


class Outbox:
    """The files of one object that goes out."""

    def __init__(self, store: FileStore, part: FileObjectPart, now: Callable[[], datetime], *, guard: bool) -> None:
        self.store = store
        self.part = part
        self.now = now
        self.guard = guard
        self.folder = part.file.folder.strip("/")
        self.is_growing = part.write is not None and part.write.mode == "append"

    def send(self, rows: list[list[str]], keys: list[str]) -> None:
        """Bring the rows out under their keys. After an error `settle` finds out what became of them."""
        content = encoded(rows, self.part)
        mark = hashlib.sha256(b"\0".join([content, *(key.encode() for key in keys)])).hexdigest()[:MARK_LENGTH]
        with self._locked():
            self._settle()
            moment = self.now().astimezone(UTC)
            name = self.part.file.pattern.replace("*", f"{moment:%Y%m%dT%H%M%SZ}-{mark[:8]}")
            entry = self._below(SENT, f"{moment:%Y%m%dT%H%M%S%fZ}-{mark}-{name}")
            taken = self._take(name, mark) if self.is_growing else b""
            self.store.write(self._hidden(name, mark, "part"), self._grown(taken, rows))
            self._enter(entry, rows, keys)
            self._bring_out(name, mark)

    def settle(self) -> None:
        """Finish what broke off after its entry, undo what broke off before."""
        with self._locked():
            self._settle()

    def entries(self) -> list[FileEntry]:
        """What was sent, oldest first."""
        try:
            found = self.store.scan(self._below(SENT))
        except FileMissing:
            return []
        fitting = [entry for entry in found if (match := _ENTRY.fullmatch(entry.name)) and self._is_own(match[2])]
        return sorted(fitting, key=lambda entry: entry.name)

    def _settle(self) -> None:
        broken = [(match[1], match[2], match[3]) for e in self._scan() if (match := _PART.fullmatch(e.name))]
        entered = {match[1] for entry in self.entries() if (match := _ENTRY.fullmatch(entry.name))} if broken else set()
        for name, mark in sorted({(name, mark) for name, mark, _ in broken if self._is_own(name)}):
            kinds = {kind for n, m, kind in broken if (n, m) == (name, mark)}
            if mark in entered:
                self._bring_out(name, mark)
                continue
            if "part" in kinds:
                self.store.remove(self._hidden(name, mark, "part"))
            if "taken" in kinds and not self.store.move(self._hidden(name, mark, "taken"), self._below(name)):
                raise TransientError(f"{name} cannot be given back its rows.", code="not_restored")

    def _bring_out(self, name: str, mark: str) -> None:
        """Raises TransientError where the name is not free: what is there goes on to its reader first."""
        hidden = self._hidden(name, mark, "part")
        if not self.store.move(hidden, self._below(name)) and any(
            f".{name}.{mark}.part" == e.name for e in self._scan()
        ):
            raise TransientError(f"{name} cannot be given its name: another file has it.", code="not_renamed")
        self.store.remove(self._hidden(name, mark, "taken"))
        marker = self.part.file.marker
        if marker and any(entry.name == name for entry in self._scan()):
            self.store.write(self._below(name + marker), b"")

    def _take(self, name: str, mark: str) -> bytes:
        """The file's content, out of its readers' sight; nothing where they have taken it."""
        hidden = self._hidden(name, mark, "taken")
        marker = self.part.file.marker
        if marker:
            self.store.remove(self._below(name + marker))
        if not self.store.move(self._below(name), hidden):
            if any(entry.name == name for entry in self._scan()):
                raise ConfigurationError("The server does not permit files to be renamed.", code="not_permitted")
            return b""
        with self.store.open(hidden) as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
        if len(content) > LARGEST_FILE_BYTES:
            raise FatalError(f"{name} has outgrown 100 MB: have it taken away.", code="too_large")
        return content

    def _grown(self, before: bytes, rows: list[list[str]]) -> bytes:
        shown = [guarded(row, self.part) for row in rows] if self.guard else rows
        if before:
            return before + (b"" if before.endswith(b"\n") else b"\r\n") + _without_mark(encoded(shown, self.part))
        header = [self.part.written_columns] if self.part.file.header else []
        return encoded([*header, *shown], self.part)

    def _enter(self, entry: str, rows: list[list[str]], keys: list[str]) -> None:
        folder, _, name = entry.rpartition("/")
        hidden = f"{folder}/.{name}.part"
        listed = [[key, *row] for key, row in zip(keys, rows, strict=True)]
        content = encoded([[KEY_COLUMN, *self.part.written_columns], *listed], self.part)
        self.store.write(hidden, content)
        with self.store.open(hidden) as file:
            if file.read() != content:
                raise TransientError("What was written to the server is not what it shows.", code="read_back")
        if not self.store.move(hidden, entry):
            raise TransientError("The server does not permit files to be renamed.", code="not_renamed")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self._below(f".{self.part.name}.lock")
        self._lock(path)
        try:
            yield
        finally:
            self.store.remove(path)

    def _lock(self, path: str) -> None:
        now = self.now()
        try:
            self.store.write(path, now.isoformat().encode(), is_new=True)
            return
        except FileExists:
            since = self._locked_since(path)
        if since and now - since < LOCK_LEASE:
            raise TransientError("Another run is writing these files.", code="locked")
        self.store.remove(path)
        try:
            self.store.write(path, now.isoformat().encode(), is_new=True)
        except FileExists:
            raise TransientError("Another run is writing these files.", code="locked") from None

    def _locked_since(self, path: str) -> datetime | None:
        try:
            with self.store.open(path) as file:
                return datetime.fromisoformat(file.read(100).decode())
        except (FileMissing, ValueError):
            return None

    def _scan(self) -> list[FileEntry]:
        try:
            return self.store.scan(self.folder)
        except FileMissing:
            raise ConfigurationError(f"There is no folder {self.folder}.", code="no_folder") from None

    def _is_own(self, name: str) -> bool:
        before, star, after = self.part.file.pattern.partition("*")
        return name.startswith(before) and name.endswith(after) if star else name == before

    def _hidden(self, name: str, mark: str, kind: str) -> str:
        return self._below(f".{name}.{mark}.{kind}")

    def _below(self, *names: str) -> str:
        return "/".join(filter(None, [self.folder, *names]))


def _without_mark(content: bytes) -> bytes:
    """Without a byte order mark, which belongs at the beginning of a file only."""
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        if content.startswith(mark):
            return content[len(mark) :]
    return content
