"""A run's steps as people follow them, written with the run's own transactions: a commit costs more than many a step."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.sync.models import RunStatus, RunStep


class Timeline:
    """Buffers opened and closed steps until a transaction of the run writes them (`flush`)."""

    def __init__(self, run_id: UUID | None, *, is_first_attempt: bool = True) -> None:
        self.run_id = run_id
        self._position = None if not is_first_attempt else 0
        self._new: list[RunStep] = []
        self._closed: list[RunStep] = []

    def open(self, label: str, now: datetime) -> RunStep:
        assert self.run_id is not None  # noqa: S101 - dry runs are not executed
        if self._position is None:
            self._position = RunStep.objects.filter(run_id=self.run_id).count()
        self._position += 1
        step = RunStep(run_id=self.run_id, position=self._position, label=label[:160], started_at=now)
        self._new.append(step)
        return step

    def close(self, step: RunStep, status: RunStatus, counts: dict[str, int], now: datetime) -> None:
        step.status, step.counts, step.finished_at = status, counts, now
        if not any(new is step for new in self._new):
            self._closed.append(step)

    def flush(self) -> None:
        """This method will write what is buffered, as part of the caller's transaction."""
        if self._new:
            RunStep.objects.bulk_create(self._new)
        for step in self._closed:
            step.save(update_fields=["status", "counts", "finished_at"])
        self._new, self._closed = [], []
