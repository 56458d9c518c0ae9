"""Trying again: bounded, with backoff and jitter; short rate limits are waited for, longer ones defer the run."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta

from apps.connectors.sdk.errors import RateLimited, TransientError
from apps.connectors.services import note_circuit_failure, note_circuit_success
from apps.core import clock
from apps.sync.engine.context import RunContext
from apps.sync.engine.errors import RunDeferred
from apps.sync.models import HeldBy

MAX_ATTEMPTS = 4
BASE_SECONDS = 0.5
MAX_WAIT_INSIDE = 5.0
MAX_SHORT_WAITS = 20


def pause(seconds: float) -> None:
    """History made under a moved clock waits for nobody."""
    if not clock.is_moved():
        time.sleep(seconds)


class Patience:
    """Counts consecutive failures; `bear` waits or gives up by raising."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.failures = 0
        self.short_waits = 0

    def reset(self) -> None:
        if self.failures and self.context.active is not None:
            note_circuit_success(self.context.active.connection, self.context.now())
        self.failures = self.short_waits = 0

    def bear(self, error: TransientError) -> None:
        """Raises the error when it was the last straw, RunDeferred when the vendor asks for a longer wait."""
        if isinstance(error, RateLimited):
            self.short_waits += 1
            if error.retry_after > MAX_WAIT_INSIDE or self.short_waits > MAX_SHORT_WAITS:
                resume_at = self.context.now() + timedelta(seconds=max(error.retry_after, MAX_WAIT_INSIDE))
                raise RunDeferred(resume_at, error.message) from error
            pause(error.retry_after)
            return
        self.failures += 1
        self._note(error)
        if self.failures >= MAX_ATTEMPTS:
            raise error
        pause(BASE_SECONDS * 2 ** (self.failures - 1) * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    def _note(self, error: TransientError) -> None:
        """Raises RunDeferred when the system has failed so often, here and elsewhere, that it is left alone."""
        if self.context.active is None:
            return
        connection = self.context.active.connection
        until = note_circuit_failure(connection, error, self.context.now())
        if until is not None:
            raise left_alone(connection.name, until) from error


def left_alone(name: str, until: datetime) -> RunDeferred:
    reason = f"{name} does not answer. It is left alone for a while; the run goes on where it stopped."
    return RunDeferred(until, reason, held_by=HeldBy.CIRCUIT)
