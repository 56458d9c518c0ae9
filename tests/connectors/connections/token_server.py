"""A vendor's token endpoint on a real socket: rotates refresh tokens and refuses a spent one, like Xero does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class TokenServer(ThreadingHTTPServer):
    """`requests` are the forms received; the refresh token in force is `refresh-<number of grants>`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, str]] = []
        self.failure: tuple[int, dict[str, str]] | None = None
        self.grants = 0
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        with self.guard:
            self.requests.append(form)
            if self.failure is not None:
                return self.failure[0], dict(self.failure[1])
            if form["grant_type"] == "refresh_token" and form["refresh_token"] != f"refresh-{self.grants}":
                return 400, {"error": "invalid_grant"}
            self.grants += 1
            return 200, {
                "access_token": f"access-{self.grants}", "refresh_token": f"refresh-{self.grants}", "expires_in": 1800,
            }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        status, answer = self.server.answer({key: values[0] for key, values in parse_qs(body).items()})
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        return None


@contextmanager
def running_token_server() -> Iterator[TokenServer]:
    server = TokenServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
