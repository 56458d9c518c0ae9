"""How much of what was claimed still waits for a worker.

Claimed work stands in the broker in the order of the claims: were everything due claimed at once, a single item of one
partner would wait behind all of another's. So only little is claimed ahead, and long work looks whether anyone waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

# Enough that no worker is idle between two looks of the dispatcher.
MOST_AHEAD = 32


class BrokerUnavailable(Exception):
    """The broker does not answer; what is due stays in the table."""


def count_waiting(queues: Iterable[str]) -> dict[str, int]:
    """Messages in each queue that no worker has taken yet; 0 where tasks run at once. Raises BrokerUnavailable."""
    if current_app.conf.task_always_eager:
        return dict.fromkeys(queues, 0)
    pool: Any = current_app.pool
    try:
        with pool.acquire(block=True) as link:
            return {queue: int(link.default_channel._size(queue)) for queue in queues}
    except (OperationalError, OSError, RedisError) as error:
        raise BrokerUnavailable(str(error)) from error


def rooms(queues: Iterable[str]) -> dict[str, int]:
    """How many items may be claimed for each queue now. Raises BrokerUnavailable."""
    return {queue: max(0, MOST_AHEAD - waiting) for queue, waiting in count_waiting(queues).items()}


def is_anyone_waiting(queue: str) -> bool:
    """Whether work waits because every worker is busy; a broker that does not answer keeps nobody from working."""
    try:
        return count_waiting([queue])[queue] > 0
    except BrokerUnavailable:
        return False
