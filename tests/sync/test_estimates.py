"""Real time or scheduled: what a flow's own history says of each choice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.billing.rating import PriceTerms
from apps.sync.estimates import CHOICES, Basis, basis_of, choices_for, estimate, shares_of
from apps.sync.models import RunStatus, VendorCall
from tests.factories.delivery import make_connection, make_customer, make_flow, make_run

WEBHOOK, MINUTE, FIVE, _, HOUR, NIGHT = CHOICES
BASIS = Basis(runs=100, days=10, changes_per_day=48, calls_per_idle_run=3, calls_per_change=2, run_seconds=4)


def test_calls_are_those_of_idle_runs_and_of_changes():
    found = [(one.runs_per_day, one.calls_per_day) for one in (estimate(c, BASIS, [], None) for c in CHOICES)]

    assert found == [
        (96 + 48, 144 * 3 + 96), (1440, 1440 * 3 + 96), (288, 288 * 3 + 96), (96, 96 * 3 + 96), (24, 24 * 3 + 96),
        (1, 3 + 96),
    ]  # fmt: skip


def test_a_change_waits_for_the_next_run_and_for_the_run():
    delays = {c.key: estimate(c, BASIS, [], None) for c in (WEBHOOK, FIVE, HOUR)}

    assert {key: (one.delay_p50_seconds, one.delay_p95_seconds) for key, one in delays.items()} == {
        "webhook": (4, 4), "5": (154, 289), "60": (1804, 3424),
    }  # fmt: skip


def test_the_scarcest_quota_is_told():
    found = estimate(HOUR, BASIS, [("CRM", 0.5, 1000), ("ERP", 0.5, 200)], None)

    assert (found.quota_percent, found.quota_system) == (42.0, "ERP")
    assert estimate(HOUR, BASIS, [], None).quota_percent is None


def test_runs_and_records_cost_what_the_plan_says():
    prices = [
        PriceTerms(label="Base", meter="", unit_amount=Decimal(10000)),
        PriceTerms(label="Runs", meter="flow_runs", unit_amount=Decimal("0.5"), included_quantity=Decimal(1000)),
        PriceTerms(label="Records", meter="records_synced", unit_amount=Decimal(2)),
    ]

    assert estimate(FIVE, BASIS, [], prices).amount == (288 * 30 - 1000) // 2 + 48 * 30 * 2
    assert estimate(NIGHT, BASIS, [], prices).amount == 48 * 30 * 2
    assert estimate(FIVE, BASIS, [], None).amount is None


@pytest.fixture
def flow(partner):
    customer = make_customer("Brightwater")
    return make_flow(customer, connections=[make_connection(customer, "hubspot"), make_connection(customer, "tryton")])


def test_the_basis_is_the_flows_own_history(flow, now):
    for hours, calls, created in ((48, 3, 0), (24, 3, 0), (12, 13, 5), (6, 5, 0)):
        at = now - timedelta(hours=hours)
        make_run(
            flow, at=at, started_at=at - timedelta(seconds=4), call_count=calls, created_count=created, updated_count=0
        )
    make_run(flow, at=now - timedelta(days=20), call_count=900)
    make_run(flow, at=now - timedelta(hours=1), call_count=900, status=RunStatus.FAILED)

    assert basis_of(flow, now) == Basis(4, 2.0, 2.5, 3.0, 12 / 5, 4.0)


def test_without_history_nothing_is_made_up(flow, now):
    assert basis_of(flow, now) == Basis(0, 0, 0, 0, 0, 0)


def test_calls_are_spread_over_systems_with_a_daily_quota(flow, now):
    bindings = list(flow.integration.role_bindings.select_related("connection").order_by("role"))
    run = make_run(flow, at=now)
    for binding, count in zip(bindings, (3, 1), strict=True):
        for _number in range(count):
            VendorCall.objects.create(
                at=now, run_id=run.pk, customer_id=flow.customer_id, environment_id=flow.environment_id, flow_id=flow.pk,
                connection_id=binding.connection_id, method="GET", path="/", status=200, duration_ms=1,
            )  # fmt: skip

    found = {name: part for name, part, _ in shares_of(flow, bindings)}
    assert found == {bindings[0].connection.name: 0.75}
    assert [choice.key for choice in choices_for(bindings)[0]][-1] == "nightly"
