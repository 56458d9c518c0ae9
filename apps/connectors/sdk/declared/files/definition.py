"""The shape of a system that hands over CSV files.

kind: files
transport: sftp            # or upload
objects:
  - name: customers
    file: {pattern: "customers*.csv", delimiter: ";", encoding: cp1252, decimal: ","}
    columns: {"Credit limit": number, "Since": date}
    id: Number
"""

from __future__ import annotations

import codecs
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from apps.connectors.sdk.declared.definition import (
    InvalidDefinition,
    MappedPart,
    Part,
    Text,
    check_mapping,
    check_names,
)
from apps.connectors.sdk.manifest import Domain

ColumnType = Literal["text", "number", "integer", "boolean", "date", "datetime"]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=r"^[^/\\\x00]+$")]
# What is being written goes by such a name until it is whole.
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload", ".swp")


class FilePart(Part, frozen=True):
    """Which files hold the records, and how they are written.

    `marker` is the ending of an empty file that says its neighbor is complete (`.ok`); without one a file is complete
    when it has not changed for `quiet_seconds`. `columns` names the columns of files without a header row.
    `dates` and `datetimes` are patterns of strptime; empty means ISO 8601.
    """

    pattern: FileName
    folder: str = ""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    quote: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = '"'
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", "'", " "] = ""
    dates: str = ""
    datetimes: str = ""
    time_zone: str = "UTC"
    header: bool = True
    columns: tuple[str, ...] = ()
    skip_lines: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    marker: str = ""
    quiet_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 60


class FileObjectPart(MappedPart, frozen=True, kw_only=True):
    """A kind of record. `id` names the column, or the columns together, that tell records apart.

    `modified` and `deleted` name columns; a row with anything but no, 0 or false in the latter is a deleted record.
    """

    file: FilePart
    id: str | tuple[str, ...]
    columns: dict[str, ColumnType] = {}
    modified: str = ""
    deleted: str = ""

    @property
    def id_columns(self) -> tuple[str, ...]:
        return (self.id,) if isinstance(self.id, str) else self.id

    @property
    def needed_columns(self) -> set[str]:
        """Without these no row can be read; `columns` may be absent from a file."""
        return {name for name in (*self.id_columns, self.modified, self.deleted) if name}


class FilesDefinition(Part, frozen=True, kw_only=True):
    """`keep` leaves files that were read where they are; otherwise they go to `done` or `failed` beside them."""

    kind: Literal["files"]
    name: Text
    domain: Domain
    transport: Literal["sftp", "upload"]
    objects: Annotated[list[FileObjectPart], msgspec.Meta(min_length=1, max_length=50)]
    also_domains: tuple[Domain, ...] = ()
    description: str = ""
    keep: bool = False


def check_files(definition: FilesDefinition) -> None:
    """Raises InvalidDefinition where files could not be read."""
    names = check_names(definition.objects)
    for index, part in enumerate(definition.objects):
        place = f"objects[{index}]"
        check_mapping(place, part, names)
        _check_columns(place, part)
        _check_file(f"{place}.file", part.file)


def _check_columns(place: str, part: FileObjectPart) -> None:
    if not part.id_columns or not all(part.id_columns):
        raise InvalidDefinition(f"{place}.id", "Name the column that tells records apart.")
    if part.file.header:
        return
    if not part.file.columns:
        raise InvalidDefinition(f"{place}.file.columns", "Name the columns: the files have no header row.")
    unknown = sorted((part.needed_columns | set(part.columns)) - set(part.file.columns))
    if unknown:
        raise InvalidDefinition(f"{place}.file.columns", f"There is no column “{unknown[0]}”.")


def _check_file(place: str, part: FilePart) -> None:
    if ".." in part.folder.split("/") or "\x00" in part.folder:
        raise InvalidDefinition(f"{place}.folder", "A folder is named from the top, without “..”.")
    if part.delimiter == part.quote or part.delimiter in "\r\n":
        raise InvalidDefinition(f"{place}.delimiter", "This cannot tell columns apart.")
    if part.decimal == part.thousands:
        raise InvalidDefinition(f"{place}.thousands", "It cannot be the decimal sign as well.")
    try:
        # Codecs that turn bytes into other bytes (zip, hex) are none of a text.
        if not codecs.lookup(part.encoding)._is_text_encoding:
            raise LookupError
    except (LookupError, ValueError):
        raise InvalidDefinition(f"{place}.encoding", "There is no such encoding.") from None
    try:
        ZoneInfo(part.time_zone)
    except (KeyError, ValueError, OSError):
        raise InvalidDefinition(f"{place}.time_zone", "There is no such time zone.") from None
    for name in ("dates", "datetimes"):
        _check_pattern(f"{place}.{name}", getattr(part, name))


def _check_pattern(place: str, pattern: str) -> None:
    moment = datetime(2026, 11, 23, 1, 2, 3)  # noqa: DTZ001 - only its digits matter
    try:
        if pattern and datetime.strptime(moment.strftime(pattern), pattern).date() != moment.date():  # noqa: DTZ007
            raise ValueError
    except ValueError:
        raise InvalidDefinition(place, "Write a pattern of day, month and year like %d.%m.%Y.") from None
