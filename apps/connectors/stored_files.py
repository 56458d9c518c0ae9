"""Uploaded files of a connection, as the place that its connector reads from."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.connectors.models import StoredFile, StoredFilePiece
from apps.connectors.sdk.files import FileEntry, FileMissing

CHECKING = "@checking"  # a definition that named this folder would still find nothing in it


class StoredFiles:
    """What was uploaded and taken over; folders are names only."""

    def __init__(self, connection_id: UUID) -> None:
        self.connection_id = connection_id

    def scan(self, folder: str) -> list[FileEntry]:
        if folder == CHECKING:
            return []
        return [
            FileEntry(folder=folder, name=file.name, size=file.size, modified=int(file.uploaded_at.timestamp()))
            for file in StoredFile.objects.filter(connection_id=self.connection_id, folder=folder)
        ]

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        file = self._find(path)
        if file is None:
            raise FileMissing(path)
        with open_stored(file) as reader:
            yield reader

    def move(self, path: str, target: str) -> bool:
        file = self._find(path)
        if file is None:
            return False
        file.folder, _, file.name = target.rpartition("/")
        try:
            with transaction.atomic():
                file.save(update_fields=["folder", "name"])
        except IntegrityError:
            return False
        return True

    def close(self) -> None:
        return None

    def _find(self, path: str) -> StoredFile | None:
        folder, _, name = path.rpartition("/")
        return StoredFile.objects.filter(connection_id=self.connection_id, folder=folder, name=name).first()


def open_stored(file: StoredFile) -> BinaryIO:
    """The content, read piece by piece."""
    return io.BufferedReader(_Pieces(file.pk))


class _Pieces(io.RawIOBase):
    def __init__(self, file_id: UUID) -> None:
        self.file_id = file_id
        self.number = 0
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.rest:
            found = StoredFilePiece.objects.filter(file_id=self.file_id, number=self.number)
            self.rest = memoryview(bytes(found.values_list("content", flat=True).first() or b""))
            self.number += 1
        count = min(len(buffer), len(self.rest))
        buffer[:count] = self.rest[:count]
        self.rest = self.rest[count:]
        return count
