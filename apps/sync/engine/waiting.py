"""Trying again: bounded, with backoff and jitter; short rate limits are waited for, longer ones defer the run."""

from __future__ import annotations

import random
import time
from datetime import timedelta

from apps.connectors.sdk.errors import RateLimited, TransientError
from apps.core import clock
from apps.sync.engine.context import RunContext
from apps.sync.engine.errors import RunDeferred

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
        if self.failures >= MAX_ATTEMPTS:
            raise error
        pause(BASE_SECONDS * 2 ** (self.failures - 1) * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
