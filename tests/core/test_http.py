"""Outbound HTTP: who may be reached, what is read, what is not followed."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from apps.core.http import BlockedAddress, ResponseTooLarge, build_client, is_public_address, send_bounded


class Handler(BaseHTTPRequestHandler):
    hits: list[str] = []

    def do_GET(self) -> None:
        Handler.hits.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = gzip.compress(b"0" * 1_000_000) if self.path == "/bomb" else b'{"ok": true}'
        self.send_response(200)
        if self.path == "/bomb":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        return None


@pytest.fixture
def server() -> Iterator[str]:
    Handler.hits = []
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "2130706433",
        "0x7f000001",
        "127.1",
        "10.0.0.8",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "224.0.0.1",
    ],
)
def test_private_addresses_are_refused_in_every_disguise(host: str) -> None:
    with build_client() as client, pytest.raises(BlockedAddress):
        client.get(f"https://{host}/")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public_address(address) is True


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.8")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answers)

    with build_client() as client, pytest.raises(BlockedAddress, match=r"mixed\.example is not a public address"):
        client.get("https://mixed.example/")


@pytest.mark.parametrize("host", [f"{'a' * 64}.example.com", f"{'a' * 300}.example"])
def test_a_name_that_is_none_is_no_connection(host: str) -> None:
    with build_client() as client, pytest.raises(httpx2.ConnectError):
        client.get(f"https://{host}/")


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connected: list[str] = []

    def resolve(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]

    def connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        connected.append(address[0])
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)

    with build_client() as client, pytest.raises(httpx2.ConnectError):
        client.get("https://rebinding.example/")

    assert asked == ["rebinding.example"]
    assert connected == ["93.184.216.34"]


@pytest.mark.parametrize("url", ["http://example.org/", "https://example.org:22/", "https://example.org:6379/"])
def test_only_https_on_allowed_ports(url: str) -> None:
    with build_client() as client, pytest.raises(BlockedAddress):
        client.get(url)


def test_private_addresses_can_be_opted_in(server: str) -> None:
    with build_client(allow_private=True) as client:
        response = send_bounded(client, client.build_request("GET", f"{server}/"))

    assert (response.status, response.content) == (200, b'{"ok": true}')


def test_redirects_are_reported_and_not_followed(server: str) -> None:
    with build_client(allow_private=True) as client:
        response = send_bounded(client, client.build_request("GET", f"{server}/redirect"))

    assert response.status == 302
    assert response.headers["location"] == "/secret"
    assert Handler.hits == ["/redirect"]


def test_a_compressed_bomb_is_cut_at_the_cap(server: str) -> None:
    with build_client(allow_private=True) as client:
        request = client.build_request("GET", f"{server}/bomb")
        with pytest.raises(ResponseTooLarge):
            send_bounded(client, request, max_bytes=10_000)


def test_proxy_variables_are_ignored(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    with build_client(allow_private=True) as client:
        assert send_bounded(client, client.build_request("GET", f"{server}/")).status == 200
