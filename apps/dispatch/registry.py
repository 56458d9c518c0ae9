"""Which task carries out which kind of work. Rooms register in their `ready()`."""

from __future__ import annotations

_tasks: dict[str, str] = {}


def register_kind(kind: str, task: str) -> None:
    """`task` takes the item's key as `key=` and reschedules or completes the item itself."""
    _tasks[kind] = task


def task_of(kind: str) -> str:
    return _tasks[kind]


def kinds() -> list[str]:
    return sorted(_tasks)
