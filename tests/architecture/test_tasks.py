"""Tasks are enqueued by name: every name in the code must resolve, and every task must be named after its room."""

from __future__ import annotations

import re
from pathlib import Path

import apps
from apps.dispatch.registry import kinds, task_of
from config.celery import app

ROOT = Path(apps.__file__ or "").parent
ENQUEUED = re.compile(r"""\benqueue(?:_in)?\(\s*(?:[\w.]+,\s*)?["']([\w.]+)["']""")


def own_tasks() -> dict[str, str]:
    return {name: task.__module__ for name, task in app.tasks.items() if task.__module__.startswith("apps.")}


def test_every_enqueued_name_is_a_task() -> None:
    names = {name for path in ROOT.rglob("*.py") for name in ENQUEUED.findall(path.read_text())}

    assert "events.relay_outbox" in names
    assert names - set(app.tasks) == set()


def test_tasks_are_named_after_their_room() -> None:
    wrong = [name for name, module in own_tasks().items() if name.split(".")[0] != module.split(".")[1]]

    assert wrong == []


def test_every_kind_of_due_work_has_a_task() -> None:
    assert {task_of(kind) for kind in kinds()} - set(app.tasks) == set()
