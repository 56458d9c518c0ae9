"""Files of a connection that are kept here, as the place that its connector reads from and writes to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.connectors.models import StoredFile, StoredFilePiece
from apps.connectors.sdk.files import FileEntry, FileExists, FileMissing
from apps.core import clock
from apps.core.planes import require_tenant_schema, tenant_plane

PIECE_BYTES = 1024 * 1024
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

    def write(self, path: str, content: bytes, *, is_new: bool = False) -> None:
        folder, _, name = path.rpartition("/")
        values = {"size": len(content), "uploaded_at": clock.now(), "uploaded_by_label": ""}
        try:
            with transaction.atomic():
                if not is_new:
                    self.remove(path)
                file = StoredFile.objects.create(connection_id=self.connection_id, folder=folder, name=name, **values)
                pieces = [content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES)]
                StoredFilePiece.objects.bulk_create(
                    StoredFilePiece(file=file, number=number, content=piece) for number, piece in enumerate(pieces)
                )
        except IntegrityError:
            raise FileExists(path) from None

    def remove(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        StoredFile.objects.filter(connection_id=self.connection_id, folder=folder, name=name).delete()

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
        # A download is read when its request has left the partner's schema already.
        self.schema = require_tenant_schema()
        self.number = 0
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.rest:
            with tenant_plane(self.schema):
                found = StoredFilePiece.objects.filter(file_id=self.file_id, number=self.number)
                self.rest = memoryview(bytes(found.values_list("content", flat=True).first() or b""))
            self.number += 1
        count = min(len(buffer), len(self.rest))
        buffer[:count] = self.rest[:count]
        self.rest = self.rest[count:]
        return count
