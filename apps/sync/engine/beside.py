"""Calls to a system beside the run's own work, by threads that do nothing else.

What comes back is taken over by the run's own thread, in the order in which it was asked for. A thread has no business
with the database, and a conversation with the system for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import TypeVar

from django.db import connection

from apps.connectors.sdk.types import Page
from apps.connectors.services import may_call_beside
from apps.core.planes import current_schema, tenant_plane
from apps.sync.engine import read
from apps.sync.engine.context import BoundSystem

Answer = TypeVar("Answer")


class Callers:
    """So many threads; the end of the block waits for what is under way. Without any, calls are made on the spot."""

    def __init__(self, threads: int) -> None:
        self._schema = current_schema()
        self._threads = ThreadPoolExecutor(threads) if threads else None

    def __enter__(self) -> Callers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._threads:
            self._threads.shutdown()

    def start(self, call: Callable[[], Answer]) -> Future[Answer]:
        if self._threads:
            return self._threads.submit(copy_context().run, partial(_in_plane, self._schema, call))
        done: Future[Answer] = Future()
        try:
            done.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised where the answer is asked for
            done.set_exception(error)
        return done


def _in_plane(schema: str, call: Callable[[], Answer]) -> Answer:
    try:
        with tenant_plane(schema):
            return call()
    finally:
        connection.close()  # the thread's own, opened only where the budget's store has just gone away


def read_ahead(
    system: BoundSystem, pages: Iterator[Page], before_waiting: Callable[[], None] = lambda: None
) -> Generator[Page]:
    """The same pages: while the caller works on one, the next is read. What is left of them at the end is dropped.

    `before_waiting` is called before the caller is kept waiting for a page, or for there being none.
    """
    started = time.monotonic()
    page = next(pages, None)
    if page is None or _is_all(page, started) or not may_call_beside(system.connection.vendor):
        while page is not None:
            yield page
            before_waiting()
            page = next(pages, None)
        return
    with system.lending(), Callers(threads=1) as callers:
        while page is not None:
            following = callers.start(partial(next, pages, None))
            yield page
            if not following.done():
                before_waiting()
            page = following.result()


def _is_all(page: Page, started: float) -> bool:
    """Pages are handed out together unless they are many or come slowly: otherwise this was the last one."""
    return len(page.records) < read.TOGETHER and time.monotonic() - started < read.TOGETHER_SECONDS
