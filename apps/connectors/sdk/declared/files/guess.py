"""What a sample of a file says about itself: a first draft of the definition, for a person to correct."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec
import yaml

from apps.connectors.sdk.declared.files.definition import FilePart
from apps.connectors.sdk.declared.files.rows import FALSE, TRUE, typed

SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 200
DELIMITERS = (";", ",", "\t", "|")
DATES = ("", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y")
MOMENTS = ("", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+$")
# 1,234.56 says which sign is which, and 1,234 beside it then is a thousand.
_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+$")
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*(?!\1)([.,]\d+)?$")
_PADDED = re.compile(r"0\d")
_IDENTIFIER = re.compile(r"(^|[ _])(id|no|nr|nummer|number|code|key)\.?$", re.IGNORECASE)


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is empty where no column tells the sample's rows apart."""

    file: FilePart
    columns: dict[str, str]
    id: str
    names: list[str]


def guess_file(sample: bytes, name: str) -> Guess | None:
    """None when this is no text in columns."""
    encoding = _encoding(sample)
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(sample[:SAMPLE_BYTES]).lstrip("\ufeff")
    except UnicodeDecodeError:
        return None
    if "\x00" in text:
        return None
    # The sample may end in the middle of a line.
    lines = text.splitlines()[: SAMPLE_ROWS + 1]
    lines = lines[:-1] if len(sample) > SAMPLE_BYTES else lines
    delimiter, rows = _split(lines)
    if not rows or len(rows[0]) < 2:
        return None
    header = all(cell and not _looks_like_value(cell) for cell in rows[0]) and len(set(rows[0])) == len(rows[0])
    names = rows[0] if header else [f"column{number}" for number in range(1, len(rows[0]) + 1)]
    cells = {column: [row[i] for row in rows[header:] if row[i]] for i, column in enumerate(names)}
    return _typed_guess(cells, names, name, encoding, delimiter, header, len(rows) - header)


def draft_of(guess: Guess, name: str, *, transport: str) -> str:
    """A definition to go on from: its entity and mapping are for a person to choose."""
    stem = re.sub(r"[^a-z]+", "-", PurePosixPath(name).stem.lower()).strip("-") or "records"
    file = {k: v for k, v in msgspec.to_builtins(guess.file).items() if v != getattr(FilePart(pattern="x"), k)}
    label = next(
        (column for column in guess.names if column not in guess.columns and column != guess.id), guess.names[0]
    )
    part = {
        "name": stem[:38], "label": stem.replace("-", " ").capitalize(), "entity": "account",
        "file": {**file, "columns": list(file["columns"])} if "columns" in file else file,
        "id": guess.id or guess.names[:2], "columns": guess.columns,
        "fields": {"name": f'record["{label}"]'.replace("\\", "")},
    }  # fmt: skip
    draft = {
        "kind": "files", "name": f"{part['label']} files", "domain": "erp", "transport": transport,
        "description": f"Guessed from {name[:100]}: check every line.", "objects": [part],
    }  # fmt: skip
    return yaml.safe_dump(draft, sort_keys=False, allow_unicode=True, width=110)


def _encoding(sample: bytes) -> str:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample[:SAMPLE_BYTES])
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _split(lines: list[str]) -> tuple[str, list[list[str]]]:
    """The delimiter that gives every row the same number of columns, and the most of them."""
    best: tuple[str, list[list[str]]] = (",", [])
    for delimiter in DELIMITERS:
        try:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter) if any(row)]
        except csv.Error:  # a cell without an end, for one
            continue
        width = len(rows[0]) if rows else 0
        whole = [row for row in rows if len(row) == width]
        if len(whole) * 10 >= len(rows) * 9 and width > len(best[1][0] if best[1] else []):
            best = (delimiter, whole)
    return best


def _typed_guess(
    cells: dict[str, list[str]], names: list[str], name: str, encoding: str, delimiter: str, header: bool, count: int
) -> Guess:
    every = [cell for column in cells.values() for cell in column]
    decimal = "," if any(_COMMA.match(cell) for cell in every) and not any(map(_POINT.match, every)) else "."
    thousands = {",": ".", ".": ","}[decimal] if _is_grouped(every, decimal) else ""
    part = FilePart(
        pattern=_pattern(name), delimiter=delimiter, encoding=encoding, decimal="," if decimal == "," else ".",
        thousands="." if thousands == "." else "," if thousands else "", header=header,
        columns=() if header else tuple(names),
    )  # fmt: skip
    part = msgspec.structs.replace(part, dates=_form(cells, "date", part), datetimes=_form(cells, "datetime", part))
    columns = {column: kind for column, values in cells.items() if (kind := _kind(values, part)) != "text"}
    unique = [
        column
        for column in names
        if len(set(cells[column])) == count and columns.get(column, "text") in ("text", "integer")
    ]
    id_column = next((column for column in unique if _IDENTIFIER.search(column)), unique[0] if unique else "")
    columns.pop(id_column, None)
    return Guess(file=part, columns=columns, id=id_column, names=names)


def _is_grouped(cells: Iterable[str], decimal: str) -> bool:
    found = [match for cell in cells if (match := _GROUPED.match(cell))]
    return any(match[1] != decimal for match in found)


def _pattern(name: str) -> str:
    """`customers_20261123.csv` → `customers_*.csv`: what changes from file to file is mostly a date."""
    path = PurePosixPath(name.replace("\\", "/"))
    return (re.sub(r"\d[\d_-]*", "*", path.stem) or "*") + path.suffix


def _form(cells: dict[str, list[str]], kind: str, part: FilePart) -> str:
    """The pattern by which the most whole columns can be read; of several the first."""
    best, most = "", 0
    for form in DATES if kind == "date" else MOMENTS:
        tried = (
            msgspec.structs.replace(part, dates=form)
            if kind == "date"
            else msgspec.structs.replace(part, datetimes=form)
        )
        count = sum(1 for values in cells.values() if values and _reads(values, kind, tried))
        best, most = (form, count) if count > most else (best, most)
    return best


def _kind(values: list[str], part: FilePart) -> str:
    if not values:
        return "text"
    if all(value.lower() in TRUE | FALSE for value in values) and not all(value in "01" for value in values):
        return "boolean"
    if any(_PADDED.match(value) for value in values) and all(value.isdecimal() for value in values):
        return "text"  # 007 is a name, not a number
    return next((kind for kind in ("date", "integer", "number", "datetime") if _reads(values, kind, part)), "text")


def _reads(values: list[str], kind: str, part: FilePart) -> bool:
    # A bare row of digits is a number before it is a day.
    if kind == "date" and not part.dates and any(value.isdecimal() for value in values):
        return False
    if kind == "datetime" and not part.datetimes and any(len(value) < 12 for value in values):
        return False
    try:
        return all(typed(value, kind, part) is not None for value in values)
    except ValueError:
        return False


def _looks_like_value(cell: str) -> bool:
    return bool(re.match(r"[\d+-]", cell))
