"""Counting a period in the database: two queries for any number of customers, whatever the number of their runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.customers.models import EnvironmentKind
from apps.sla.measures import Objective, ObjectiveKey, Tally
from apps.sync.models import RunStatus

GOOD = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
ENDED = (*GOOD, RunStatus.FAILED)

_RUNS = """
SELECT span.customer_id, count(*) FILTER (WHERE run.status = ANY(%(good)s)), count(*),
       sum(run.created_count + run.updated_count + run.unchanged_count), sum(run.failed_count)
FROM unnest(%(customers)s::uuid[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (customer_id, start_at, end_at)
JOIN flows_flow flow ON flow.customer_id = span.customer_id
JOIN customers_environment environment ON environment.id = flow.environment_id AND environment.kind = %(kind)s
JOIN sync_syncrun run ON run.flow_id = flow.id AND run.finished_at >= span.start_at AND run.finished_at < span.end_at
WHERE run.status = ANY(%(ended)s)
GROUP BY span.customer_id
"""

# In step at an instant means: the latest good end up to it lies no further back than the threshold. So each good end covers
# the time to its threshold, or to the next good end where that comes first. A flow that has just gone live is in step until
# its first threshold passes.
_SECONDS = """
WITH live AS (
    SELECT span.*, flow.id AS flow_id, integration.live_at, greatest(span.start_at, integration.live_at) AS begin_at
    FROM unnest(%(customers)s::uuid[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(thresholds)s::int[])
        AS span (customer_id, start_at, end_at, threshold)
    JOIN flows_flow flow ON flow.customer_id = span.customer_id AND flow.is_enabled
    JOIN customers_environment environment ON environment.id = flow.environment_id AND environment.kind = %(kind)s
    JOIN flows_integration integration ON integration.id = flow.integration_id AND integration.live_at < span.end_at
), good AS (
    SELECT live.*, coalesce((
        SELECT max(run.finished_at) FROM sync_syncrun run
        WHERE run.flow_id = live.flow_id AND run.finished_at < live.start_at AND run.status = ANY(%(good)s)
    ), live.live_at) AS good_at
    FROM live
    UNION ALL
    SELECT live.*, run.finished_at FROM live
    JOIN sync_syncrun run ON run.flow_id = live.flow_id AND run.finished_at >= live.start_at
        AND run.finished_at < live.end_at AND run.status = ANY(%(good)s)
), covered AS (
    SELECT customer_id, threshold, greatest(interval '0', least(
        good_at + make_interval(secs => threshold),
        lead(good_at, 1, end_at) OVER (PARTITION BY flow_id, threshold ORDER BY good_at), end_at
    ) - greatest(good_at, begin_at)) AS part
    FROM good
)
SELECT customer_id, threshold, floor(extract(epoch FROM fresh))::bigint, floor(extract(epoch FROM total))::bigint
FROM (SELECT customer_id, threshold, sum(part) AS fresh FROM covered GROUP BY 1, 2) in_step
JOIN (SELECT customer_id, threshold, sum(end_at - begin_at) AS total FROM live GROUP BY 1, 2) whole
    USING (customer_id, threshold)
"""


@dataclass(frozen=True, slots=True)
class Span:
    """What is to be counted of a customer: `[start, end)`, and freshness for these thresholds (seconds)."""

    customer_id: UUID
    start: datetime
    end: datetime
    thresholds: frozenset[int] = frozenset()


def thresholds_of(objectives: Iterable[Objective]) -> frozenset[int]:
    return frozenset(one.threshold_seconds for one in objectives if one.key is ObjectiveKey.FRESHNESS)


def count_spans(spans: list[Span]) -> dict[UUID, Tally]:
    """By customer, one span each; production only. The caller has seen to it that the customers may be seen."""
    seconds: dict[UUID, dict[int, tuple[int, int]]] = defaultdict(dict)
    for customer_id, threshold, fresh, total in _seconds(
        [(span, limit) for span in spans for limit in span.thresholds]
    ):
        seconds[customer_id][threshold] = fresh, total
    runs = {row[0]: row[1:] for row in _rows(_RUNS, spans)}
    return {span.customer_id: _tally(runs.get(span.customer_id), seconds[span.customer_id]) for span in spans}


def _tally(counts: tuple[int, ...] | None, seconds: dict[int, tuple[int, int]]) -> Tally:
    good, total, record_good, record_bad = counts or (0, 0, 0, 0)
    return Tally(
        run_good=good, run_total=total, record_good=int(record_good), record_bad=int(record_bad), seconds=seconds
    )


def _seconds(wanted: list[tuple[Span, int]]) -> list[tuple[UUID, int, int, int]]:
    return _rows(_SECONDS, [span for span, _ in wanted], thresholds=[limit for _, limit in wanted]) if wanted else []


def _rows(sql: str, spans: list[Span], **more: list[int]) -> list[tuple[UUID, int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "customers": [span.customer_id for span in spans],
                "starts": [span.start for span in spans],
                "ends": [span.end for span in spans],
                "kind": EnvironmentKind.PRODUCTION.value,
                "good": [status.value for status in GOOD],
                "ended": [status.value for status in ENDED],
                **more,
            },
        )
        rows: list[tuple[UUID, int, int, int]] = cursor.fetchall()
        return rows
