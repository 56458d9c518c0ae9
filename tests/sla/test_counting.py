"""The database counts what the book says: runs, records and seconds, for months and flows of any shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.flows.models import Flow, Integration
from apps.partner_portal.selectors.sla import standings
from apps.sla.facts import ENDED, GOOD, Span, count_spans
from apps.sla.measures import Tally
from apps.sla.selectors import measure_customer
from apps.sla.services import assign_policy, create_policy
from apps.sync.models import RunStatus, SyncRun
from apps.tenants.models import Partner
from tests.factories.delivery import make_customer, make_flow, make_run
from tests.sla.oracle import FlowSpan, RunFact, tally

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(hours=10)
THRESHOLDS = frozenset({1, 900, 7200})
# To the microsecond, before, in and after the period; the edges themselves are drawn often.
MOMENTS = st.one_of(
    st.sampled_from([START, END, START - timedelta(microseconds=1), END - timedelta(microseconds=1)]),
    st.integers(-5 * 3_600_000_000, 12 * 3_600_000_000).map(lambda found: START + timedelta(microseconds=found)),
)
RUNS = st.lists(
    st.tuples(st.integers(0, 2), MOMENTS, st.sampled_from(RunStatus.values), st.integers(0, 9), st.integers(0, 9)),
    max_size=25,
)
FLOWS = st.tuples(*[st.tuples(MOMENTS, st.booleans())] * 3)


def keep(flows: list[Flow], shapes: Any, runs: Any) -> None:
    for flow, (live_at, is_enabled) in zip(flows, shapes, strict=True):
        Integration.objects.filter(pk=flow.integration_id).update(live_at=live_at)
        Flow.objects.filter(pk=flow.pk).update(is_enabled=is_enabled)
    active = set()
    for number, at, status, done, failed in runs:
        under_way = status in (RunStatus.QUEUED, RunStatus.RUNNING)
        if under_way and number in active:
            continue
        active |= {number} if under_way else set()
        make_run(
            flows[number], at=at, status=status, created_count=done, updated_count=1, unchanged_count=2,
            failed_count=failed, finished_at=None if under_way else at,
        )  # fmt: skip


def by_the_book(customer: Customer) -> Tally:
    """The same rows, read one by one."""
    rows = [run for run in SyncRun.objects.filter(customer=customer, status__in=ENDED) if run.finished_at]
    inside = [run for run in rows if run.finished_at and START <= run.finished_at < END]
    facts = [
        RunFact(
            flow_key=str(run.flow_id), ended_at=run.finished_at, is_good=run.status in GOOD,
            record_good_count=run.created_count + run.updated_count + run.unchanged_count,
            record_bad_count=run.failed_count,
        )
        for run in inside if run.finished_at
    ]  # fmt: skip
    spans = []
    for flow in Flow.objects.filter(customer=customer, is_enabled=True).select_related("integration"):
        before = [r.finished_at for r in rows if r.flow_id == flow.pk and r.status in GOOD and r.finished_at < START]
        spans.append(
            FlowSpan(flow_key=str(flow.pk), live_from=flow.integration.live_at, good_before=max(before, default=None))
        )
    return tally(facts, spans, THRESHOLDS, start=START, end=END)


@pytest.fixture
def flows(partner: Partner) -> list[Flow]:
    customer = make_customer("Brightwater")
    return [make_flow(customer) for _ in range(3)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shapes=FLOWS, runs=RUNS)
def test_the_database_counts_what_the_book_says(flows: list[Flow], shapes: Any, runs: Any) -> None:
    customer = flows[0].customer
    with transaction.atomic():
        keep(flows, shapes, runs)

        counted = count_spans([Span(customer.pk, START, END, THRESHOLDS)])[customer.pk]
        expected = by_the_book(customer)
        transaction.set_rollback(True)

    # A threshold over no live flow is not counted at all: nothing to measure either way.
    seconds = {limit: found for limit, found in expected.seconds.items() if found[1]}
    assert (counted.run_good, counted.run_total) == (expected.run_good, expected.run_total)
    assert (counted.record_good, counted.record_bad) == (expected.record_good, expected.record_bad)
    assert {limit: found for limit, found in counted.seconds.items() if found[1]} == seconds


def test_each_customer_has_a_span_of_its_own(partner: Partner) -> None:
    early, late = make_flow(make_customer("Early")), make_flow(make_customer("Late"))
    for flow in (early, late):
        for hour in range(4):
            make_run(flow, at=START + timedelta(hours=hour), created_count=hour, failed_count=1)
    spans = [
        Span(early.customer_id, START, START + timedelta(hours=2), frozenset({600})),
        Span(late.customer_id, START + timedelta(hours=1), START + timedelta(hours=4), frozenset({1800})),
    ]

    found = count_spans(spans)

    assert (found[early.customer_id].run_total, found[early.customer_id].record_good) == (2, 1)
    assert (found[late.customer_id].run_total, found[late.customer_id].record_good) == (3, 6)
    assert found[early.customer_id].seconds == {600: (1200, 7200)}
    assert found[late.customer_id].seconds == {1800: (5400, 10_800)}


def test_nobody_is_counted_for_another(partner: Partner) -> None:
    mine, other = make_flow(make_customer("Mine")), make_flow(make_customer("Other"))
    sandbox = make_flow(mine.customer, environment=mine.customer.environments.get(kind="sandbox"))
    for flow in (other, sandbox):
        make_run(flow, at=START, status=RunStatus.FAILED, failed_count=7)
    make_run(mine, at=START, created_count=5)

    found = count_spans([Span(mine.customer_id, START, END, frozenset({3600}))])[mine.customer_id]

    assert (found.run_good, found.run_total, found.record_good, found.record_bad) == (1, 1, 5, 0)
    assert found.seconds == {3600: (3600, 36_000)}


def test_the_page_of_all_customers_and_the_report_of_one_agree(
    partner: Partner, owner_actor: Actor, flows: list[Flow]
) -> None:
    objectives = [
        {"key": "run_success", "target": "90"},
        {"key": "record_success", "target": "99"},
        {"key": "freshness", "target": "50", "threshold_seconds": 900},
    ]
    customer, now = flows[0].customer, START + timedelta(days=3)
    version = create_policy(actor=owner_actor, now=START, name="Gold", objectives=objectives)
    assign_policy(actor=owner_actor, now=START, customer=customer, policy_version=version)
    for hour in range(30):
        status = RunStatus.FAILED if hour % 7 == 0 else RunStatus.SUCCEEDED
        make_run(flows[hour % 3], at=START + timedelta(hours=hour), status=status, created_count=hour, failed_count=1)

    standing = standings(owner_actor, [customer], now)[customer.pk]
    measured = measure_customer(
        customer=customer, policy_version=version, period_start=START, period_end=standing.period_end, now=now
    )

    assert standing.results == measured.results
    assert [(one.good, one.total) for one in measured.results] == [(25, 30), (435, 465), (25 * 900, 3 * 3 * 86_400)]
