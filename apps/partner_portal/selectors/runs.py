"""What a run brought in, apart from what it wrote: its own figures count both together."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from apps.core.actor import Actor
from apps.sync.models import RecordAction, RecordLog, SyncRun

CHANGING = (RecordAction.CREATED, RecordAction.UPDATED, RecordAction.DELETED)
# Counting the log of more would take longer than the page may.
MOST_COUNTED = 50_000


@dataclass(frozen=True, slots=True)
class RunChanges:
    """Records that came in new or changed, and records created or updated in systems; a deletion is a change."""

    new_count: int = 0
    changed_count: int = 0
    created_count: int = 0
    updated_count: int = 0

    @property
    def came_in_count(self) -> int:
        return self.new_count + self.changed_count

    @property
    def written_count(self) -> int:
        return self.created_count + self.updated_count


def find_run_changes(actor: Actor, run: SyncRun) -> RunChanges | None:
    """One query. None where the log does not tell: of very large runs, and where its entries are cleared already."""
    told = run.created_count + run.updated_count
    if told == 0:
        return RunChanges()
    if told > MOST_COUNTED:
        return None
    logs = RecordLog.objects.visible_to(actor).filter(run_id=run.pk, action__in=CHANGING).order_by()
    counts: dict[tuple[str, bool], int] = {}
    for direction, action, count in logs.values_list("direction", "action").annotate(count=Count("*")):
        key = (direction, action == RecordAction.CREATED)
        counts[key] = counts.get(key, 0) + count
    if sum(counts.values()) < told:
        return None
    names = (("read", True), ("read", False), ("write", True), ("write", False))
    return RunChanges(*(counts.get(name, 0) for name in names))
