"""Ratios over facts, cut and never rounded up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.sla.measures import Objective, ObjectiveKey, ObjectiveResult
from tests.sla.oracle import FlowSpan, RunFact, measure

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(hours=10)
HOUR = timedelta(hours=1)


def run(hours: float, *, good: bool = True, records: int = 1, bad: int = 0, flow: str = "f") -> RunFact:
    ended = START + timedelta(hours=hours)
    return RunFact(flow_key=flow, ended_at=ended, is_good=good, record_good_count=records, record_bad_count=bad)


def result(
    key: ObjectiveKey,
    runs: list[RunFact],
    *,
    target: str = "99",
    threshold: int = 3600,
    flows: list[FlowSpan] | None = None,
) -> ObjectiveResult:
    objective = Objective(key=key, target=Decimal(target), threshold_seconds=threshold)
    spans = flows if flows is not None else [FlowSpan(flow_key="f", live_from=START - HOUR * 100)]
    return measure([objective], runs, spans, start=START, end=END)[0]


def test_run_success() -> None:
    measured = result(ObjectiveKey.RUN_SUCCESS, [run(1), run(2), run(3, good=False)], target="50")

    assert (measured.good, measured.total) == (2, 3)
    assert measured.achieved == Decimal("66.66")
    assert measured.budget_left == Decimal("33.3")
    assert measured.is_met


def test_record_success_counts_records_not_runs() -> None:
    measured = result(ObjectiveKey.RECORD_SUCCESS, [run(1, records=9_996), run(2, records=0, bad=4)], target="99.97")

    assert (measured.good, measured.total, measured.achieved) == (9_996, 10_000, Decimal("99.96"))
    assert not measured.is_met


def test_a_near_miss_is_not_rounded_into_a_promise_kept() -> None:
    measured = result(ObjectiveKey.RECORD_SUCCESS, [run(1, records=99_999, bad=1)], target="100")

    assert measured.achieved == Decimal("99.99")
    assert not measured.is_met
    assert measured.budget_left is None


def test_nothing_to_measure_is_no_breach() -> None:
    measured = result(ObjectiveKey.RUN_SUCCESS, [])

    assert (measured.achieved, measured.total, measured.is_met) == (None, 0, True)


FRESH = [
    ("every hour", [run(hour) for hour in range(10)], 10),
    ("one gap of two hours", [run(0), run(1), run(4), run(5), run(6), run(7), run(8), run(9)], 8),
    ("a failed run does not freshen", [run(0), run(1, good=False), *[run(hour) for hour in range(2, 10)]], 9),
    ("overlapping runs count once", [run(0), run(0.5), run(1)], 2),
    ("none at all", [], 0),
]


@pytest.mark.parametrize("case,runs,hours", FRESH, ids=[case[0] for case in FRESH])
def test_freshness(case: str, runs: list[RunFact], hours: int) -> None:
    measured = result(ObjectiveKey.FRESHNESS, runs)

    assert (measured.good, measured.total) == (hours * 3600, 36_000)


def test_a_good_run_just_before_the_period_still_counts() -> None:
    span = FlowSpan(flow_key="f", live_from=START - HOUR * 100, good_before=START - HOUR / 2)

    assert result(ObjectiveKey.FRESHNESS, [], flows=[span]).good == 1800


def test_a_flow_counts_from_the_moment_it_is_live() -> None:
    span = FlowSpan(flow_key="f", live_from=END - HOUR * 2)

    measured = result(ObjectiveKey.FRESHNESS, [], flows=[span])

    assert (measured.good, measured.total) == (3600, 7200)


def test_each_flow_is_measured_by_its_own_runs() -> None:
    spans = [FlowSpan(flow_key=key, live_from=START - HOUR * 100) for key in "ab"]

    measured = result(ObjectiveKey.FRESHNESS, [run(hour, flow="a") for hour in range(10)], flows=spans)

    assert (measured.good, measured.total) == (36_000, 72_000)


@given(
    hours=st.lists(st.floats(0, 9.99), max_size=20),
    threshold=st.integers(1, 40_000),
    target=st.decimals(1, 100, places=2),
)
def test_freshness_stays_within_the_period_and_grows_with_every_run(
    hours: list[float], threshold: int, target: Decimal
) -> None:
    fewer = result(ObjectiveKey.FRESHNESS, [run(h) for h in hours[1:]], threshold=threshold, target=str(target))
    more = result(ObjectiveKey.FRESHNESS, [run(h) for h in hours], threshold=threshold, target=str(target))

    assert 0 <= fewer.good <= more.good <= more.total == 36_000
    assert more.is_met == (Decimal(100 * more.good) >= target * more.total)
