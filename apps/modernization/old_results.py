"""What the old interface produced, as a file somebody brings: CSV, or a JSON list of objects with single values."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from apps.connectors.sdk.declared.files.definition import FilePart
from apps.connectors.sdk.declared.files.guess import DELIMITERS, SAMPLE_BYTES, guess_file
from apps.modernization.doubts import Doubts

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 200
LONGEST_CELL = 4_000
SAMPLES = 3
LONGEST_NUMBER = 40
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


class UnreadableResult(Exception):
    """Nothing of the file can be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class OldRow:
    """`cells` by column; `problem` says in words why the row cannot be read."""

    line: int
    cells: dict[str, str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OldResult:
    """What a file looks like. `unique` is the column that tells the first rows apart, where there is one.

    `unclear_days` and `unclear_numbers` are columns that can be read in two ways; `file` has the likelier one.
    """

    columns: list[str]
    samples: dict[str, list[str]]
    row_count: int
    file: FilePart
    is_json: bool
    unique: str = ""
    unclear_days: tuple[str, ...] = ()
    unclear_numbers: tuple[str, ...] = ()


def look_at(content: bytes, name: str) -> OldResult:
    """This function will read the file once, to its end. Raises UnreadableResult."""
    if len(content) > MAX_BYTES:
        raise UnreadableResult(f"The file has more than {MAX_BYTES // 1024 // 1024} MB. Bring a shorter period.")
    if not content.strip():
        raise UnreadableResult("The file is empty.")
    is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{")
    part, unique = (FilePart(pattern="*"), "") if is_json else _guessed(content, name)
    columns: dict[str, list[str]] = {}
    count, doubts = 0, Doubts()
    for row in read_rows(content, part, is_json=is_json):
        count += 1
        if not is_json:  # its own numbers leave no doubt
            doubts.see(row.cells)
        if count > MAX_ROWS:
            raise UnreadableResult(f"The file has more than {MAX_ROWS:,} rows. Bring a shorter period.")
        for column, cell in row.cells.items():
            seen = columns.setdefault(column, [])
            if cell and len(seen) < SAMPLES and cell not in seen:
                seen.append(cell[:80])
        if len(columns) > MAX_COLUMNS:
            raise UnreadableResult(f"The file has more than {MAX_COLUMNS} columns.")
    if not count:
        raise UnreadableResult("The file has a header row only: there is nothing to compare.")
    return OldResult(
        list(columns), columns, count, part, is_json, unique, tuple(doubts.days), tuple(doubts.numbers)
    )  # fmt: skip


def _guessed(content: bytes, name: str) -> tuple[FilePart, str]:
    guess = guess_file(content[: SAMPLE_BYTES + 1], name or "result.csv")
    if guess is None:
        return _plainly(content), ""
    if not guess.file.header and all(map(_is_name, _first_cells(content, guess.file))):
        # Two columns of one name, or one without any, are a mistake in the header, not a sign that there is none.
        return msgspec.structs.replace(guess.file, header=True, columns=()), ""
    return guess.file, guess.id


def _first_cells(content: bytes, file: FilePart) -> list[str]:
    first = content[:SAMPLE_BYTES].decode(file.encoding, errors="replace").lstrip("\ufeff").splitlines()[0]
    return next(csv.reader([first], delimiter=file.delimiter))


def _is_name(cell: str) -> bool:
    first = cell.strip()[:1]
    return not first.isdigit() and first not in ("+", "-")


def _plainly(content: bytes) -> FilePart:
    """A file with one column, or with so many broken rows that nothing can be guessed from it. Raises UnreadableResult."""
    first = content[:SAMPLE_BYTES].splitlines()[0]
    try:
        encoding, header = "utf-8", first.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding, header = "cp1252", first.decode("cp1252", errors="replace")
    if not header.strip() or not header.replace("\t", " ").isprintable():
        raise UnreadableResult("No table was found in this file: is it CSV with a header row, or a JSON list?")
    return FilePart(pattern="*", encoding=encoding, delimiter=max(DELIMITERS, key=header.count))


def packed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=5, mtime=0)


def unpacked(content: bytes) -> bytes:
    return gzip.decompress(content)


def read_rows(content: bytes, file: FilePart, *, is_json: bool) -> Iterator[OldRow]:
    """Every row in the order of the file; one that cannot be read says so. Raises UnreadableResult."""
    yield from _json_rows(content) if is_json else _csv_rows(content, file)


def columns_of(content: bytes, file: FilePart, *, is_json: bool) -> list[str]:
    """Raises UnreadableResult."""
    if is_json:
        return _names(_json_list(content))
    return _header(_reader(content, file), file)


def _reader(content: bytes, file: FilePart) -> Any:
    encoding = "utf-8-sig" if file.encoding == "utf-8" else file.encoding
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, errors="replace", newline="")
    # Strict: a quote that is never closed would swallow every row behind it without a word.
    return csv.reader(text, delimiter=file.delimiter, quotechar=file.quote, skipinitialspace=True, strict=True)


