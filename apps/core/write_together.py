"""Writes whose outcome nobody looks at travel with the statement that follows them: one round trip instead of many.

They run in their order, before whatever is asked next, and an error of theirs comes up there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from apps.core.planes import connection

Write = tuple[str, Any]
_waiting: ContextVar[list[Write] | None] = ContextVar("waiting", default=None)


@contextmanager
def writing_together() -> Iterator[None]:
    """To be opened within a transaction: what is still waiting at the end of the block is written there."""
    if _waiting.get() is not None:
        yield
        return
    waiting: list[Write] = []
    token = _waiting.set(waiting)
    try:
        with connection.execute_wrapper(_with_waiting):
            yield
            flush_writes()
    finally:
        _waiting.reset(token)


def write_later(statement: str, parameters: Any) -> bool:
    """False outside of such a block: then the caller has to write itself."""
    waiting = _waiting.get()
    if waiting is None:
        return False
    waiting.append((statement, parameters))
    return True


def flush_writes() -> None:
    """This function will write what is waiting; COPY takes nothing along."""
    if _waiting.get():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def _with_waiting(execute: Callable[..., Any], statement: str, parameters: Any, many: bool, context: Any) -> Any:
    waiting = _waiting.get()
    if not waiting:
        return execute(statement, parameters, many, context)
    writes, waiting[:] = list(waiting), []
    if connection.prepares:
        return _send_piped(writes, lambda: execute(statement, parameters, many, context))
    cursor = context["cursor"]
    together = [cursor.mogrify(*write) for write in writes]
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
