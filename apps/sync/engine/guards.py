"""Between pages and batches: whether a run goes on, stops because somebody said so, asks first, or gives way.

A run that outgrows every expectation stops where it is and asks: usually something changed that nobody meant. Whoever
looks says "continue anyway", which lifts that guard for that run.
"""

from __future__ import annotations

import time
from datetime import datetime

from apps.core.bulk import fetch_rows
from apps.core.planes import require_tenant_schema
from apps.dispatch.backlog import is_anyone_waiting
from apps.sync.engine.context import RunContext
from apps.sync.engine.errors import RunCanceled, RunDeferred
from apps.sync.models import HeldBy, RunLimits, RunTrigger, SyncRun
from apps.tenants.selectors import is_suspended

DURATION, RECORDS, FAILURES = "duration", "records", "failures"
# A share of fewer records says nothing.
FAILURES_COUNT_FROM = 100
LOOK_EVERY = 1.0
# Where others wait for a worker, a long run lets them pass after so long.
TURN_SECONDS = 0.5
_ASKED = """
SELECT cancel_requested_at IS NOT NULL, pause_requested_at IS NOT NULL FROM sync_syncrun WHERE id = %s AND attempts = %s
"""


class RunGuard:
    """Asked with `check` as often as one likes: it looks into the database, and at the queue, now and then only."""

    def __init__(self, context: RunContext, run: SyncRun, limits: RunLimits) -> None:
        self.context = context
        self.limits = limits
        self.worked_before = run.worked_seconds
        self.lifted = set(run.lifted_guards)
        # Trying failed records again fails again where nothing was repaired: that is no surprise.
        self.counts_failures = run.trigger != RunTrigger.RETRY
        self.started_at = context.now()
        self.may_give_way = run.trigger != RunTrigger.RECONCILE  # it would have to begin again
        self._looked_at = self._claimed_at = time.monotonic()
        self._turn_ends: float | None = None

    def worked_seconds(self, now: datetime) -> float:
        return self.worked_before + (now - self.started_at).total_seconds()

    def check(self, *, is_progress: bool = False) -> None:
        """Raises RunCanceled, or RunDeferred with what the run waits for.

        `is_progress`: what was done since the claim is kept and need not be done again by the next one.
        """
        self._look()
        if self.context.is_cancel_requested:
            raise RunCanceled
        if self.context.is_pause_requested:
            raise RunDeferred(None, "Paused. It goes on where it stopped.", held_by=HeldBy.PAUSE)
        self._measure()
        if is_progress and self.may_give_way:
            self._give_way()

    def _look(self) -> None:
        """For stretches that write nothing: a page's own transaction brings the same news for nothing."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        rows = fetch_rows(_ASKED, [self.context.run_id, self.context.claim])
        if rows:
            self.context.is_cancel_requested, self.context.is_pause_requested = rows[0]
        if is_suspended(require_tenant_schema()):
            # Nothing is dispatched meanwhile: it is due on the day the partner is resumed.
            raise RunDeferred(
                self.context.now(), "Stopped with all other work. It goes on where it stopped.", held_by=""
            )

    def _measure(self) -> None:
        limits, tally = self.limits, self.context.tally
        minutes = self.worked_seconds(self.context.now()) / 60
        if minutes > limits.max_minutes:
            self._stop(DURATION, f"It has worked for {limits.max_minutes:,} minutes, which is the most a run may take.")
        if tally.read > limits.max_records:
            self._stop(
                RECORDS, f"It has read {tally.read:,} records; the most a run may read is {limits.max_records:,}."
            )
        tried = tally.done + tally.failed
        if self.counts_failures and tried >= FAILURES_COUNT_FROM:
            share = 100 * tally.failed / tried
            if share > limits.max_failed_percent:
                self._stop(
                    FAILURES,
                    f"{tally.failed:,} of {tried:,} changes failed ({share:.0f} %); the most is {limits.max_failed_percent} %.",
                )

    def _stop(self, guard: str, message: str) -> None:
        if guard not in self.lifted:
            raise RunDeferred(
                None, f"{message} What it did stays, and nothing is lost.", held_by=HeldBy.GUARD, guard=guard
            )

    def _give_way(self) -> None:
        """A turn is at least as long as what it takes to come to where the work goes on: turns always get somewhere."""
        now = time.monotonic()
        if self._turn_ends is None:
            self._turn_ends = now + max(TURN_SECONDS, now - self._claimed_at)
        if now < self._turn_ends:
            return
        self._turn_ends = now + TURN_SECONDS
        if is_anyone_waiting("sync"):
            raise RunDeferred(self.context.now(), "Lets others pass; it goes on at once.", held_by="")
