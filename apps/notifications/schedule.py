"""When a delivery that failed is attempted again: eight attempts over about a day."""

from __future__ import annotations

import hashlib
from datetime import timedelta

PAUSES = [
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
    timedelta(hours=7), timedelta(hours=9),
]  # fmt: skip
MOST_ATTEMPTS = len(PAUSES) + 1
JITTER = 0.1


def pause_after(attempts: int, key: str) -> timedelta | None:
    """The pause after the given number of attempts, up to a tenth longer or shorter; None when it was the last.

    The jitter comes from `key`, so that thousands that failed together do not come back together, and the same delivery
    always waits the same.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    digest = hashlib.sha256(f"{key}:{attempts}".encode()).digest()
    share = int.from_bytes(digest[:4]) / 2**32  # 0 ≤ share < 1
    return PAUSES[attempts - 1] * (1 - JITTER + 2 * JITTER * share)
