"""A conformance harness over the sandbox; vendors add what differs."""

from __future__ import annotations

import importlib
import itertools
import threading
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any

import msgspec

from apps.connectors.sdk.conformance import Delivery, Harness
from sandbox.testing import AccountControl, RunningSandbox

WEBHOOK_SECRET = "whsec-0123456789"  # noqa: S105 - of a simulated vendor
_accounts = itertools.count(1)


class SandboxHarness(Harness):
    """One fresh simulated account per instance. `kinds` maps stream and sink names to the simulator's object kinds."""

    vendor: str
    kinds: dict[str, str] = {}
    abilities = frozenset({"faults", "webhooks", "deliveries"})
    # How the calls that create an object look, for losing their answer.
    create_calls: dict[str, tuple[str, str]] = {}

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__()
        account = f"customer{next(_accounts)}"
        self.base_url = sandbox.base_url(self.vendor, account)
        self.control: AccountControl = sandbox.control(self.vendor, account)
        self.control.credentials(**self.credentials(valid=True))

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"api_key": "good-key-1234567890" if valid else "wrong-key-0987654321"}

    def kind(self, name: str) -> str:
        return self.kinds.get(name, name)

    # Streams whose objects nobody can delete there: people are made inactive, what happened has happened.
    kept: frozenset[str] = frozenset()
    # The change that stands for deleting, where people archive, cancel or void.
    undone: dict[str, dict[str, Any]] = {}

    def remove(self, stream: str, external_id: str) -> bool:
        if stream in self.kept:
            return False
        if stream in self.undone:
            self.control.update(self.kind(stream), external_id, self.undone[stream])
        else:
            self.control.delete(self.kind(stream), external_id)
        return True

    def count(self, sink: str) -> int:
        return len(self.control.objects(self.kind(sink)))

    def fault(self, kind: str, **options: Any) -> None:
        self.control.fault(kind, **options)

    def lose_answer(self, sink: str) -> None:
        method, path_prefix = self.create_calls[sink]
        self.control.fault("timeout_after_commit", method=method, path_prefix=path_prefix)

    def delivery(self, stream: str) -> Delivery:
        with webhook_receiver() as (url, received):
            self.control.webhooks(url, WEBHOOK_SECRET)
            self.seed(stream, 1)
            headers, body = received.get(timeout=10)
        return Delivery(secret=WEBHOOK_SECRET, headers=headers, body=body, url=url, now=datetime.now(UTC))

    def signed(self, sent: Delivery, body: bytes) -> Delivery:
        vendor = importlib.import_module(f"sandbox.{self.vendor}").VENDOR
        headers = vendor.webhook_headers(secret=sent.secret, url=sent.url, body=body, now=sent.now)
        return msgspec.structs.replace(sent, headers=headers, body=body)


class TimedHarness(SandboxHarness):
    """For vendors that show a change only some time later: whatever people do there is followed by that much time."""

    unseen_seconds = 0

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def settle(self, seconds: int) -> None:
        self.ahead += timedelta(seconds=seconds)
        self.control.clock(self.now().isoformat())

    def delivery(self, stream: str) -> Delivery:
        # What the object refers to is made first, so that the one delivery is about the object.
        self.seed_one(stream)
        return msgspec.structs.replace(super().delivery(stream), now=self.now())

    def seed(self, stream: str, count: int) -> list[str]:
        made = [self.seed_one(stream) for _ in range(count)]
        self.settle(self.unseen_seconds)
        return made

    def remove(self, stream: str, external_id: str) -> bool:
        removed = super().remove(stream, external_id)
        self.settle(self.unseen_seconds)
        return removed

    def edit(self, stream: str, external_id: str) -> None:
        self.control.update(self.kind(stream), external_id, self.edited(stream))
        self.settle(self.unseen_seconds)

    @abstractmethod
    def seed_one(self, stream: str) -> str:
        """Create one object as a user does; its external id."""

    @abstractmethod
    def edited(self, stream: str) -> dict[str, Any]:
        """What a user changes."""


@contextmanager
def webhook_receiver() -> Iterator[tuple[str, Queue[tuple[dict[str, str], bytes]]]]:
    """An address that accepts every delivery and keeps it."""
    received: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks", received
    finally:
        server.shutdown()
        server.server_close()
