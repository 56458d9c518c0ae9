"""Files that people bring and fetch: uploads are shown as what they would become, and only then taken over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial
from pathlib import PurePosixPath
from typing import cast
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from apps.audit.services import record_change
from apps.connectors.models import Connection, StoredFile, StoredFilePiece
from apps.connectors.registry import get_connector
from apps.connectors.sdk.declared.files.connector import FilesConnector
from apps.connectors.sdk.declared.files.definition import FileObjectPart
from apps.connectors.sdk.declared.files.rows import UnreadableFile, read_rows
from apps.connectors.selectors import get_connection
from apps.connectors.services.checks import require_seen
from apps.connectors.services.custom_connectors import MappedSample, mapped_sample
from apps.connectors.services.deliveries import announce_changes
from apps.connectors.stored_files import CHECKING, PIECE_BYTES, open_stored
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.customers.models import Customer

LARGEST_UPLOAD_BYTES = 200 * 1024 * 1024
ROWS_SHOWN = 20
PROBLEMS_SHOWN = 50


class UnableToUpload(AnticipatedError):
    """The file cannot be taken; `field` names the input."""

    code = "unable_to_upload"


class UploadLimitReached(UnableToUpload):
    """The customer's uploaded files are as many, or as large, as they may be."""

    code = "upload_limit"
    status = 409


class FilePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a file would become. `problems` are those of the first broken rows, `problem_count` of all of them."""

    label: str
    row_count: int = 0
    samples: list[MappedSample] = []
    problems: list[str] = []
    problem_count: int = 0
    unreadable: str = ""


def uploads_of(connection: Connection) -> type[FilesConnector] | None:
    """The connection's connector where it reads uploaded files."""
    kind = get_connector(connection.vendor)
    is_upload = issubclass(kind, FilesConnector) and kind.definition.transport == "upload"
    return cast("type[FilesConnector]", kind) if is_upload else None


def get_uploading(actor: Actor, connection_id: UUID) -> Connection:
    """The connection, if files are brought for it. Raises NotVisible."""
    connection = get_connection(actor, connection_id)
    if connection.archived_at is not None or uploads_of(connection) is None:
        raise NotVisible("Nothing is uploaded for this connection.")
    return connection


@transaction.atomic
def stage_file(
    *, actor: Actor, now: datetime, connection: Connection, name: str, content: Iterable[bytes]
) -> StoredFile:
    """This function will store a file for a look at it; one of this name that still waits is replaced. Raises UnableToUpload."""
    actor.require("connections.manage")
    require_seen(actor, connection)
    plain = _plain_name(name)
    part = _part_for(connection, plain)
    if part is None:
        raise UnableToUpload(f"No object of this system is in files named like {plain}.", field="file")
    _require_room(connection, replaced=plain)
    file = StoredFile(
        connection=connection, folder=CHECKING, size=0, uploaded_at=now, uploaded_by_label=actor.label or "–"
    )
    file.name = f".{file.pk}"  # a name of its own while it comes in: two of the same name may come at once
    file.save()
    file.size, file.name = _store_pieces(file, content), plain
    # Only now: whoever sends slowly keeps nobody waiting.
    Customer.objects.select_for_update().get(pk=connection.customer_id)
    _require_room(connection, replaced=plain, more=file)
    StoredFile.objects.filter(connection=connection, folder=CHECKING, name=plain).delete()
    file.save(update_fields=["name", "size"])
    return file


def _require_room(connection: Connection, *, replaced: str, more: StoredFile | None = None) -> None:
    """Raises UploadLimitReached when the customer's uploads, with one more in the place of what it replaces, are too many."""
    kept = StoredFile.objects.filter(connection__customer=connection.customer_id).exclude(uploaded_by_label="")
    kept = kept.exclude(connection=connection, folder=CHECKING, name=replaced)
    if more is not None:
        kept = kept.exclude(pk=more.pk)
    found = kept.aggregate(count=Count("pk"), size=Coalesce(Sum("size"), 0))
    if found["count"] >= settings.UPLOADS_MAX_FILES:
        raise UploadLimitReached(
            f"There are {found['count']:,} uploaded files of this customer, which is the most. Delete some first.",
            field="file",
        )
    if found["size"] + (more.size if more else 1) > settings.UPLOADS_MAX_BYTES:
        most = settings.UPLOADS_MAX_BYTES // (1024 * 1024)
        raise UploadLimitReached(
            f"The uploaded files of this customer would come to more than {most:,} MB. Delete some first.", field="file"
        )


