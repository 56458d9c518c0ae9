"""Set-based writing: COPY for many new rows, one JSON parameter for many changed ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from psycopg import sql

from apps.core.write_together import copy_behind, write_later

Parameters = Sequence[Any] | Mapping[str, Any]
# The sequence is looked up once, not once for each id.
_NEXT_IDS = """
WITH identity AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence)
SELECT nextval(sequence) FROM identity, generate_series(1, %s)
"""
# So many rows are inserted with one round trip; COPY takes three.
FEW = 20
# So many are made and sent at a time: the database takes in the ones while the next are made.
TOGETHER = 200
_IN_COPY = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_IN_ARRAY = str.maketrans({"\\": "\\\\", '"': '\\"'})


def json_text(value: Any) -> str:
    """JSON with sorted keys: equal values give equal text."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def copy_rows(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], shared: Mapping[str, Any] | None = None
) -> None:
    """This function will append `rows` to `table` in the current schema and transaction.

    `shared` are columns with one value for all rows. Values are None, texts, lists of texts, or what PostgreSQL reads
    from their `str()`: numbers, ids, dates, moments. Making a row must not ask the database anything: those before it
    are on their way.
    """
    shared, rows = shared or {}, iter(rows)
    first = list(islice(rows, FEW + 1))
    if len(first) <= FEW:
        _insert_rows(table, columns, first, shared)
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, [*shared, *columns]))
    )
    text, pieces = statement.as_string(), _copy_pieces(chain(first, rows), shared)
    if not copy_behind(text, pieces):
        with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(text) as copy:
            for piece in pieces:
                copy.write(piece)


def _copy_pieces(rows: Iterator[Sequence[Any]], shared: Mapping[str, Any]) -> Iterator[str]:
    """Lines made here: the driver's own adaptation of every value takes as long as the database's work."""
    start = "".join(f"{_copy_text(value)}\t" for value in shared.values())
    while part := list(islice(rows, TOGETHER)):
        lines = map("\t".join, zip(*map(_copy_column, zip(*part, strict=True)), strict=True))
        yield "".join([f"{start}{line}\n" for line in lines])


def _insert_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], shared: Mapping[str, Any]) -> None:
    if not rows:
        return
    common = [_plain_text(value) for value in shared.values()]
    values = [text for row in rows for text in (*common, *map(_plain_text, row))]
    marks = f"({', '.join(['%s'] * (len(shared) + len(columns)))})"
    names = ", ".join(f'"{name}"' for name in (*shared, *columns))
    write(f'INSERT INTO "{table}" ({names}) VALUES {", ".join([marks] * len(rows))}', values)  # noqa: S608 - our names


def _plain_text(value: Any) -> str | None:
    """What PostgreSQL reads the value from, whatever the column's type."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return value.hex
    return _array_text(value) if isinstance(value, list) else str(value)


def _copy_column(values: Sequence[Any]) -> Sequence[str]:
    """A column in COPY's text format; most have one kind of value, and nothing to escape."""
    kinds = set(map(type, values))
    if kinds == {UUID}:
        return [value.hex for value in values]
    if kinds == {int}:
        return list(map(str, values))
    if kinds == {str}:
        together = "\n".join(values)
        if together.count("\n") < len(values) and not ("\\" in together or "\t" in together or "\r" in together):
            return values
    return [_copy_text(value) for value in values]


def _copy_text(value: Any) -> str:
    """A value in COPY's text format."""
    if value is None:
        return "\\N"
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, list):
        value = _array_text(value)
    if not isinstance(value, str):
        return str(value)
    is_plain = not ("\\" in value or "\n" in value or "\t" in value or "\r" in value)
    return value if is_plain else value.translate(_IN_COPY)


def _array_text(values: list[Any]) -> str:
    """An array literal; the driver makes it item by item, which for a thousand ids takes longer than the query."""
    if values and isinstance(values[0], UUID):
        return "{" + ",".join([value.hex for value in values]) + "}"
    return "{" + ",".join([_array_item(str(value)) for value in values]) + "}"


def _array_item(text: str) -> str:
    return f'"{text.translate(_IN_ARRAY)}"' if "\\" in text or '"' in text else f'"{text}"'


def fetch_rows(statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """Lists among the parameters are arrays of ids, texts or numbers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _prepared(parameters))
        return list(cursor.fetchall())


def write(statement: str, parameters: Parameters) -> None:
    """Like `execute`, where nobody looks at the outcome: it may travel with the next statement."""
    if not write_later(statement, _prepared(parameters)):
        execute(statement, parameters)


def execute(statement: str, parameters: Parameters) -> int:
    """Returns how many rows were touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _prepared(parameters))
        return int(cursor.rowcount)


def _prepared(parameters: Parameters) -> Parameters:
    if isinstance(parameters, Mapping):
        return {name: _array_text(v) if isinstance(v, list) else v for name, v in parameters.items()}
    return [_array_text(value) if isinstance(value, list) else value for value in parameters]


def next_ids(table: str, count: int) -> list[int]:
    """`count` ids of the table's identity, reserved before the rows are copied."""
    found = fetch_rows(_NEXT_IDS, [table, count])
    return [int(row[0]) for row in found]


def commit_without_waiting() -> None:
    """This function will have the transaction committed without waiting for the disk.

    For what may be undone by a crash of the database: the next commit that waits takes it along.
    """
    write("SET LOCAL synchronous_commit = off", [])


def lock_for_transaction(key: UUID) -> None:
    """This function will wait for the lock named by `key` and hold it until the transaction ends."""
    number = int.from_bytes(key.bytes[8:], "big", signed=True) ^ int.from_bytes(key.bytes[:8], "big", signed=True)
    write("SELECT pg_advisory_xact_lock(%s)", [number])
