"""Records as rows of a file: the reverse of `rows`, with the same signs, dates and letters."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from apps.connectors.sdk.declared.files.definition import FileObjectPart
from apps.connectors.sdk.declared.files.rows import FALSE, LONGEST_ID, TRUE, typed
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.types import JsonDict, WriteRequest

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


def row_of(request: WriteRequest, part: FileObjectPart) -> list[str]:
    """The cells of one record, in the order of the columns. Raises RecordRejected where the file cannot hold them."""
    assert part.write is not None  # noqa: S101 - only such parts have a sink
    unknown = sorted(set(request.payload) - set(part.written_columns))
    if unknown:
        raise RecordRejected(f"The file has no column “{unknown[0]}”.", code="unknown_column")
    values: JsonDict = dict(request.payload)
    if part.write.reference:
        only = part.id_columns == (part.write.reference,)
        values[part.write.reference] = request.external_id if only and request.external_id else request.key
    cells = {name: _cell(name, values.get(name), part) for name in part.written_columns}
    _check_id(cells, request, part)
    return [cells[name] for name in part.written_columns]


def guarded(row: list[str], part: FileObjectPart) -> list[str]:
    """Texts that a spreadsheet would run as a formula begin with an apostrophe."""
    texts = [part.columns.get(name, "text") == "text" for name in part.written_columns]
    return [
        f"'{cell}" if text and cell.startswith(_RUN_BY_SPREADSHEETS) else cell
        for cell, text in zip(row, texts, strict=True)
    ]


def encoded(rows: Iterable[list[str]], part: FileObjectPart) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=part.file.delimiter, quotechar=part.file.quote, lineterminator="\r\n")
    writer.writerows(rows)
    return text.getvalue().encode(part.file.encoding)


def _cell(name: str, value: Any, part: FileObjectPart) -> str:
    if value is None or value == "":
        return ""
    kind = part.columns.get(name, "text")
    try:
        cell = _written(value, kind, part)
        cell.encode(part.file.encoding)
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        raise RecordRejected(
            f"“{letter}” in “{name}” cannot be written in {part.file.encoding}.", code="encoding"
        ) from None
    except (ValueError, InvalidOperation, TypeError):
        raise RecordRejected(f"“{str(value)[:60]}” in “{name}” is no {kind}.", code="bad_value") from None
    if "\x00" in cell:
        raise RecordRejected(f"“{name}” holds a null character.", code="bad_value")
    return cell


def _written(value: Any, kind: str, part: FileObjectPart) -> str:
    file = part.file
    if kind == "boolean":
        return _word(value, part)
    if isinstance(value, bool | dict | list):
        raise ValueError(value)
    if kind in ("number", "integer"):
        number = Decimal(str(value))
        if not number.is_finite() or (kind == "integer" and number != number.to_integral_value()):
            raise ValueError(value)
        return format(number, "f").replace(".", file.decimal) if kind == "number" else str(int(number))
    if kind == "date":
        day = date.fromisoformat(str(value)[:10])
        return day.strftime(file.dates) if file.dates else day.isoformat()
    if kind == "datetime":
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        zoned = moment.astimezone(ZoneInfo(file.time_zone)) if moment.tzinfo else moment
        return zoned.strftime(file.datetimes) if file.datetimes else zoned.isoformat()
    return str(value).strip()


def _word(value: Any, part: FileObjectPart) -> str:
    assert part.write is not None  # noqa: S101 - only such parts have a sink
    true, false = part.write.booleans
    text = str(value).lower()
    if text not in TRUE | FALSE:
        raise ValueError(value)
    return true if text in TRUE else false


def _check_id(cells: dict[str, str], request: WriteRequest, part: FileObjectPart) -> None:
    empty = [name for name in part.id_columns if not cells[name]]
    if empty:
        raise RecordRejected(f"“{empty[0]}” is empty, which tells records apart.", code="no_id")
    written = "|".join(cells[name] for name in part.id_columns)
    if len(written) > LONGEST_ID:
        raise RecordRejected(f"The id is longer than {LONGEST_ID} characters.", code="no_id")
    if request.external_id and written != request.external_id:
        raise RecordRejected(
            f"The record went out as {request.external_id}; as {written} it would be another one.", code="id_changed"
        )
    for name in part.id_columns:
        # What is compared is what a reader of the file gets.
        typed(cells[name], part.columns.get(name, "text"), part.file) if part.columns.get(name) else None
