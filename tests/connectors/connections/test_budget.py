"""One budget per connection, whoever draws on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apps.connectors import budget
from apps.connectors.sdk.errors import RateLimited
from apps.connectors.sdk.manifest import RateLimit
from apps.connectors.selectors import get_call_usage
from apps.core import clock
from apps.core.clock import moved_clock
from apps.core.ids import uuid7
from config.local import redis as local_redis
from tests.connectors.connections.conftest import MakeConnection

LIMIT = RateLimit(calls=8, seconds=8)  # a burst of 2, then one call every 8/6 seconds
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def waits(count: int, limit: RateLimit = LIMIT, connection_id: object = None) -> list[float]:
    """The seconds each of `count` calls would have slept; nobody really sleeps."""
    slept: list[float] = []
    connection_id = connection_id or uuid7()
    for _ in range(count):
        before = len(slept)
        budget.acquire(connection_id, limit, sleep=slept.append)  # type: ignore[arg-type]
        if len(slept) == before:
            slept.append(0.0)
    return [round(seconds, 3) for seconds in slept]


def test_a_burst_passes_and_then_calls_are_spread(partner: object) -> None:
    with time_machine.travel(NOON, tick=False):
        assert waits(5) == [0.0, 0.0, 1.333, 2.667, 4.0]


def test_within_any_window_there_are_never_more_calls_than_allowed(partner: object) -> None:
    connection_id, granted = uuid7(), []
    with time_machine.travel(NOON, tick=False) as traveller:
        for _ in range(60):
            with suppress(RateLimited):
                granted.append(clock.now().timestamp() + waits(1, connection_id=connection_id)[0])
            traveller.shift(timedelta(milliseconds=400))

    assert len(granted) == 23
    assert max(sum(start <= moment < start + 8 for moment in granted) for start in granted) == 7


def test_a_wait_of_more_than_five_seconds_is_refused_with_the_delay(partner: object) -> None:
    connection_id = uuid7()
    with time_machine.travel(NOON, tick=False):
        waits(5, connection_id=connection_id)
        with pytest.raises(RateLimited) as caught:
            waits(1, connection_id=connection_id)

        assert (caught.value.code, caught.value.retry_after) == ("rate_budget", 5.0)
        assert budget.calls_today(connection_id, NOON) == 5


def test_connections_do_not_share(partner: object) -> None:
    with time_machine.travel(NOON, tick=False):
        assert waits(2) == [0.0, 0.0]
        assert waits(2) == [0.0, 0.0]


def test_the_day_has_an_end(partner: object) -> None:
    connection_id, limit = uuid7(), RateLimit(calls=1000, seconds=1, per_day=3)
    with time_machine.travel(NOON, tick=False):
        waits(3, limit, connection_id)
        with pytest.raises(RateLimited) as caught:
            waits(1, limit, connection_id)
        assert (caught.value.code, caught.value.retry_after) == ("daily_quota", 12 * 3600.0)
    with time_machine.travel(NOON + timedelta(hours=12), tick=False):
        assert waits(1, limit, connection_id) == [0.0]
        assert budget.calls_today(connection_id, NOON + timedelta(hours=12)) == 1


def test_usage_is_told_in_words(make_connection: MakeConnection, now: datetime) -> None:
    connection = make_connection()
    with time_machine.travel(NOON, tick=False):
        waits(25, RateLimit(calls=1000, seconds=1), connection.pk)

    usage = get_call_usage(connection, NOON)
    assert (usage.calls_today, usage.calls_per_day, usage.label) == (25, 1000, "2 % of today's calls used")


def test_history_costs_nothing(partner: object) -> None:
    connection_id = uuid7()
    with moved_clock(NOON):
        assert waits(50, connection_id=connection_id) == [0.0] * 50
        assert budget.calls_today(connection_id, NOON) == 0


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with local_redis.running() as url:
        yield url


def test_redis_keeps_the_same_books(partner: object, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "redis_url", lambda: redis_url)
    connection_id, limit = uuid7(), RateLimit(calls=8, seconds=800, per_day=3)

    assert waits(2, limit, connection_id) == [0.0, 0.0]
    with pytest.raises(RateLimited) as slow:
        waits(1, limit, connection_id)
    fast = RateLimit(calls=100_000, seconds=1, per_day=2)
    with pytest.raises(RateLimited) as spent:
        waits(1, fast, connection_id)

    assert (slow.value.code, slow.value.retry_after) == ("rate_budget", 134.0)
    assert spent.value.code == "daily_quota"
    assert budget.calls_today(connection_id, clock.now()) == 2
