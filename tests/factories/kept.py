"""Rows that many tests begin with: made by the services once a process, then copied back in a few milliseconds."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.core import mail
from django.db import connection, transaction

from apps.core.planes import current_schema

Made = TypeVar("Made")
Key = tuple[str, ...]
State = dict[str, Counter[bytes]]
Gone = dict[tuple[str, str], list[str]]
# Ordinary tables (a partitioned one by its parts), their key and the columns that can be written.
TABLES = """
    SELECT format('%%I.%%I', n.nspname, c.relname), string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname IN ('public', %s) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    GROUP BY n.nspname, c.relname
"""


@dataclass(frozen=True)
class _Kept:
    added: dict[str, bytes]
    gone: Gone
    made: bytes


_kept: dict[Key, _Kept] = {}
_states: dict[Key, State] = {}  # all rows, where nothing else stands


def remember_beginning() -> None:
    """What stands before any test."""
    _states[()] = _read()


@contextmanager
def put_back() -> Iterator[None]:
    """This function will let the test commit, and take away afterwards all that was committed, the trail included."""
    before = _read()
    try:
        yield
    finally:
        with transaction.atomic():
            _change(*_difference(_read(), before))


def kept(name: str, make: Callable[[], Made], *, on: Key, identify: Callable[[Made], str]) -> Made:
    """This function will put back the rows that `make` wrote and the mails it sent; each caller gets a copy of its result.

    `on` identifies what was kept before it in this test, and `identify` what was made now: a test may have made something
    else of the same name. The first call runs `make` where nothing else stands, whatever the test made before: so its
    outcome does not depend on which test came first. On top of anything that was not kept, and where nothing is rolled
    back, `make` is simply called.
    """
    key = (*on, name)
    if on not in _states or not connection.in_atomic_block:
        return make()
    if key not in _kept:
        _keep(key, make, identify)
    _change(_kept[key].gone, _kept[key].added)
    made, mails = cast("tuple[Made, list[Any]]", pickle.loads(_kept[key].made))
    mail.outbox.extend(mails)
    return made


def _keep(key: Key, make: Callable[[], Made], identify: Callable[[Made], str]) -> None:
    beginning, sent = _states[key[:-1]], len(mail.outbox)
    with transaction.atomic():
        _change(*_difference(_read(), beginning))
        made = make()
        after = _read()
        transaction.set_rollback(True)
    gone, added = _difference(beginning, after)
    _kept[key] = _Kept(added, gone, pickle.dumps((made, mail.outbox[sent:])))
    _states[(*key[:-1], identify(made))] = after
    del mail.outbox[sent:]


def _read() -> State:
    return {table: Counter(_rows(f"{table} ({columns})")) for table, columns in _tables()}


def _tables() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [current_schema()])
        return cursor.fetchall()


def _rows(table: str) -> list[bytes]:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as lines:
        return b"".join(lines).splitlines(keepends=True)


def _difference(before: State, after: State) -> tuple[Gone, dict[str, bytes]]:
    """Keys of the rows to take away, and the lines to add, table by table."""
    gone: Gone = {}
    added = {}
    columns = dict(_tables())
    for table, rows in after.items():
        if old := before[table] - rows:
            # A table's first column is its key.
            gone[table, columns[table].split(",")[0]] = [line.split(b"\t", 1)[0].decode() for line in old]
        if new := rows - before[table]:
            added[f"{table} ({columns[table]})"] = b"".join(new.elements())
    return gone, added


def _change(gone: Gone, added: dict[str, bytes]) -> None:
    with connection.cursor() as cursor:
        # What triggers add and refuse, they did when the rows were made.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for (table, first), keys in gone.items():
            cursor.execute(f"DELETE FROM {table} WHERE {first}::text = ANY(%s)", [keys])
        for table, lines in added.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as target:
                target.write(lines)
        cursor.execute("SET LOCAL session_replication_role = origin")
