"""Clearing the log, once a day for each partner.

Ids of a log table rise with time, so the row where the kept time begins is found by halving, without an index on `at`.
From there back to where the last pass ended, rows go in batches of one transaction each: nobody waits for a lock, and a
pass that is interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from apps.core.bulk import execute, fetch_rows
from apps.dispatch.services import extend_lease, reschedule
from apps.sync.models import LogClass, LogSettings
from apps.sync.retention import FAILURE, OUTCOMES, SUCCESS, cutoff, days_of
from apps.sync.services.keeping import PURGE_EVERY, PURGE_KEY, PURGE_KIND

BATCH = 5_000
_KEPT_PASSES = 30
# The rows of a class and outcome between two ids.
_PAYLOADS = """
DELETE FROM sync_recordpayload USING sync_recordlog log
WHERE log_id > %s AND log_id <= %s AND log.id = log_id AND {outcome}
"""
_DELETE = {
    (LogClass.PAYLOADS, SUCCESS): _PAYLOADS.format(outcome="log.action <> 'failed'"),
    (LogClass.PAYLOADS, FAILURE): _PAYLOADS.format(outcome="log.action = 'failed'"),
    (LogClass.RECORDS, SUCCESS): "DELETE FROM sync_recordlog WHERE id > %s AND id <= %s AND action <> 'failed'",
    (LogClass.RECORDS, FAILURE): "DELETE FROM sync_recordlog WHERE id > %s AND id <= %s AND action = 'failed'",
    (LogClass.CALLS, SUCCESS): "DELETE FROM sync_vendorcall WHERE id > %s AND id <= %s AND status < 400",
    (LogClass.CALLS, FAILURE): (
        "DELETE FROM sync_vendorcall WHERE id > %s AND id <= %s AND (status IS NULL OR status >= 400)"
    ),
}
# What a record log leaves behind when it goes: a payload is nothing without its fact.
_ORPHANS = """
DELETE FROM sync_recordpayload payload WHERE log_id > %s AND log_id <= %s
  AND NOT EXISTS (SELECT 1 FROM sync_recordlog log WHERE log.id = payload.log_id)
"""
_TABLES = {LogClass.PAYLOADS: "sync_recordlog", LogClass.RECORDS: "sync_recordlog", LogClass.CALLS: "sync_vendorcall"}
_RUNS = """
WITH gone AS (
    SELECT id FROM sync_syncrun WHERE queued_at < %s AND status = ANY(%s::text[]) ORDER BY queued_at LIMIT %s
), steps AS (DELETE FROM sync_runstep WHERE run_id IN (SELECT id FROM gone))
DELETE FROM sync_syncrun WHERE id IN (SELECT id FROM gone)
"""
_RUN_ENDS = {SUCCESS: ["succeeded"], FAILURE: ["partial", "failed", "canceled"]}


def purge_logs(*, now: datetime, go_on: Callable[[], None] = lambda: None) -> dict[str, int]:
    """This function will delete what was kept long enough and set the next pass; how many rows of each class and outcome.

    Safe to repeat and to interrupt.
    """
    kept = LogSettings.objects.first() or LogSettings(updated_at=now)
    days, counts = days_of(kept.days), {}
    for (name, outcome), statement in _DELETE.items():
        place = f"{name}.{outcome}"
        start = max(int(kept.purged_through.get(place, 0)), _lowest(_TABLES[name]) - 1)
        end = id_at(_TABLES[name], cutoff(days[name][outcome], now))
        counts[place] = _delete_between(statement, start, end, go_on)
        if name == LogClass.RECORDS:
            _delete_between(_ORPHANS, start, end, go_on)
        kept.purged_through[place] = max(start, end)
    for outcome in OUTCOMES:
        counts[f"{LogClass.RUNS}.{outcome}"] = _delete_runs(cutoff(days[LogClass.RUNS][outcome], now), outcome, go_on)
    _settle(kept, counts, now)
    return counts


def id_at(table: str, moment: datetime) -> int:
    """The highest id of a row older than `moment`; 0 where there is none."""
    lowest, highest = fetch_rows(f"SELECT min(id), max(id) FROM {table}", [])[0]  # noqa: S608 - a name of ours
    if lowest is None:
        return 0
    low, high = lowest - 1, highest  # up to `low` all are older; beyond `high` none is
    while low < high:
        middle = (low + high + 1) // 2
        found = fetch_rows(f"SELECT id, at FROM {table} WHERE id >= %s ORDER BY id LIMIT 1", [middle])  # noqa: S608
        if found and found[0][0] <= high and found[0][1] < moment:
            low = found[0][0]
        else:
            high = middle - 1
    return int(low)


def _lowest(table: str) -> int:
    return int(fetch_rows(f"SELECT coalesce(min(id), 1) FROM {table}", [])[0][0])  # noqa: S608 - a name of ours


def _delete_between(statement: str, start: int, end: int, go_on: Callable[[], None]) -> int:
    deleted = 0
    while start < end:
        until = min(start + BATCH, end)
        deleted += execute(statement, [start, until])
        start = until
        go_on()
    return deleted


def _delete_runs(before: datetime, outcome: str, go_on: Callable[[], None]) -> int:
    deleted = 0
    while count := execute(_RUNS, [before, _RUN_ENDS[outcome], BATCH]):
        deleted += count
        go_on()
    return deleted


@transaction.atomic
def _settle(kept: LogSettings, counts: dict[str, int], now: datetime) -> None:
    LogSettings.objects.bulk_create([kept], ignore_conflicts=True)
    row = LogSettings.objects.select_for_update().get()
    row.purges = [{"at": now.isoformat(), "counts": counts}, *row.purges][:_KEPT_PASSES]
    if row.updated_at == kept.updated_at:  # settings that were changed meanwhile begin anew
        row.purged_through = kept.purged_through
    row.save(update_fields=["purges", "purged_through"])
    reschedule(kind=PURGE_KIND, key=PURGE_KEY, due_at=now + PURGE_EVERY)


def keep_lease(now: datetime) -> None:
    extend_lease(kind=PURGE_KIND, key=PURGE_KEY, now=now)
