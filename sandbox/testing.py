"""For tests: a running sandbox, and a remote control for its accounts (also of one in another process)."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.server import Sandbox, make_server


class AccountControl:
    """The control plane of one account.

    control = server.control("hubspot", "acme")
    control.credentials(access_token="pat-1")
    control.create("companies", {"name": "Initech"})
    """

    def __init__(self, base_url: str, vendor: str, account: str) -> None:
        self._netloc = urlsplit(base_url).netloc
        self._prefix = f"/_control/{vendor}/{account}"

    def order(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(self._netloc, timeout=30)
        try:
            connection.request(method, f"{self._prefix}/{path}", json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read() or b"null")
        finally:
            connection.close()
        if response.status >= 400:
            raise RuntimeError(f"control {method} {path}: {response.status} {answer}")
        return answer

    def clock(self, now: str | None) -> None:
        self.order("POST", "clock", {"now": now})

    def fault(self, kind: str, *, method: str = "", path_prefix: str = "", **options: Any) -> None:
        """One fault instead of all others."""
        self.faults([{"kind": kind, "match": {"method": method, "path_prefix": path_prefix}, **options}])

    def faults(self, faults: list[dict[str, Any]]) -> None:
        self.order("POST", "faults", faults)

    def reset(self) -> None:
        self.order("POST", "reset")

    def credentials(self, **values: str) -> None:
        self.order("POST", "credentials", values)

    def settings(self, **values: Any) -> None:
        self.order("POST", "settings", values)

    def webhooks(self, url: str, secret: str) -> None:
        self.order("POST", "webhooks", {"url": url, "secret": secret})

    def objects(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.order("GET", f"objects/{kind}")
        return found

    def create(self, kind: str, data: Any) -> Any:
        """Create one object (dict) or many (list) as a user of the vendor would."""
        return self.order("POST", f"objects/{kind}", data)

    def update(self, kind: str, object_id: str, data: dict[str, Any]) -> Any:
        return self.order("PATCH", f"objects/{kind}/{object_id}", data)

    def delete(self, kind: str, object_id: str) -> None:
        self.order("DELETE", f"objects/{kind}/{object_id}")

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.order("GET", "requests")
        return found

    def clear_requests(self) -> None:
        self.order("DELETE", "requests")

    def counters(self) -> dict[str, int]:
        found: dict[str, int] = self.order("GET", "counters")
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.order("GET", "deliveries")
        return found


class RunningSandbox:
    def __init__(self, url: str) -> None:
        self.url = url

    def base_url(self, vendor: str, account: str) -> str:
        return f"{self.url}/{vendor}/{account}"

    def control(self, vendor: str, account: str) -> AccountControl:
        return AccountControl(self.url, vendor, account)


@contextmanager
def running_sandbox(data_dir: Path) -> Iterator[RunningSandbox]:
    """A sandbox in a thread of this process, on a free port of the loopback address."""
    app = Sandbox(data_dir)
    server = make_server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield RunningSandbox(f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
        app.close()
