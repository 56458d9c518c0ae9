"""A list as a file: the same rows and columns as on the page."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from typing import Any

from django.http import HttpResponse

from apps.core.money import Money
from apps.core.spreadsheets import harmless
from apps.ui.filters import MOST_EXPORTED
from apps.ui.tables import Table

FORMATS = ("csv", "json")
MAX_ROWS = MOST_EXPORTED


def export_table(table: Table, *, name: str, format: str) -> HttpResponse:
    """`format` is one of FORMATS. Of more than `MAX_ROWS` rows the first are given, and the file's name says so."""
    given = table.rows[:MAX_ROWS]
    if len(table.rows) > MAX_ROWS:
        name = f"{name}-first-{MAX_ROWS}"
    names = [column.key for column in table.columns if column.label]
    rows = [
        {cell.column.key: _plain(cell.value, cell.currency) for cell in row.cells if cell.column.label} for row in given
    ]
    body, content_type = (
        (json.dumps(rows, indent=2, default=str), "application/json")
        if format == "json"
        else (_csv(names, rows), "text/csv; charset=utf-8")
    )
    response = HttpResponse(body, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    return response


def _csv(names: list[str], rows: list[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(names)
    writer.writerows([harmless(row.get(name)) for name in names] for row in rows)
    return buffer.getvalue()


def _plain(value: Any, currency: str) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "decimal") and hasattr(value, "currency"):
        return f"{value.decimal} {value.currency}"
    if isinstance(value, int) and currency:
        return str(Money(value, currency))
    if value is None or isinstance(value, int | float | str | bool):
        return value
    return str(getattr(value, "label", value))
