"""Who may write for a run: only the newest claim. Each transaction proves it, and beats the heart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.canonical.workspace import lock_environment
from apps.core.bulk import execute, fetch_rows
from apps.core.write_together import writing_together
from apps.sync.engine.context import RunContext, Tally
from apps.sync.engine.errors import ClaimLost
from apps.sync.engine.journal import COUNTS

# Longer than any single vendor call may take: a worker that is silent for so long is dead.
STALE_AFTER = timedelta(seconds=settings.RUN_STALE_SECONDS)
_CLAIM = """
UPDATE sync_syncrun SET status = 'running', attempts = attempts + 1, heartbeat_at = %s, resume_at = NULL,
    held_by = '', guard = '', started_at = COALESCE(started_at, %s)
WHERE id = %s AND (status = 'queued' OR (status = 'running' AND heartbeat_at < %s))
RETURNING attempts
"""
_BEAT = f"""
UPDATE sync_syncrun SET heartbeat_at = %s, {", ".join(f"{name}_count = {name}_count + %s" for name in COUNTS)},
    expected_count = COALESCE(read_count + %s::int, expected_count)
WHERE id = %s AND attempts = %s AND status = 'running'
RETURNING cancel_requested_at IS NOT NULL, pause_requested_at IS NOT NULL, read_count, failed_count,
    created_count + updated_count + unchanged_count
"""  # noqa: S608 - constant names


def claim_run(run_id: UUID, now: datetime) -> int | None:
    """This function will take the run over when it is queued or its worker is dead; the claim, or None."""
    rows = fetch_rows(_CLAIM, [now, now, run_id, now - STALE_AFTER])
    return int(rows[0][0]) if rows else None


def beat(context: RunContext, now: datetime) -> None:
    """This function will write journal, timeline and counts. Raises ClaimLost when the run is no longer ours."""
    counts = context.journal.flush(now)
    context.timeline.flush()
    remaining = None if context.remaining is None else context.remaining + counts["read"]
    rows = fetch_rows(_BEAT, [now, *(counts[name] for name in COUNTS), remaining, context.run_id, context.claim])
    if not rows:
        raise ClaimLost
    context.journal.reserve()
    context.is_cancel_requested, context.is_pause_requested, read, failed, done = rows[0]
    context.tally = Tally(read, failed, done, now)


@contextmanager
def effects(context: RunContext) -> Iterator[datetime]:
    """One transaction of the engine: under the environment's lock, with the journal, all or nothing.

    A dry run takes no lock and proves no claim: its caller rolls everything back.
    """
    mark = context.journal.mark()
    try:
        with transaction.atomic(), writing_together():
            if not context.is_dry:
                lock_environment(context.flow.environment_id)
            now = context.now()
            yield now
            if not context.is_dry:
                beat(context, now)
    except BaseException:
        context.journal.discard(mark)
        raise


def forget_heartbeat(run_id: UUID) -> None:
    """This function will let the next worker take the run over at once."""
    execute("UPDATE sync_syncrun SET heartbeat_at = queued_at - interval '1 day' WHERE id = %s", [run_id])
