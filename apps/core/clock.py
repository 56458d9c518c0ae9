"""The only place that asks the machine what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_moved: ContextVar[datetime | None] = ContextVar("moved_clock", default=None)


def now() -> datetime:
    """The current instant in UTC, or the instant of the enclosing `moved_clock`."""
    return _moved.get() or datetime.now(UTC)


def is_moved() -> bool:
    """Whether the caller stands in a `moved_clock`."""
    return _moved.get() is not None


def local_date(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


@contextmanager
def moved_clock(instant: datetime) -> Iterator[None]:
    """Within the block `now()` is `instant`: demo history is made by the engine itself at past times."""
    token = _moved.set(instant)
    try:
        yield
    finally:
        _moved.reset(token)
