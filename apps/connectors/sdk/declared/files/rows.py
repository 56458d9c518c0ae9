"""The rows of one CSV file as records; what is wrong with a row is told with its line, and the next row is read."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from apps.connectors.sdk.declared.files.definition import FileObjectPart, FilePart
from apps.connectors.sdk.types import JsonDict, SourceRecord

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?$")
TRUE = frozenset({"1", "true", "yes", "y", "t", "x", "ja", "j", "wahr", "oui", "si"})
FALSE = frozenset({"", "0", "false", "no", "n", "f", "nein", "falsch", "non"})
_UNDECODED = re.compile("[\udc80-\udcff]")
_UNKEEPABLE = re.compile("[\udc80-\udcff\x00]")
LONGEST_ID = 200
MOST_COLUMNS = 1000
LARGEST_INTEGER = 2**63 - 1


class UnreadableFile(Exception):
    """Nothing of the file can be read; the message says why."""


class _BadRow(Exception):
    pass


def read_rows(content: BinaryIO, part: FileObjectPart, *, name: str, modified_at: datetime) -> Generator[SourceRecord]:
    """Every row in the order of the file, a header not counted. Raises UnreadableFile before the first."""
    text = io.TextIOWrapper(content, encoding=_encoding(part.file), errors="surrogateescape", newline="")
    try:
        for _ in range(part.file.skip_lines):
            text.readline()
        reader = csv.reader(
            text, delimiter=part.file.delimiter, quotechar=part.file.quote, skipinitialspace=True, strict=True
        )
        columns = _columns(reader, part)
        for line, cells in _numbered(reader, part.file.skip_lines):
            if isinstance(cells, str) or any(cells):
                yield _record(cells, columns, part, name, line, modified_at)
    except (UnicodeError, UnicodeDecodeError):
        raise UnreadableFile(f"{name} is not written in {part.file.encoding}.") from None
    finally:
        text.detach()


def _encoding(part: FilePart) -> str:
    """A byte order mark is no part of the first column's name."""
    return "utf-8-sig" if part.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else part.encoding


def _columns(reader: Any, part: FileObjectPart) -> list[str]:
    if not part.file.header:
        return list(part.file.columns)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise UnreadableFile(f"The header row cannot be read: {error}.") from None
    if header is None:
        raise UnreadableFile("The file is empty: it has no header row.")
    columns = [cell.strip() for cell in header]
    if len(columns) > MOST_COLUMNS:
        raise UnreadableFile(f"The header row names {len(columns):,} columns; {MOST_COLUMNS:,} can be read.")
    if any(_UNKEEPABLE.search(column) for column in columns):
        raise UnreadableFile(f"The header row is not written in {part.file.encoding}.")
    missing = sorted(part.needed_columns - set(columns))
    if missing:
        raise UnreadableFile(f"There is no column “{missing[0]}”. The header row says: {', '.join(columns)[:300]}.")
    twice = sorted(name for name, count in Counter(columns).items() if name and count > 1)
    if twice:
        raise UnreadableFile(f"There are two columns named “{twice[0]}”.")
    return columns


def _numbered(reader: Any, skipped: int) -> Iterator[tuple[int, list[str] | str]]:
    """Lines with their cells, or with what is wrong with them."""
    while True:
        line = reader.line_num + skipped + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"it is not well-formed ({error})"
        else:
            yield line, cells


def _record(
    cells: list[str] | str, columns: list[str], part: FileObjectPart, name: str, line: int, modified_at: datetime
) -> SourceRecord:
    external_id, raw = f"{name}:{line}", dict[str, str]()
    try:
        raw = _raw(cells, columns)
        external_id = _id(raw, part)
        data = {key: _value(key, value, part) for key, value in raw.items() if key}
        stamp = _modified(data, part)
        deleted = _is_true(raw.get(part.deleted, "")) if part.deleted else False
    except _BadRow as error:
        shown = {key: _UNKEEPABLE.sub("\ufffd", value) for key, value in raw.items() if key}
        return SourceRecord(external_id=external_id, data=shown, problem=f"{name}, line {line}: {error}.")
    return SourceRecord(external_id=external_id, data=data, modified_at=stamp or modified_at, deleted=deleted)