def _header(reader: Any, file: FilePart) -> list[str]:
    try:
        columns = [cell.strip() for cell in next(reader)] if file.header else list(file.columns)
    except (csv.Error, StopIteration):
        raise UnreadableResult("The header row cannot be read.") from None
    if len(columns) > MAX_COLUMNS:
        raise UnreadableResult(f"The file has more than {MAX_COLUMNS} columns.")
    twice = next((name for name, count in Counter(columns).items() if name and count > 1), None)
    if twice is not None:
        raise UnreadableResult(f"There are two columns named “{twice[:80]}”.")
    return columns


def _csv_rows(content: bytes, file: FilePart) -> Iterator[OldRow]:
    reader = _reader(content, file)
    columns = _header(reader, file)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield OldRow(line, {}, _said(error))
            continue
        if any(cells):
            yield _row(line, columns, cells)


def _said(error: csv.Error) -> str:
    if "end of data" in str(error):
        return "A quotation mark opens here and is never closed: nothing behind it can be read"
    return f"The row is not well-formed ({error})"


def _row(line: int, columns: list[str], cells: list[str]) -> OldRow:
    if len(cells) != len(columns):
        kept = dict(zip(columns, cells, strict=False))
        return OldRow(line, _clean(kept), f"The row has {len(cells)} columns, the header {len(columns)}")
    return _checked(line, {column: cell.strip() for column, cell in zip(columns, cells, strict=True) if column})


def _checked(line: int, cells: dict[str, str]) -> OldRow:
    for column, cell in cells.items():
        if len(cell) > LONGEST_CELL:
            return OldRow(line, _clean(cells), f"“{column}” is longer than {LONGEST_CELL:,} characters")
        if UNKEEPABLE.search(cell):
            return OldRow(line, _clean(cells), f"“{column}” holds a character that cannot be kept")
    return OldRow(line, cells)


def _clean(cells: dict[str, str]) -> dict[str, str]:
    return {UNKEEPABLE.sub("�", name)[:80]: UNKEEPABLE.sub("�", cell)[:200] for name, cell in cells.items()}


def _json_rows(content: bytes) -> Iterator[OldRow]:
    data = _json_list(content)
    columns = _names(data)
    for number, item in enumerate(data, 1):
        yield _object(number, item, columns)


def _json_list(content: bytes) -> list[Any]:
    try:
        data = json.loads(content.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise UnreadableResult("This is not JSON: bring a list of objects, or CSV.") from None
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), None)
    if not isinstance(data, list):
        raise UnreadableResult("The JSON holds no list of objects.")
    return data


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values an object means cannot be known. Raises UnreadableResult."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableResult(f"An object of the list names “{UNKEEPABLE.sub('�', twice)[:80]}” twice.")
    return found


def _names(items: Iterable[Any]) -> list[str]:
    found: dict[str, None] = {}
    for item in items:
        if isinstance(item, dict):
            found.update(dict.fromkeys(item))
    return [name for name in found if not UNKEEPABLE.search(name)]


def _object(number: int, item: Any, columns: list[str]) -> OldRow:
    if not isinstance(item, dict):
        return OldRow(number, {}, "The entry is no object")
    nested = next((name for name, value in item.items() if isinstance(value, dict | list)), None)
    cells = {name: _plain(item.get(name)) for name in columns}
    if nested is not None:
        return OldRow(number, _clean(cells), f"“{nested}” holds a list or an object, not a single value")
    return _checked(number, cells)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # Written out, a number such as 1e999999999 would fill the memory.
    is_plain = isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < LONGEST_NUMBER
    return format(value, "f") if is_plain else str(value).strip()
