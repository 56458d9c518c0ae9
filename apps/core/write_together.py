"""Writes whose outcome nobody looks at travel with the statement that follows them: one round trip instead of many.

They run in their order, before whatever is asked next, and an error of theirs comes up there. Rows that are copied go
on their way at once: the database takes them in while we compute what comes next.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from psycopg.copy import LibpqWriter

from apps.core.planes import connection

Write = tuple[str, Any]
# What is sent in one piece is worked on when all of it is there.
PIECE = 32 * 1024
# So much may be on its way without anybody waiting for it (the system may allow less).
ON_ITS_WAY = 2 * 1024 * 1024


@dataclass(slots=True)
class _Writes:
    waiting: list[Write] = field(default_factory=list)
    copying: ExitStack | None = None  # rows on their way; closing it waits until they are in


_writes: ContextVar[_Writes | None] = ContextVar("writes", default=None)


@contextmanager
def writing_together() -> Iterator[None]:
    """To be opened within a transaction: what is still waiting at the end of the block is written there."""
    if _writes.get() is not None:
        yield
        return
    writes = _Writes()
    token = _writes.set(writes)
    try:
        with connection.execute_wrapper(_with_waiting):
            yield
            flush_writes()
    except BaseException:
        with suppress(Exception):  # whoever undoes the transaction needs the connection free
            _settle(writes)
        raise
    finally:
        _writes.reset(token)


def write_later(statement: str, parameters: Any) -> bool:
    """False outside of such a block: then the caller has to write itself."""
    writes = _writes.get()
    if writes is None:
        return False
    if not connection.search_path_set_schemas:
        # What waits is sent as it stands when something is asked; the plane must not be chosen after it then.
        connection.cursor().close()
    writes.waiting.append((statement, parameters))
    return True


def copy_behind(statement: str, pieces: Iterator[str]) -> bool:
    """This function will hand rows over and not wait until they are in. False outside of such a block.

    `pieces`: whole lines; the first is made while what is on its way already is still being taken in.
    """
    writes = _writes.get()
    if writes is None:
        return False
    first = next(pieces, "")
    flush_writes()
    with connection.wrap_database_errors, ExitStack() as stack:
        cursor = stack.enter_context(connection.cursor())
        writer = LibpqWriter(cursor.cursor, flush_threshold=sys.maxsize)
        copy = stack.enter_context(cursor.copy(statement, writer=writer))
        libpq = cursor.connection.pgconn
        _widen(libpq.socket)
        for content in chain((first,), pieces):
            data = content.encode()
            for start in range(0, len(data), PIECE):
                copy.write(data[start : start + PIECE])
            libpq.flush()
        writes.copying = stack.pop_all()
    return True


def flush_writes() -> None:
    """This function will write what is waiting; COPY takes nothing along."""
    writes = _writes.get()
    if writes is None:
        return
    if writes.waiting:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    _settle(writes)


def _settle(writes: _Writes) -> None:
    copying, writes.copying = writes.copying, None
    if copying is not None:
        with connection.wrap_database_errors:
            copying.close()


def _widen(number: int) -> None:
    """Lets the system hold a page's rows on their way to the database."""
    with socket.socket(fileno=os.dup(number)) as link:
        if link.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < ON_ITS_WAY:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ON_ITS_WAY)


def _with_waiting(execute: Callable[..., Any], statement: str, parameters: Any, many: bool, context: Any) -> Any:
    writes = _writes.get()
    if writes is None:
        return execute(statement, parameters, many, context)
    _settle(writes)
    if not writes.waiting:
        return execute(statement, parameters, many, context)
    waiting, writes.waiting = writes.waiting, []
    if connection.prepares:
        return _send_piped(waiting, lambda: execute(statement, parameters, many, context))
    cursor = context["cursor"]
    together = [cursor.mogrify(*write) for write in waiting]
    if many:
        execute(";\n".join(together), None, False, context)
        return execute(statement, parameters, many, context)
    together.append(cursor.mogrify(statement, parameters) if parameters is not None else statement)
    found = execute(";\n".join(together), None, False, context)
    while cursor.nextset():  # the answer is that of the last statement
        pass
    return found


def _send_piped(writes: list[Write], ask: Callable[[], Any]) -> Any:
    """Prepared statements are sent one by one, but nobody waits for the answers before the last has been sent."""
    with connection.wrap_database_errors, connection.connection.pipeline():
        for write in writes:
            connection.create_cursor().execute(*write)
        return ask()
