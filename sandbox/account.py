"""One simulated customer account at one vendor."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import FaultPlan
from sandbox.store import Store

LOGGED_REQUESTS = 5000


class Account:
    """Holds an account's objects, clock, faults, settings and request log. `lock` makes each request atomic."""

    def __init__(self, store: Store, vendor: str, name: str, notify: Callable[[Account, dict[str, Any]], None]) -> None:
        self.vendor = vendor
        self.name = name
        self.lock = threading.RLock()
        self.faults = FaultPlan()
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOGGED_REQUESTS)
        self.counters: Counter[str] = Counter()
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=LOGGED_REQUESTS)
        # What a vendor derives from the objects (indexes, sorted copies); lost on restart and reset.
        self.scratch: dict[Any, Any] = {}
        self._store = store
        self._notify = notify
        self._settings = store.settings(self.key)
        self.clock = Clock(self._settings.get("clock_offset_seconds", 0.0))

    @property
    def key(self) -> tuple[str, str]:
        return (self.vendor, self.name)

    def now(self) -> datetime:
        return self.clock.now()

    def set_now(self, moment: datetime | None) -> None:
        self.clock.set(moment)
        self.set_setting("clock_offset_seconds", self.clock.offset_seconds)

    def ago(self, seconds: float) -> datetime:
        return self.now() - timedelta(seconds=seconds)

    def setting(self, name: str, default: Any = None) -> Any:
        return self._settings.get(name, default)

    def set_setting(self, name: str, value: Any) -> None:
        self._settings[name] = value
        self._store.set_setting(self.key, name, value)

    def credentials(self) -> dict[str, str]:
        """What this account accepts as proof; empty until the control plane configures it."""
        found: dict[str, str] = self.setting("credentials", {})
        return found

    def objects(self, kind: str) -> dict[str, dict[str, Any]]:
        """All objects of a kind by id. Treat as read-only: change them through `put` and `remove`."""
        return self._store.objects(self.key, kind)

    def version(self, kind: str) -> int:
        return self._store.version(self.key, kind)

    def put(self, kind: str, object_id: str, data: dict[str, Any]) -> None:
        self._store.put(self.key, kind, [(object_id, data)])

    def put_many(self, kind: str, items: Iterable[tuple[str, dict[str, Any]]]) -> None:
        self._store.put(self.key, kind, items)

    def remove(self, kind: str, object_id: str) -> None:
        self._store.remove(self.key, kind, object_id)

    def next_number(self, counter: str, start: int = 1, count: int = 1) -> int:
        """The first of `count` numbers never given out before."""
        name = f"counter:{counter}"
        number = int(self.setting(name, start))
        self.set_setting(name, number + count)
        return number

    def emit(self, event: dict[str, Any]) -> None:
        """Queue a webhook event; delivered in the background when the account has a webhook."""
        if self.setting("webhook"):
            self._notify(self, event)

    def reset(self) -> None:
        """Back to an account that never existed."""
        self._store.forget(self.key)
        self._settings = {}
        self.clock.set(None)
        self.faults.replace([])
        self.requests.clear()
        self.counters.clear()
        self.deliveries.clear()
        self.scratch.clear()
