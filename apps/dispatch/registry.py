"""Which task carries out which kind of work. Rooms register in their `ready()`."""

from __future__ import annotations

from celery import current_app

_tasks: dict[str, str] = {}


def register_kind(kind: str, task: str) -> None:
    """`task` takes the item's key as `key=` and reschedules or completes the item itself."""
    _tasks[kind] = task


def task_of(kind: str) -> str:
    return _tasks[kind]


def kinds() -> list[str]:
    return sorted(_tasks)


def by_queue() -> dict[str, list[str]]:
    """The kinds that each queue's workers carry out."""
    found: dict[str, list[str]] = {}
    for kind, task in _tasks.items():
        queue = current_app.amqp.router.route({}, task)["queue"]
        found.setdefault(str(getattr(queue, "name", queue)), []).append(kind)
    return found
