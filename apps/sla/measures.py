"""What was promised and how well it was kept. The counting is done in the database (`apps.sla.facts`); what the counts mean
is decided here, by the same code for a running month, a closing one and a recomputation.

Definitions
- *run success*: runs that ended succeeded or finished with record errors, over all runs that ended (canceled ones, which a
  person chose, count on neither side).
- *record success*: records written or found unchanged, over those plus the failed ones.
- *freshness*: the share of the period's time in which a flow was in step, i.e. its last good run had ended no longer ago
  than the threshold. Time before a flow's first run in the period counts from the last good run before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Tally:
    """A customer's period, counted. `seconds` maps a freshness threshold to (seconds in step, seconds in all)."""

    run_good: int = 0
    run_total: int = 0
    record_good: int = 0
    record_bad: int = 0
    seconds: Mapping[int, tuple[int, int]] = field(default_factory=dict)


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


def judge(objectives: list[Objective], tally: Tally) -> list[ObjectiveResult]:
    """Results in the order of the objectives."""
    return [_judge_one(objective, *_counts(objective, tally)) for objective in objectives]


def _counts(objective: Objective, tally: Tally) -> tuple[int, int]:
    if objective.key is ObjectiveKey.RUN_SUCCESS:
        return tally.run_good, tally.run_total
    if objective.key is ObjectiveKey.RECORD_SUCCESS:
        return tally.record_good, tally.record_good + tally.record_bad
    return tally.seconds.get(objective.threshold_seconds, (0, 0))


def _judge_one(objective: Objective, good: int, total: int) -> ObjectiveResult:
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
