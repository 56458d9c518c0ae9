"""What can be made to go wrong: the answers and silences of a vendor on a bad day.

A fault is `{"match": {"method": "POST", "path_prefix": "/crm"}, "kind": ..., "times": 1, ...}`; the path is the vendor's
own (without vendor and account). `"body"` in `match` is a text the request's body must hold: vendors that send every call
to one address tell them apart there. Kinds:
- `status`: answer `status` in the vendor's own error shape, with `headers`.
- `429`: refuse with the vendor's rate-limit answer and `retry_after` seconds.
- `reset`: close the connection before doing anything.
- `timeout_after_commit`: do the work, then close the connection without an answer (after `seconds`).
- `truncate`: do the work, announce the whole body and send half of it.
- `slow`: answer after `seconds`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = ("status", "429", "reset", "timeout_after_commit", "truncate", "slow")


@dataclass
class Fault:
    kind: str
    method: str = ""
    path_prefix: str = ""
    body: str = ""
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    retry_after: float | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fault:
        """Raises ValueError for a kind we cannot simulate."""
        if data.get("kind") not in KINDS:
            raise ValueError(f"unknown fault {data.get('kind')!r}; known: {', '.join(KINDS)}")
        match = data.get("match") or {}
        options = {
            name: data[name] for name in ("times", "status", "seconds", "retry_after", "headers") if name in data
        }
        return cls(
            kind=data["kind"],
            method=match.get("method", ""),
            path_prefix=match.get("path_prefix", ""),
            body=match.get("body", ""),
            **options,
        )

    def matches(self, method: str, path: str, body: bytes) -> bool:
        return self.method in ("", method) and path.startswith(self.path_prefix) and self.body.encode() in body


class FaultPlan:
    """The faults waiting in one account; each strikes `times` times, first match first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def replace(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults = list(faults)

    def add(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults.extend(faults)

    def take(self, method: str, path: str, body: bytes = b"") -> Fault | None:
        """The fault that strikes this call, used up by one."""
        if not self._faults:
            return None
        with self._lock:
            found = next((fault for fault in self._faults if fault.matches(method, path, body)), None)
            if found is not None:
                found.times -= 1
                self._faults = [fault for fault in self._faults if fault.times > 0]
            return found
