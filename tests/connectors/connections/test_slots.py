"""Calls under way at once: counted over connections to the database, over processes, and given back by nobody when killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import connection

from apps.connectors import budget, slots
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import RateLimited
from apps.connectors.sdk.manifest import RateLimit
from apps.connectors.services.opening import Limits
from apps.core import clock
from apps.core.clock import moved_clock
from apps.core.ids import uuid7
from apps.core.planes import tenant_plane
from apps.tenants.models import Partner
from config.local import redis as local_redis

FIVE = RateLimit(calls=1000, seconds=1, concurrent=5)
HOLDER = """
import sys, django
django.setup()
from uuid import UUID
from django.conf import settings
from apps.connectors import budget, slots
from apps.connectors.sdk.manifest import RateLimit
from apps.core.planes import tenant_plane
budget.redis_url = lambda: sys.argv[4]
settings.DATABASES["default"]["NAME"] = sys.argv[1]
with tenant_plane(sys.argv[2]), slots.hold(UUID(sys.argv[3]), RateLimit(calls=1, seconds=1, concurrent=1)):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(connection_id: UUID, limit: RateLimit = FIVE) -> AbstractContextManager[None]:
    """Nobody really sleeps while waiting."""
    return slots.hold(connection_id, limit, sleep=lambda seconds: None)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with local_redis.running() as url:
        yield url


@pytest.fixture(params=["database", "redis"])
def store(request: pytest.FixtureRequest, partner: Partner, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        monkeypatch.setattr(budget, "redis_url", lambda: url)
    return str(request.param)


def test_of_twelve_workers_exactly_five_get_a_place(store: str, partner: Partner) -> None:
    """All at once, each with a connection of its own; whoever has a place keeps it until all have been answered."""
    connection_id, outcomes = uuid7(), list[str]()
    start, done = threading.Barrier(12), threading.Barrier(12)

    def work() -> None:
        try:
            with tenant_plane(partner.schema_name):
                start.wait(timeout=30)
                try:
                    with hold(connection_id):
                        outcomes.append("held")
                        done.wait(timeout=30)
                except RateLimited as error:
                    outcomes.append(error.code)
                    done.wait(timeout=30)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(outcomes) == ["concurrency"] * 7 + ["held"] * 5
    # Everybody gave back: five fit in again.
    held = [slots._take(connection_id, 5, uuid7()) for _ in range(6)]
    assert [bool(place) for place in held] == [True] * 5 + [False]


def test_a_place_is_free_again_after_the_call_also_after_a_failed_one(store: str) -> None:
    connection_id, one = uuid7(), RateLimit(calls=1000, seconds=1, concurrent=1)
    with hold(connection_id, one):
        with pytest.raises(RateLimited) as caught, hold(connection_id, one):
            pass
        # Other connections are not concerned.
        with hold(uuid7(), one):
            pass
    with pytest.raises(ZeroDivisionError), hold(connection_id, one):
        raise ZeroDivisionError
    with hold(connection_id, one):
        pass

    assert (caught.value.code, caught.value.retry_after) == ("concurrency", 1.0)


def test_a_waiting_call_goes_on_as_soon_as_a_place_is_free(partner: Partner) -> None:
    connection_id, one = uuid7(), RateLimit(calls=1000, seconds=1, concurrent=1)
    first = hold(connection_id, one)
    first.__enter__()
    looks: list[float] = []

    def somebody_finishes(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            first.__exit__(None, None, None)

    with slots.hold(connection_id, one, sleep=somebody_finishes):
        assert len(looks) == 3
    assert all(slots.SHORTEST_LOOK <= seconds <= slots.LONGEST_LOOK for seconds in looks)


def test_a_killed_worker_holds_its_place_no_longer_than_it_lives(store: str, partner: Partner) -> None:
    connection_id, one = uuid7(), RateLimit(calls=1000, seconds=1, concurrent=1)
    database = str(connection.settings_dict["NAME"])
    command = [sys.executable, "-c", HOLDER, database, partner.schema_name, str(connection_id), budget.redis_url()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "held\n"
        with pytest.raises(RateLimited), hold(connection_id, one):
            pass
        worker.send_signal(signal.SIGKILL)

    assert worker.returncode == -signal.SIGKILL
    with slots.hold(connection_id, one):
        pass


def test_a_holder_that_cannot_be_seen_to_be_dead_ends_with_its_lease(
    partner: Partner,
) -> None:
    connection_id, one = uuid7(), RateLimit(calls=1000, seconds=1, concurrent=1)
    assert slots._take(connection_id, 1, uuid7())
    with pytest.raises(RateLimited), hold(connection_id, one):
        pass

    later = clock.now() + timedelta(seconds=slots.LEASE_SECONDS)
    with time_machine.travel(later, tick=False), hold(connection_id, one):
        pass


def test_giving_back_late_takes_nothing_from_the_next_holder(partner: Partner) -> None:
    connection_id, one = uuid7(), RateLimit(calls=1000, seconds=1, concurrent=1)
    slow = hold(connection_id, one)
    slow.__enter__()
    later = clock.now() + timedelta(seconds=slots.LEASE_SECONDS)
    with time_machine.travel(later, tick=False), hold(connection_id, one):
        slow.__exit__(None, None, None)
        with pytest.raises(RateLimited), hold(connection_id, one):
            pass


def test_without_a_limit_and_in_history_nothing_is_counted(partner: Partner) -> None:
    connection_id = uuid7()
    with hold(connection_id, RateLimit(calls=1, seconds=1)):
        assert slots._take(connection_id, 1, uuid7())
    with moved_clock(clock.now()), hold(connection_id, RateLimit(calls=1, seconds=1, concurrent=1)):
        pass


def test_the_vendors_own_count_of_the_day_goes_into_the_books(store: str) -> None:
    limits = Limits(uuid7(), RateLimit(calls=100_000, seconds=1, per_day=5000))
    limits.acquire()
    limits.note_remaining(10)
    limits.acquire()

    assert budget.calls_today(limits.connection_id, clock.now()) == 4991
    limits.note_remaining(0)
    with pytest.raises(RateLimited) as caught:
        limits.acquire()
    assert caught.value.code == "daily_quota"
    # It was yesterday's count.
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        limits.acquire()
        if store == "database":
            assert budget.calls_today(limits.connection_id, clock.now()) == 1


def test_a_context_without_limits_has_free_places() -> None:
    context = ConnectionContext(settings={}, credentials={}, now=clock.now)

    with context.slot():
        context.note_remaining(5)
