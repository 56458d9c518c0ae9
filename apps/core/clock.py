"""The only place that asks the machine what time it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# The instant, and the monotonic time at which the clock began to run from it (None: it stands still).
_moved: ContextVar[tuple[datetime, float | None] | None] = ContextVar("moved_clock", default=None)


def now() -> datetime:
    """The current instant in UTC, or the instant of the enclosing `moved_clock`."""
    moved = _moved.get()
    if moved is None:
        return datetime.now(UTC)
    instant, began = moved
    return instant if began is None else instant + timedelta(seconds=time.monotonic() - began)


def is_moved() -> bool:
    """Whether the caller stands in a `moved_clock`."""
    return _moved.get() is not None


def local_date(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


@contextmanager
def moved_clock(instant: datetime, *, is_running: bool = False) -> Iterator[None]:
    """Within the block `now()` is `instant`, or runs on from it: demo history is made by the engine at past times."""
    token = _moved.set((instant, time.monotonic() if is_running else None))
    try:
        yield
    finally:
        _moved.reset(token)
