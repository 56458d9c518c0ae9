"""Service levels by the book, run by run: what the counting in the database is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.sla.measures import Objective, ObjectiveKey, ObjectiveResult, Tally, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """A run that ended: when, and whether it brought its flow into step."""

    flow_key: str
    ended_at: datetime
    is_good: bool
    record_good_count: int
    record_bad_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSpan:
    """A flow that was live from `live_from`; `good_before` is its last good end before the period, if any."""

    flow_key: str
    live_from: datetime
    good_before: datetime | None = None


def measure(
    objectives: list[Objective], runs: list[RunFact], flows: list[FlowSpan], *, start: datetime, end: datetime
) -> list[ObjectiveResult]:
    thresholds = {one.threshold_seconds for one in objectives if one.key is ObjectiveKey.FRESHNESS}
    return judge(objectives, tally(runs, flows, thresholds, start=start, end=end))


def tally(
    runs: list[RunFact], flows: list[FlowSpan], thresholds: Iterable[int], *, start: datetime, end: datetime
) -> Tally:
    return Tally(
        run_good=sum(run.is_good for run in runs),
        run_total=len(runs),
        record_good=sum(run.record_good_count for run in runs),
        record_bad=sum(run.record_bad_count for run in runs),
        seconds={limit: fresh_seconds(flows, runs, limit, start, end) for limit in thresholds},
    )


def fresh_seconds(
    flows: list[FlowSpan], runs: list[RunFact], threshold_seconds: int, start: datetime, end: datetime
) -> tuple[int, int]:
    fresh = total = timedelta()
    for flow in flows:
        begin = max(start, flow.live_from)
        if begin >= end:
            continue
        total += end - begin
        ends = sorted(run.ended_at for run in runs if run.is_good and run.flow_key == flow.flow_key)
        goods = [flow.good_before or flow.live_from, *ends]
        fresh += covered(goods, timedelta(seconds=threshold_seconds), begin, end)
    return int(fresh.total_seconds()), int(total.total_seconds())


def covered(goods: list[datetime], threshold: timedelta, begin: datetime, end: datetime) -> timedelta:
    found = timedelta()
    reached = begin
    for good in goods:
        first, last = max(good, reached), min(good + threshold, end)
        if last > first:
            found += last - first
            reached = last
    return found