def _raw(cells: list[str] | str, columns: list[str]) -> dict[str, str]:
    if isinstance(cells, str):
        raise _BadRow(cells)
    if len(cells) != len(columns):
        raise _BadRow(f"it has {len(cells)} columns, the header {len(columns)}")
    return {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}


def _id(raw: dict[str, str], part: FileObjectPart) -> str:
    empty = [name for name in part.id_columns if not raw[name]]
    if empty:
        raise _BadRow(f"“{empty[0]}” is empty, which tells records apart")
    joined = "|".join(raw[name] for name in part.id_columns)
    if _UNDECODED.search(joined):
        raise _BadRow(f"the id is not written in {part.file.encoding}")
    if len(joined) > LONGEST_ID:
        raise _BadRow(f"the id is longer than {LONGEST_ID} characters")
    return joined


def _value(name: str, cell: str, part: FileObjectPart) -> Any:
    if _UNDECODED.search(cell):
        raise _BadRow(f"“{name}” is not written in {part.file.encoding}")
    kind = part.columns.get(name, "text")
    if kind == "text":  # a null character in it concerns only the fields that are made of it
        return cell
    if "\x00" in cell:
        raise _BadRow(f"“{name}” holds a null character")
    if not cell:
        return None
    try:
        return typed(cell, kind, part.file)
    except ValueError:
        raise _BadRow(f"“{cell[:60]}” in “{name}” is no {kind}") from None


def typed(cell: str, kind: str, part: FilePart) -> Any:
    """A cell as JSON: numbers as decimal text, dates and times in ISO 8601. Raises ValueError."""
    if kind == "number":
        return number(cell, part)
    if kind == "integer":
        value = Decimal(number(cell, part))
        if value != value.to_integral_value() or abs(value) > LARGEST_INTEGER:
            raise ValueError(cell)
        return int(value)
    if kind == "boolean":
        if cell.lower() not in TRUE | FALSE:
            raise ValueError(cell)
        return cell.lower() in TRUE
    if kind == "date":
        return (datetime.strptime(cell, part.dates).date() if part.dates else date.fromisoformat(cell)).isoformat()  # noqa: DTZ007
    moment = datetime.strptime(cell, part.datetimes) if part.datetimes else datetime.fromisoformat(cell)  # noqa: DTZ007
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(part.time_zone))
    try:
        return zoned.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:  # on the first or the last day of the calendar
        raise ValueError(cell) from None


def number(cell: str, part: FilePart) -> str:
    """`1.234,50` → `1234.50`; a trailing minus is what old systems write. Raises ValueError."""
    text = cell.replace("\u00a0", "").replace("\u202f", "")
    if part.thousands and part.thousands in text:
        whole = text.partition(part.decimal)[0].strip("+-")
        first, *others = whole.split(part.thousands)
        # Otherwise 1.2.3 would become 123.
        if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in others):
            raise ValueError(cell)
        text = text.replace(part.thousands, "")
    text = text.replace(part.decimal, ".") if part.decimal != "." else text
    text = f"-{text[:-1]}" if text.endswith("-") else text
    if not NUMBER.match(text):
        raise ValueError(cell)
    try:
        return format(Decimal(text), "f")
    except InvalidOperation:
        raise ValueError(cell) from None


def _modified(data: JsonDict, part: FileObjectPart) -> datetime | None:
    value = data.get(part.modified) if part.modified else None
    if not value:
        return None
    try:
        if part.columns.get(part.modified) != "datetime":
            value = typed(str(value), "datetime", part.file)
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        raise _BadRow(f"“{value}” in “{part.modified}” is no time") from None


def _is_true(cell: str) -> bool:
    return cell.lower() not in FALSE
