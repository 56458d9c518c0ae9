"""An HTTP proxy that stands between the engine and its vendors, and between vendors' webhooks and the web process.

`FaultProxy(target, script)` forwards every call to `target`; the script says for each call which fault strikes it (None:
none). What a fault did is counted by kind. Faults:
- latency: the answer comes later; drip: it comes in small pieces;
- reset: the connection is cut before the vendor hears of the call;
- lost: the vendor does the work, and the connection is cut before its answer (a time-out after commit);
- truncate: the whole length is announced, half of it is sent;
- too_fast: the vendor's own rate-limit answer; down: 503 as a load balancer says it; login: a page with status 200;
- skew: the vendor's clock, as its Date header tells it, is hours off.
Of webhooks: twice (delivered again a moment later), late (overtaken by those that come after it).
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.faults.answers import DOWN, LOGIN_PAGE, TOO_FAST, Answer

FAULTS = ("latency", "drip", "reset", "lost", "truncate", "too_fast", "down", "login", "skew")
WEBHOOK_FAULTS = ("twice", "late")
Script = Callable[[str, str, bytes], str | None]
_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
LATENCY_SECONDS, DRIP_PIECES, DRIP_SECONDS, LATE_SECONDS = 0.4, 5, 0.05, 0.7
SKEWED_DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


class FaultProxy:
    """`seen` are the calls that reached the target, in order: (method, path, body)."""

    def __init__(self, target: str, script: Script) -> None:
        self.netloc = urlsplit(target).netloc
        self.script = script
        self.counts: Counter[str] = Counter()
        self.seen: list[tuple[str, str, bytes]] = []
        self.lock = threading.Lock()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def choose(self, method: str, path: str, body: bytes) -> str | None:
        with self.lock:
            fault = self.script(method, path, body)
            if fault:
                self.counts[fault] += 1
        return fault

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, list[Any], bytes]:
        with self.lock:
            self.seen.append((method, path, body))
        link = http.client.HTTPConnection(self.netloc, timeout=20)
        try:
            link.request(method, path, body or None, headers)
            answer = link.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            link.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FaultProxy

    def handle_call(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = self.proxy.choose(self.command, self.path, body)
        canned = self._canned(fault)
        if fault == "reset":
            self._cut()
        elif canned is not None:
            self._answer(canned.status, list(canned.headers.items()), canned.body)
        else:
            self._pass(fault, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_call  # noqa: N815 - what the server calls

    def _canned(self, fault: str | None) -> Answer | None:
        vendor = self.path.split("/")[1]
        return {"too_fast": TOO_FAST.get(vendor, TOO_FAST["tryton"]), "down": DOWN, "login": LOGIN_PAGE}.get(
            fault or ""
        )

    def _pass(self, fault: str | None, body: bytes) -> None:
        if fault == "late":
            time.sleep(LATE_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _ONE_HOP}
        try:
            status, given, content = self.proxy.forward(self.command, self.path, headers, body)
            if fault == "twice":
                self.proxy.forward(self.command, self.path, headers, body)
        except (OSError, http.client.HTTPException):
            self._answer(502, [], b"")
            return
        if fault == "latency":
            time.sleep(LATENCY_SECONDS)
        if fault == "lost":
            self._cut()
            return
        self._answer(status, [pair for pair in given if pair[0].lower() not in _ONE_HOP], content, fault or "")

    def _answer(self, status: int, headers: list[Any], content: bytes, fault: str = "") -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Date", SKEWED_DATE if fault == "skew" else self.date_time_string())
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault == "truncate" and len(content) > 1:
            self.wfile.write(content[: len(content) // 2])
            self._cut(abruptly=False)
        elif fault == "drip":
            self._drip(content)
        else:
            self.wfile.write(content)

    def _drip(self, content: bytes) -> None:
        size = max(1, len(content) // DRIP_PIECES)
        for start in range(0, len(content), size):
            self.wfile.write(content[start : start + size])
            self.wfile.flush()
            time.sleep(DRIP_SECONDS)

    def _cut(self, *, abruptly: bool = True) -> None:
        self.wfile.flush()
        if abruptly:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hung up was killed on purpose."""


@contextmanager
def running_proxy(target: str, script: Script) -> Iterator[FaultProxy]:
    proxy = FaultProxy(target, script)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
