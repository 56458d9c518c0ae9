"""Delivers webhook events in the background, signed as the vendor signs them."""

from __future__ import annotations

import http.client
import queue
import threading
from typing import Any
from urllib.parse import urlsplit

from sandbox.account import Account
from sandbox.clock import iso_millis
from sandbox.vendor import Vendor

ATTEMPTS = 3
RETRY_SECONDS = 1.0


class WebhookSender:
    """One thread; events of one account that wait together leave in one delivery, as vendors do."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[Vendor, Account, dict[str, Any]] | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def enqueue(self, vendor: Vendor, account: Account, event: dict[str, Any]) -> None:
        self._queue.put((vendor, account, event))

    def close(self) -> None:
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            waiting = [first, *self._drain()]
            groups: dict[int, tuple[Vendor, Account, list[dict[str, Any]]]] = {}
            for vendor, account, event in waiting:
                groups.setdefault(id(account), (vendor, account, []))[2].append(event)
            for vendor, account, events in groups.values():
                for start in range(0, len(events), vendor.events_per_delivery):
                    self._deliver(vendor, account, events[start : start + vendor.events_per_delivery])

    def _drain(self) -> list[tuple[Vendor, Account, dict[str, Any]]]:
        found: list[tuple[Vendor, Account, dict[str, Any]]] = []
        while True:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                return found
            if entry is None:
                self._queue.put(None)
                return found
            found.append(entry)

    def _deliver(self, vendor: Vendor, account: Account, events: list[dict[str, Any]]) -> None:
        hook = account.setting("webhook")
        if not hook:
            return
        body = vendor.webhook_body(account, events)
        for attempt in range(1, ATTEMPTS + 1):
            now = account.now()
            headers = vendor.webhook_headers(secret=hook["secret"], url=hook["url"], body=body, now=now)
            status = post(hook["url"], body, headers)
            account.deliveries.append(
                {"at": iso_millis(now), "status": status, "attempt": attempt, "body": body.decode()}
            )
            if 200 <= status < 300 or self._stopping.wait(RETRY_SECONDS * attempt):
                return


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status the receiver answered with, 0 when it could not be reached."""
    target = urlsplit(url)
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = kind(reachable(target.netloc), timeout=10)
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    try:
        connection.request("POST", path, body, {"Host": target.netloc, "Content-Type": "application/json", **headers})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def reachable(netloc: str) -> str:
    """Names below localhost are the loopback address (RFC 6761), which not every resolver knows."""
    host, colon, port = netloc.partition(":")
    return f"127.0.0.1{colon}{port}" if host.endswith(".localhost") else netloc
