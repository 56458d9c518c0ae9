"""The WSGI application and the threaded server under it."""

from __future__ import annotations

import importlib
import json
import socket
import struct
import threading
import time
import traceback
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from sandbox.account import Account
from sandbox.clock import iso_millis
from sandbox.control import handle_control
from sandbox.faults import Fault
from sandbox.store import Store
from sandbox.vendor import Call, Vendor, VendorError, json_response
from sandbox.webhooks import WebhookSender

SILENT_FAULTS = ("reset", "timeout_after_commit")


class Sandbox:
    """Routes `/<vendor>/<account>/...` and `/_control/...`; vendors are found by folder name."""

    def __init__(self, data_dir: Path) -> None:
        self.store = Store(data_dir)
        self.sender = WebhookSender()
        self._accounts: dict[tuple[str, str], Account] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self.sender.close()
        self.store.close()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        response = self._route(request)
        return response(environ, start_response)

    def _route(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        is_control = parts[0] == "_control"
        parts = parts[1:] if is_control else parts
        if parts == ["health"] or len(parts) < 2:
            return json_response({"status": "ok"}, 200 if parts in (["health"], [""]) else 404)
        vendor = find_vendor(parts[0])
        if vendor is None:
            return json_response({"error": f"no vendor {parts[0]}"}, 404)
        account = self._account(vendor, parts[1])
        if is_control:
            return handle_control(vendor, account, request, parts[2:])
        return self._serve(vendor, account, request, "/" + "/".join(parts[2:]))

    def _account(self, vendor: Vendor, name: str) -> Account:
        key = (vendor.name, name)
        with self._lock:
            if key not in self._accounts:
                notify = lambda account, event: self.sender.enqueue(vendor, account, event)  # noqa: E731
                self._accounts[key] = Account(self.store, vendor.name, name, notify)
            return self._accounts[key]

    def _serve(self, vendor: Vendor, account: Account, request: Request, path: str) -> Response:
        call = Call(account, request, path)
        fault = account.faults.take(request.method, path, request.get_data())
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        response = refusal(vendor, call, fault) if fault else None
        if response is None:
            with account.lock, self.store.together():
                response = vendor.respond(call)
        log_request(account, request, path, response.status_code)
        return sabotage(request, response, fault) if fault else response


def find_vendor(name: str) -> Vendor | None:
    """The vendor whose folder has this name. Imported on first use, so a broken one harms nobody else."""
    if not name.isidentifier():
        return None
    try:
        module = importlib.import_module(f"sandbox.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"sandbox.{name}":
            return None
        raise
    found: Vendor | None = getattr(module, "VENDOR", None)
    return found


def refusal(vendor: Vendor, call: Call, fault: Fault) -> Response | None:
    """The answer of a fault that keeps the work from being done; None for the others."""
    if fault.kind == "429":
        response = vendor.throttled(call, fault.retry_after)
    elif fault.kind == "status":
        response = vendor.error(call, VendorError(fault.status, "injected fault"))
    elif fault.kind == "reset":
        response = Response(status=503)
    else:
        return None
    response.headers.update(fault.headers)
    return response


def sabotage(request: Request, response: Response, fault: Fault) -> Response:
    """Lose or cut the answer on its way back."""
    if fault.kind in SILENT_FAULTS:
        time.sleep(fault.seconds)
        hang_up(request)
    elif fault.kind == "truncate":
        body = response.get_data()
        response.response = cut_short(request, body[: len(body) // 2])
        response.headers["Content-Length"] = str(len(body))
    return response


def cut_short(request: Request, half: bytes) -> Iterable[bytes]:
    yield half
    hang_up(request, abruptly=False)


def hang_up(request: Request, *, abruptly: bool = True) -> None:
    connection: socket.socket = request.environ["werkzeug.socket"]
    if abruptly:
        # Zero linger makes the kernel send a reset instead of a polite end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)


def log_request(account: Account, request: Request, path: str, status: int) -> None:
    raw = request.get_data()
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        body = raw.decode(errors="replace")
    account.counters[request.method] += 1
    account.requests.append(
        {
            "method": request.method,
            "path": path,
            "query": request.query_string.decode(),
            "body": body,
            "status": status,
            "at": iso_millis(account.now()),
        }
    )


class QuietHandler(WSGIRequestHandler):
    """Keep-alive, no access log, and no waiting for a full segment (40 ms per answer otherwise)."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60  # seconds until a connection that nobody uses is closed

    def run_wsgi(self) -> None:
        """Answer one request and leave the connection open, as vendors do; Werkzeug's own way closes it."""
        environ = self.make_environ()
        if environ.get("wsgi.input_terminated"):
            self.close_connection = True  # a body in chunks is read by whoever wants it, so its end is unknown here
        else:
            # Read to its end whether it is wanted or not: what follows is the next request.
            environ["wsgi.input"] = BytesIO(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))
        try:
            self._answer(*run_wsgi_app(self.server.app, environ))
        except OSError as error:
            self.connection_dropped(error, environ)
        except Exception:
            self.close_connection = True
            self.server.log("error", f"Error on request:\n{traceback.format_exc()}")
            self._answer(*run_wsgi_app(InternalServerError(), environ))

    def _answer(self, body: Iterable[bytes], status: str, headers: Headers) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers and int(code) not in (204, 304):
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            for part in body:
                self.wfile.write(part)
                self.wfile.flush()

    def log(self, type: str, message: str, *args: Any) -> None:
        # A connection that nobody used for long ends as agreed.
        if type == "error" and not message.startswith("Request timed out"):
            super().log(type, message, *args)

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        self.close_connection = True


def make_server(app: Sandbox, host: str, port: int) -> BaseWSGIServer:
    ThreadedWSGIServer.daemon_threads = True
    return ThreadedWSGIServer(host, port, app, handler=QuietHandler)
