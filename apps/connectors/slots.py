"""How many calls a connection has under way, over all workers: a vendor that allows five at once never sees a sixth.

A place is held by a lease. Giving it back ends the lease. A worker that was killed gives nothing back: its place is free
as soon as somebody needs it and sees that the worker's link to the store is gone, or else when the lease has run out,
which is later than a call is allowed to take.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import redis
from django.db import connection as database
from redis.exceptions import RedisError

from apps.connectors import budget
from apps.connectors.sdk.errors import RateLimited
from apps.connectors.sdk.manifest import RateLimit
from apps.core import clock

LEASE_SECONDS = 60.0
LONGEST_BLOCK_SECONDS = 5.0
# Between two looks at places that are all taken; apart at random, so that waiting workers do not look in step.
SHORTEST_LOOK, LONGEST_LOOK = 0.02, 0.08
LOOKS_BETWEEN_BURIALS = 10

# KEYS: the connection's leases. ARGV: places, holder, seconds of a lease. Scores are the leases' ends.
_LUA = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[3]) * 1000))
return 1
"""

# Takes one place that is free or whose lease ran out. Two workers that choose the same one meet at the row: the second
# finds the lease running and gets nothing.
_SQL = """
WITH free AS (
    SELECT number FROM generate_series(1, %(places)s) AS number
    LEFT JOIN connectors_callslot AS held ON held.place = %(id)s || ':' || number
    WHERE held.place IS NULL OR held.expires_at <= %(now)s
    ORDER BY random() LIMIT 1
)
INSERT INTO connectors_callslot AS slot (place, holder, backend, expires_at)
SELECT %(id)s || ':' || number, %(holder)s, pg_backend_pid(), %(expires)s FROM free
ON CONFLICT (place) DO UPDATE
SET holder = EXCLUDED.holder, backend = EXCLUDED.backend, expires_at = EXCLUDED.expires_at
WHERE slot.expires_at <= %(now)s
RETURNING place
"""

# The places of workers whose session has ended.
_SQL_BURY = """
DELETE FROM connectors_callslot AS held
WHERE held.place = ANY(SELECT %(id)s || ':' || number FROM generate_series(1, %(places)s) AS number)
  AND NOT EXISTS (SELECT FROM pg_stat_activity AS session WHERE session.pid = held.backend)
"""


@contextmanager
def hold(connection_id: UUID, limit: RateLimit, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """One place for the time of one call: at once, after a wait of a few seconds, or by raising RateLimited.

    Vendors that count no calls under way cost nothing, nor does history made under a moved clock.
    """
    if limit.concurrent is None or clock.is_moved():
        yield
        return
    holder = uuid4()
    place = _wait_for_place(connection_id, limit.concurrent, holder, sleep)
    try:
        yield
    finally:
        # A place that cannot be given back ends with its lease.
        with suppress(RedisError):
            _give_back(connection_id, place, holder)


def _wait_for_place(connection_id: UUID, places: int, holder: UUID, sleep: Callable[[float], None]) -> str:
    waited = 0.0
    for look in count():
        try:
            place = _take(connection_id, places, holder)
            if not place and look % LOOKS_BETWEEN_BURIALS == 0 and _bury_the_dead(connection_id, places):
                place = _take(connection_id, places, holder)
        except RedisError as error:
            # Nobody knows who calls: no call is made. The lifeline is a new one when the store is back.
            _lifeline.cache_clear()
            raise RateLimited("The count of calls under way is away", retry_after=1.0, code="concurrency") from error
        if place:
            return place
        if waited >= LONGEST_BLOCK_SECONDS:
            raise RateLimited(
                f"All {places} calls allowed at once are under way", retry_after=1.0, code="concurrency", status=None
            )
        pause = random.uniform(SHORTEST_LOOK, LONGEST_LOOK)  # noqa: S311 - spreads load, guards nothing
        sleep(pause)
        waited += pause
    raise AssertionError  # the loop ends by itself only


def _take(connection_id: UUID, places: int, holder: UUID) -> str:
    """The place taken, empty when there is none."""
    url = budget.redis_url()
    if url:
        client = budget.redis_client(url)
        key = _key(connection_id)
        return key if client.eval(_LUA, 1, key, places, _member(url, holder), LEASE_SECONDS) else ""
    now = clock.now()
    expires = now + timedelta(seconds=LEASE_SECONDS)
    values: dict[str, Any] = {
        "id": str(connection_id),
        "places": places,
        "holder": holder,
        "now": now,
        "expires": expires,
    }
    with database.cursor() as cursor:
        cursor.execute(_SQL, values)
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def _give_back(connection_id: UUID, place: str, holder: UUID) -> None:
    """Only a place still held by us: after the lease it may be somebody else's."""
    url = budget.redis_url()
    if url:
        budget.redis_client(url).zrem(place, _member(url, holder))
        return
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM connectors_callslot WHERE place = %s AND holder = %s", [place, holder])


def _bury_the_dead(connection_id: UUID, places: int) -> bool:
    """Free the places of workers that are no more; whether there were any."""
    url = budget.redis_url()
    if url:
        client, key = budget.redis_client(url), _key(connection_id)
        members = [member.decode() for member in client.zrange(key, 0, -1)]
        living = {entry["id"] for entry in client.client_list()}
        dead = [member for member in members if member.partition(":")[0] not in living]
        return bool(dead) and int(client.zrem(key, *dead)) > 0
    with database.cursor() as cursor:
        # Within a transaction the list of sessions is a picture of when it was first looked at.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(_SQL_BURY, {"id": str(connection_id), "places": places})
        return int(cursor.rowcount) > 0


def _member(url: str, holder: UUID) -> str:
    """The holder with the number of its process's lifeline, by which others see whether it lives."""
    # Two threads at once would make two links and keep one: the other's places would look like a dead worker's.
    with _lifeline_lock:
        return f"{_lifeline(url, os.getpid())[1]}:{holder}"


_lifeline_lock = threading.Lock()


@lru_cache(maxsize=4)
def _lifeline(url: str, process: int) -> tuple[Any, int]:
    """A link of this process alone (a child must not hold on to its parent's), open for as long as the process lives."""
    link = redis.Redis.from_url(url, single_connection_client=True)
    return link, int(link.client_id())


def _key(connection_id: UUID) -> str:
    return f"slots:{budget.place_of(connection_id)}"
