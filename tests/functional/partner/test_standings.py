"""The running month of many customers: exact on a customer's own page, at most a minute old in lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from apps.core.actor import Actor
from apps.partner_portal.selectors.sla import recent_standings, standings
from apps.sla.selectors import month_to_date
from apps.sla.services import assign_policy, create_policy
from apps.sync.models import RunStatus
from tests.factories.delivery import make_run
from tests.functional.partner.scene import SYSTEM, Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(settings: Any) -> Iterator[None]:
    settings.SLA_STANDING_SECONDS = 60
    cache.clear()
    yield
    cache.clear()


def ended(scene: Scene, now: datetime, status: str, minutes: int) -> None:
    at = now - timedelta(minutes=minutes)
    make_run(
        scene.flow, at=at, status=status, created_count=2, updated_count=3, unchanged_count=5, failed_count=1,
        started_at=at, finished_at=at + timedelta(minutes=1),
    )  # fmt: skip


def test_the_figures_are_those_of_the_sla_room(scene: Scene, owner_actor: Actor, now: datetime) -> None:
    for minutes, status in enumerate([RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELED, RunStatus.PARTIAL]):
        ended(scene, now, status, 10 + 7 * minutes)
    expected = month_to_date(scene.customer, now)

    found = standings(owner_actor, [scene.customer], now)

    assert expected is not None
    assert found[scene.customer.pk].results == expected.results
    assert (expected.results[0].good, expected.results[0].total) == (3, 4)


@pytest.mark.usefixtures("kept")
def test_a_list_remembers_the_month_for_a_while(scene: Scene, owner_actor: Actor, now: datetime) -> None:
    before = recent_standings(owner_actor, [scene.customer], now)[scene.customer.pk].results
    ended(scene, now, RunStatus.FAILED, 10)

    again = recent_standings(owner_actor, [scene.customer], now)[scene.customer.pk].results
    exact = standings(owner_actor, [scene.customer], now)[scene.customer.pk].results

    assert (again, exact[0].total) == (before, before[0].total + 1)


@pytest.mark.usefixtures("kept")
def test_a_new_promise_is_measured_at_once(scene: Scene, owner_actor: Actor, now: datetime) -> None:
    recent_standings(owner_actor, [scene.customer], now)
    version = create_policy(
        actor=SYSTEM, now=now, name="Silver", objectives=[{"key": "record_success", "target": "90"}]
    )
    assign_policy(actor=SYSTEM, now=now, customer=scene.customer, policy_version=version)

    results = recent_standings(owner_actor, [scene.customer], now)[scene.customer.pk].results

    assert [str(result.key) for result in results] == ["record_success"]
