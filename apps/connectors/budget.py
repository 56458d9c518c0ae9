"""The rate budget of a connection, shared by every worker that talks to the vendor on its behalf.

A token bucket holding a quarter of the vendor's allowance, refilled at the remaining three quarters per window: within any
window of the vendor's length there are never more calls than allowed, wherever that window begins. Kept as GCRA: one moment
per connection, moved on by each call. The day's calls are counted beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection as database
from redis.exceptions import RedisError

from apps.connectors.sdk.errors import RateLimited
from apps.connectors.sdk.manifest import RateLimit
from apps.core import clock
from apps.core.planes import require_tenant_schema

log = structlog.get_logger()
LONGEST_BLOCK_SECONDS = 5.0

# KEYS: bucket, day counter. ARGV: seconds per call, burst in seconds, longest wait, calls per day (0 = unbounded), calls
# of the day by the vendor's count.
# Answers the seconds to wait (as text), negative when the call was not booked; -86400 when the day is used up.
_LUA = """
local used = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[5]))
local per_day = tonumber(ARGV[4])
if per_day > 0 and used >= per_day then return '-86400' end
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local booked = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(0, booked - now - tonumber(ARGV[2]) + tonumber(ARGV[1]))
if wait > tonumber(ARGV[3]) then return tostring(-wait) end
redis.call('SET', KEYS[1], string.format('%.6f', booked + tonumber(ARGV[1])), 'EX', 3600)
redis.call('SET', KEYS[2], used + 1, 'EX', 172800)
return string.format('%.6f', wait)
"""

# The same in one statement; a row that may not be booked is left as it is, and no row comes back.
_SQL = """
INSERT INTO connectors_callbudget AS budget (connection_id, next_call_at, day, day_count)
VALUES (%(id)s, %(now)s::timestamptz + %(per_call)s, %(day)s, %(used)s + 1)
ON CONFLICT (connection_id) DO UPDATE SET
    next_call_at = GREATEST(budget.next_call_at, %(now)s) + %(per_call)s,
    day = %(day)s,
    day_count = GREATEST(CASE WHEN budget.day = %(day)s THEN budget.day_count ELSE 0 END, %(used)s) + 1
WHERE GREATEST(budget.next_call_at, %(now)s) - %(now)s - %(burst)s + %(per_call)s <= %(longest)s
  AND (%(per_day)s = 0 OR GREATEST(CASE WHEN budget.day = %(day)s THEN budget.day_count ELSE 0 END, %(used)s) < %(per_day)s)
RETURNING next_call_at
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A manifest's limit in the numbers of the algorithm."""

    per_call_seconds: float
    burst_seconds: float
    per_day: int

    @classmethod
    def of(cls, limit: RateLimit) -> Bucket:
        burst = max(1, limit.calls // 4)
        per_call = limit.seconds / max(1, limit.calls - burst)
        return cls(per_call, burst * per_call, limit.per_day or 0)


@lru_cache(maxsize=1)
def _redis(url: str) -> tuple[Any, Any]:
    import redis

    client = redis.Redis.from_url(url)
    return client, client.register_script(_LUA)


def redis_client(url: str) -> Any:
    return _redis(url)[0]


def redis_url() -> str:
    """Where there is a Redis that all workers share, else empty."""
    url = str(settings.CACHES["default"].get("LOCATION", ""))
    return url if url.startswith(("redis://", "rediss://", "unix://")) else ""


def acquire(
    connection_id: UUID, limit: RateLimit, *, used_today: int = 0, sleep: Callable[[float], None] = time.sleep
) -> None:
    """This function will book one call: at once, after a wait of a few seconds, or by raising RateLimited.

    `used_today` is the vendor's own count of the day's calls, where it tells: others may draw on the same quota.
    History made under a moved clock costs no budget: a vendor's limits are about the present.
    """
    if clock.is_moved():
        return
    bucket, now = Bucket.of(limit), clock.now()
    url = redis_url()
    wait = _book_in_redis(url, connection_id, bucket, now, used_today) if url else None
    if wait is None:
        wait = _book_in_database(connection_id, bucket, now, used_today)
    if wait > 0:
        sleep(wait)


def calls_today(connection_id: UUID, now: datetime) -> int:
    """Calls booked since midnight UTC, when vendors' daily quotas begin anew."""
    url = redis_url()
    if url:
        client, _ = _redis(url)
        return int(client.get(_keys(connection_id, now)[1]) or 0)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT day_count FROM connectors_callbudget WHERE connection_id = %s AND day = %s",
            [connection_id, now.date()],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def place_of(connection_id: UUID) -> str:
    """The connection's name in a store that all partners share."""
    return f"{require_tenant_schema()}:{connection_id}"


def _keys(connection_id: UUID, now: datetime) -> list[str]:
    place = f"budget:{place_of(connection_id)}"
    return [place, f"{place}:{now.date().isoformat()}"]


def _book_in_redis(url: str, connection_id: UUID, bucket: Bucket, now: datetime, used: int) -> float | None:
    """None where Redis does not answer: then the database keeps the books."""
    _, script = _redis(url)
    arguments = [bucket.per_call_seconds, bucket.burst_seconds, LONGEST_BLOCK_SECONDS, bucket.per_day, used]
    try:
        wait = float(script(keys=_keys(connection_id, now), args=arguments))
    except RedisError as error:
        log.warning("budget.redis_unavailable", error=str(error)[:200])
        return None
    if wait <= -86400:
        raise _day_used_up(bucket, now)
    if wait < 0:
        raise _too_fast(-wait)
    return wait


def _book_in_database(connection_id: UUID, bucket: Bucket, now: datetime, used: int) -> float:
    per_call, burst = timedelta(seconds=bucket.per_call_seconds), timedelta(seconds=bucket.burst_seconds)
    values: dict[str, Any] = {
        "id": connection_id, "now": now, "day": now.date(), "per_call": per_call, "burst": burst,
        "longest": timedelta(seconds=LONGEST_BLOCK_SECONDS), "per_day": bucket.per_day,
        "used": used,
    }  # fmt: skip
    with database.cursor() as cursor:
        cursor.execute(_SQL, values)
        row = cursor.fetchone()
    if row is not None:
        return max(0.0, float((row[0] - now - burst).total_seconds()))
    if bucket.per_day and max(calls_today(connection_id, now), used) >= bucket.per_day:
        raise _day_used_up(bucket, now)
    raise _too_fast(LONGEST_BLOCK_SECONDS)


def _day_used_up(bucket: Bucket, now: datetime) -> RateLimited:
    midnight = datetime(now.year, now.month, now.day, tzinfo=now.tzinfo) + timedelta(days=1)
    return RateLimited(
        f"All {bucket.per_day} calls of today are used",
        retry_after=(midnight - now).total_seconds(),
        code="daily_quota",
    )


def _too_fast(seconds: float) -> RateLimited:
    return RateLimited("Too many calls at once", retry_after=float(math.ceil(seconds)), code="rate_budget")
