"""What was promised and how well it was kept: pure functions over facts, so that the same code previews, closes and
recomputes a month.

Definitions
- *run success*: runs that ended succeeded or finished with record errors, over all runs that ended (canceled ones, which a
  person chose, count on neither side).
- *record success*: records written or found unchanged, over those plus the failed ones.
- *freshness*: the share of the period's time in which a flow was in step, i.e. its last good run had ended no longer ago
  than the threshold. Time before a flow's first run in the period counts from the last good run before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum


class ObjectiveKey(StrEnum):
    RUN_SUCCESS = "run_success"
    RECORD_SUCCESS = "record_success"
    FRESHNESS = "freshness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """`target` in percent; `threshold_seconds` only for freshness."""

    key: ObjectiveKey
    target: Decimal
    threshold_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """A run that ended: when, and whether it brought its flow into step."""

    flow_key: str
    started_at: datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveResult:
    """`achieved` in percent, cut (never rounded up) to two places; None when there was nothing to measure.

    `good` and `total` are what the ratio was made from (counts, or seconds for freshness). `budget_left` is the share of
    the error budget that is unspent, in percent; negative when overspent.
    """

    key: ObjectiveKey
    target: Decimal
    threshold_seconds: int
    achieved: Decimal | None
    good: int
    total: int
    budget_left: Decimal | None

    @property
    def is_met(self) -> bool:
        return self.total == 0 or Decimal(100 * self.good) >= self.target * self.total


def measure(
    objectives: list[Objective],
    runs: list[RunFact],
    flows: list[FlowSpan],
    *,
    period_start: datetime,
    period_end: datetime,
) -> list[ObjectiveResult]:
    """`period_end` is the end of what is measured: now for a running month."""
    return [_measure_one(objective, runs, flows, period_start, period_end) for objective in objectives]


def _measure_one(
    objective: Objective, runs: list[RunFact], flows: list[FlowSpan], start: datetime, end: datetime
) -> ObjectiveResult:
    if objective.key is ObjectiveKey.RUN_SUCCESS:
        good, total = sum(run.is_good for run in runs), len(runs)
    elif objective.key is ObjectiveKey.RECORD_SUCCESS:
        good = sum(run.record_good_count for run in runs)
        total = good + sum(run.record_bad_count for run in runs)
    else:
        good, total = _fresh_seconds(flows, runs, objective.threshold_seconds, start, end)
    return ObjectiveResult(
        key=objective.key,
        target=objective.target,
        threshold_seconds=objective.threshold_seconds,
        achieved=_percent(good, total),
        good=good,
        total=total,
        budget_left=_budget_left(good, total, objective.target),
    )


def _percent(good: int, total: int) -> Decimal | None:
    if not total:
        return None
    # 99.996 % must not be shown as 100.00 %: a promise is not kept by rounding.
    return (Decimal(100 * good) / total).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def _budget_left(good: int, total: int, target: Decimal) -> Decimal | None:
    if not total or target >= 100:
        return None
    allowed = Decimal(total) * (100 - target) / 100
    return ((allowed - (total - good)) / allowed * 100).quantize(Decimal("0.1"), rounding=ROUND_DOWN)


def _fresh_seconds(
    flows: list[FlowSpan], runs: list[RunFact], threshold_seconds: int, start: datetime, end: datetime
) -> tuple[int, int]:
    fresh = total = timedelta()
    ends_of: dict[str, list[datetime]] = {}
    for run in runs:
        if run.is_good:
            ends_of.setdefault(run.flow_key, []).append(run.ended_at)
    for flow in flows:
        begin = max(start, flow.live_from)
        if begin >= end:
            continue
        total += end - begin
        # A flow that has just gone live is in step until its first threshold passes.
        goods = [flow.good_before or flow.live_from, *sorted(ends_of.get(flow.flow_key, []))]
        fresh += _covered(goods, timedelta(seconds=threshold_seconds), begin, end)
    return int(fresh.total_seconds()), int(total.total_seconds())


def _covered(goods: list[datetime], threshold: timedelta, begin: datetime, end: datetime) -> timedelta:
    covered = timedelta()
    reached = begin
    for good in goods:
        first, last = max(good, reached), min(good + threshold, end)
        if last > first:
            covered += last - first
            reached = last
    return covered
