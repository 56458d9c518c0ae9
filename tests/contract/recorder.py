"""The sandbox with a witness: every request to a vendor as it came over the wire, and its answer."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from werkzeug.wrappers import Request

from sandbox.server import Sandbox, make_server
from sandbox.testing import RunningSandbox


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is the vendor's own, without vendor and account."""

    vendor: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


class Witness:
    """WSGI middleware that keeps what passes."""

    def __init__(self, app: Sandbox) -> None:
        self.app = app
        self.exchanges: list[Exchange] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        seen: list[str] = []

        def remember(status: str, headers: Any, exc_info: Any = None) -> Any:
            seen.append(status)
            return start_response(status, headers)

        answer = b"".join(self.app(environ, remember))
        vendor, _, rest = request.path.strip("/").partition("/")
        if vendor != "_control":
            self.exchanges.append(
                Exchange(
                    vendor=vendor,
                    method=request.method,
                    path="/" + rest.partition("/")[2],
                    query=request.query_string.decode(),
                    headers={name.lower(): value for name, value in request.headers.items()},
                    body=body,
                    status=int(seen[0].split()[0]),
                    answer=answer,
                )
            )
        return [answer]


class RecordingSandbox(RunningSandbox):
    def __init__(self, url: str, witness: Witness) -> None:
        super().__init__(url)
        self.witness = witness

    def exchanges(self, vendor: str) -> list[Exchange]:
        return [exchange for exchange in self.witness.exchanges if exchange.vendor == vendor]


@contextmanager
def recording_sandbox(data_dir: Path) -> Iterator[RecordingSandbox]:
    app = Sandbox(data_dir)
    witness = Witness(app)
    server = make_server(witness, "127.0.0.1", 0)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield RecordingSandbox(f"http://127.0.0.1:{server.port}", witness)
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
        app.close()
