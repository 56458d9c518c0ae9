"""The shape of a system that hands over CSV files.

kind: files
transport: sftp            # or upload
objects:
  - name: customers
    file: {pattern: "customers*.csv", delimiter: ";", encoding: cp1252, decimal: ","}
    columns: {"Credit limit": number, "Since": date}
    id: Number
  - name: invoices
    file: {pattern: "invoices-*.csv", folder: in}
    write: {mode: run}
    writes: {Number: record.number, Total: decimal(record.total)}
    id: Number
"""

from __future__ import annotations

import codecs
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from apps.connectors.sdk.declared.definition import (
    Hidden,
    InvalidDefinition,
    MappedPart,
    Part,
    Text,
    check_expressions,
    check_mapping,
    check_names,
    check_references,
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


class FileWritePart(Part, frozen=True):
    """How records go out, one row each. Every run makes a file of its own, or one file grows (append).

    The name is the file's pattern: `*` becomes the moment and a mark of the content. `reference` is a column that gets
    our key of the record. `updates`: a record that changed goes out again, under its id. `booleans` are the words for
    true and false. `guard_formulas` keeps spreadsheets from running what a text begins with, in files that people open.
    """

    mode: Literal["run", "append"] = "run"
    reference: str = ""
    updates: bool = True
    most_rows: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 5_000
    booleans: tuple[str, str] = ("true", "false")
    guard_formulas: bool | None = None  # where nothing is said: in files that people download


class FileObjectPart(MappedPart, frozen=True, kw_only=True):
    """A kind of record. `id` names the column, or the columns together, that tell records apart.

    `modified` and `deleted` name columns; a row with anything but no, 0 or false in the latter is a deleted record. With
    `write` it goes out instead of coming in: `writes` are its columns in their order.
    """

    file: FilePart
    id: str | tuple[str, ...]
    columns: dict[str, ColumnType] = {}
    modified: str = ""
    deleted: str = ""
    write: FileWritePart | None = None
    writes: dict[str, str] = {}
    write_refs: dict[str, str] = {}
    required_refs: tuple[str, ...] = ()

    @property
    def written_columns(self) -> list[str]:
        """The columns of a file that goes out, in order."""
        reference = self.write.reference if self.write else ""
        return [*([reference] if reference and reference not in self.writes else []), *self.writes]

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
    redact: Hidden = ()


def check_files(definition: FilesDefinition) -> None:
    """Raises InvalidDefinition where files could not be read."""
    names = check_names(definition.objects)
    for index, part in enumerate(definition.objects):
        place = f"objects[{index}]"
        check_mapping(place, part, names)
        _check_columns(place, part)
        _check_file(f"{place}.file", part.file)
        if part.write:
            _check_writing(place, part, part.write, names)


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


def _check_writing(place: str, part: FileObjectPart, write: FileWritePart, names: set[str]) -> None:
    wanted = {"run": 1, "append": 0}[write.mode]
    if part.file.pattern.count("*") != wanted or set(part.file.pattern) & set("?["):
        reason = (
            "Name the file with one * for what differs from run to run." if wanted else "Name the one file that grows."
        )
        raise InvalidDefinition(f"{place}.file.pattern", reason)
    if not part.writes:
        raise InvalidDefinition(f"{place}.writes", "Say which columns are written.")
    absent = sorted(part.needed_columns - set(part.written_columns))
    if absent:
        raise InvalidDefinition(f"{place}.writes", f"The column “{absent[0]}” is not written.")
    if set(part.writes) & {write.reference}:
        raise InvalidDefinition(f"{place}.write.reference", "This column is written by `writes` already.")
    if part.file.skip_lines:
        raise InvalidDefinition(f"{place}.file.skip_lines", "Nothing is skipped in files that go out.")
    check_expressions(f"{place}.writes", part.writes)
    check_references(place, part.entity, part.write_refs)
    unknown = sorted(set(part.write_refs.values()) - names) or sorted(set(part.required_refs) - set(part.write_refs))
    if unknown:
        raise InvalidDefinition(f"{place}.write_refs", f"There is no “{unknown[0]}” here.")


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