def preview_file(*, actor: Actor, file: StoredFile) -> FilePreview:
    """This function will read the whole file without keeping any of it."""
    require_seen(actor, file.connection)
    part, kind = _part_for(file.connection, file.name), uploads_of(file.connection)
    if part is None or kind is None:
        return FilePreview(label="", unreadable="No object of this system is in files of this name any more.")
    spec = kind.manifest.stream(part.name)
    samples: list[MappedSample] = []
    problems: list[str] = []
    count = problem_count = 0
    try:
        with open_stored(file) as content:
            for row in read_rows(content, part, name=file.name, modified_at=file.uploaded_at):
                count += 1
                if row.problem:
                    problem_count += 1
                    problems += [row.problem] if len(problems) < PROBLEMS_SHOWN else []
                elif len(samples) < ROWS_SHOWN:
                    samples.append(mapped_sample(spec, row, file.connection.settings))
    except UnreadableFile as error:
        return FilePreview(label=part.label, unreadable=str(error))
    return FilePreview(
        label=part.label, row_count=count, samples=samples, problems=problems, problem_count=problem_count
    )


@transaction.atomic
def take_file_over(*, actor: Actor, now: datetime, file: StoredFile) -> StoredFile:
    """This function will give the file to the flows that read it, and tell them. Raises UnableToUpload."""
    actor.require("connections.manage")
    require_seen(actor, file.connection)
    locked = StoredFile.objects.select_for_update().filter(pk=file.pk).first()
    if locked is None:
        raise NotVisible("There is no such file.")
    part = _part_for(file.connection, file.name)
    if part is None or locked.folder != CHECKING:
        raise UnableToUpload("The file was taken over already, or the system no longer reads files of this name.")
    folder = part.file.folder.strip("/")
    StoredFile.objects.filter(connection=file.connection, folder=folder, name=locked.name).delete()
    locked.folder, locked.uploaded_at = folder, now
    locked.save(update_fields=["folder", "uploaded_at"])
    record_change(
        actor=actor,
        now=now,
        target=locked.connection,
        action="file.taken_over",
        after={"file": locked.name, "size": locked.size},
    )
    announce_changes(connection=file.connection, streams=[part.name], now=now)
    return locked


def fetch_file(*, actor: Actor, now: datetime, file: StoredFile) -> Iterator[bytes]:
    """This function will give the content of a file piece by piece, and note who fetched it."""
    actor.require("payloads.view")
    require_seen(actor, file.connection)
    record_change(
        actor=actor,
        now=now,
        target=file.connection,
        action="file.fetched",
        after={"file": file.name, "size": file.size},
    )
    return iter(partial(open_stored(file).read, PIECE_BYTES), b"")


class FileState(StrEnum):
    """Where a file is on its way."""

    READY = "ready"  # written by the flows, to be fetched
    WAITING = "waiting"  # for a person's look
    TAKEN_OVER = "taken_over"
    READ = "read"
    UNREADABLE = "unreadable"


def state_of_file(file: StoredFile) -> FileState:
    if goes_out(file):
        return FileState.READY
    place = file.folder.rpartition("/")[2]
    known = {CHECKING: FileState.WAITING, "done": FileState.READ, "failed": FileState.UNREADABLE}
    return known.get(place, FileState.TAKEN_OVER)


def goes_out(file: StoredFile) -> bool:
    """Whether it was written here for people to fetch, and is whole."""
    kind = uploads_of(file.connection)
    parts = [part for part in kind.definition.objects if part.write] if kind else []
    return any(
        file.folder == part.file.folder.strip("/") and fnmatchcase(file.name, part.file.pattern) for part in parts
    ) and not file.name.startswith(".")


@transaction.atomic
def discard_file(*, actor: Actor, now: datetime, file: StoredFile) -> None:
    """This function will delete a file, read or not; what was read of it stays."""
    actor.require("connections.manage")
    require_seen(actor, file.connection)
    record_change(
        actor=actor,
        now=now,
        target=file.connection,
        action="file.discarded",
        after={"file": file.name, "size": file.size},
    )
    file.delete()


def _plain_name(name: str) -> str:
    """Without folders. Hidden files are half written ones of ours, and no header can hold a line break."""
    plain = PurePosixPath(name.replace("\\", "/")).name.strip()[:200].strip()
    if plain.startswith(".") or not plain.isprintable():
        raise UnableToUpload("Give the file another name: no dot in front, nothing that cannot be read.", field="file")
    return plain


def _part_for(connection: Connection, name: str) -> FileObjectPart | None:
    kind = uploads_of(connection)
    parts = kind.definition.objects if kind else []
    return next((part for part in parts if not part.write and fnmatchcase(name, part.file.pattern)), None)


def _store_pieces(file: StoredFile, content: Iterable[bytes]) -> int:
    size = 0
    for number, piece in enumerate(_in_pieces(content)):
        size += len(piece)
        if size > LARGEST_UPLOAD_BYTES:
            raise UnableToUpload("A file has at most 200 MB here. Use SFTP for larger ones.", field="file")
        StoredFilePiece.objects.create(file=file, number=number, content=piece)
    if not size:
        raise UnableToUpload("The file is empty.", field="file")
    return size


def _in_pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in content:
        waiting += chunk
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)
