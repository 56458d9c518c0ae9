"""SuiteQL, carried out by SQLite over the account's rows: real joins, real comparisons."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.account import Account
from sandbox.netsuite.schema import TABLES
from sandbox.vendor import VendorError

Row = dict[str, Any]
FORMATS = {"YYYY-MM-DD": "%Y-%m-%d", "YYYY-MM-DD HH24:MI:SS": "%Y-%m-%d %H:%M:%S"}


def run(account: Account, text: str) -> list[Row]:
    """Rows as NetSuite writes them: text only, and nothing at all for an empty column."""
    with sqlite3.connect(":memory:") as database:
        database.row_factory = sqlite3.Row
        database.create_function("TO_CHAR", 2, to_char)
        database.create_function("TO_DATE", 2, lambda value, _format: value)
        for table, columns in TABLES.items():
            fill(account, database, table, columns)
        try:
            # `transaction` is a word of SQLite's own.
            found = database.execute(re.sub(r"\btransaction\b", '"transaction"', text)).fetchall()
        except sqlite3.Error as error:
            message = f"Invalid search query. Detailed unprocessed description follows. Search error occurred: {error}."
            raise VendorError(400, message, code="INVALID_PARAMETER") from None
    return [shown(row) for row in found]


def fill(account: Account, database: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> None:
    if table in account.setting("hidden_tables", []):
        return
    names = ", ".join(f'"{column}"' for column in columns)
    database.execute(f'CREATE TABLE "{table}" ({names})')
    rows = [
        tuple(cell(account, column, row.get(column)) for column in columns) for row in account.objects(table).values()
    ]
    marks = ", ".join("?" * len(columns))
    database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)  # noqa: S608 - names of our own


def cell(account: Account, column: str, value: Any) -> Any:
    if column == "lastmodifieddate" and value:
        # Shown on the clock of whoever asks, without saying which.
        zone = ZoneInfo(account.setting("time_zone", "America/Los_Angeles"))
        return datetime.fromisoformat(value).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return value


def to_char(value: str | None, form: str) -> str | None:
    return datetime.fromisoformat(value).replace(tzinfo=UTC).strftime(FORMATS[form]) if value else None


def shown(row: sqlite3.Row) -> Row:
    found = {name: row[name] for name in row.keys() if row[name] is not None}  # noqa: SIM118 - a row is no dict
    return {"links": [], **{name: f"{v:g}" if isinstance(v, float) else str(v) for name, v in found.items()}}
