"""Outbound HTTP with the guards every call to somebody else's address needs.

The address is checked at the moment of connecting, and it is the checked address that is connected to, so a name that
resolves differently a second later (DNS rebinding) gains nothing. Redirects are never followed: a caller that wants to
follow one sends a new request, which is guarded like any other.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import httpcore2
import httpx2
import msgspec

ALLOWED_PORTS = frozenset({443, 8443})
MAX_RESPONSE_BYTES = 32 * 1024 * 1024
NAT64 = ipaddress.ip_network("64:ff9b::/96")
USER_AGENT = "integration-platform/1.0"

# They would log whole addresses, which hold keys with some vendors; callers note each call themselves, redacted.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class BlockedAddress(Exception):
    """The address is private, reserved, not https or on a port we do not speak to."""


class ResponseTooLarge(Exception):
    """The other side sent more than we are willing to hold in memory."""


class BoundedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A response read to its end, within the size cap. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def is_public_address(text: str) -> bool:
    """Whether an IP address is one on the public internet (looking through IPv4-in-IPv6 disguises)."""
    address = _unwrap(ipaddress.ip_address(text.split("%")[0]))
    return address.is_global and not address.is_multicast


def _unwrap(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


class GuardedBackend(httpcore2.SyncBackend):
    """Resolves the name itself, refuses every private address, and connects to exactly what it checked."""

    def __init__(self, *, allow_private: bool) -> None:
        self.allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._resolve(host, port)
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return super().connect_tcp(
                    address, port, timeout=timeout, local_address=local_address, socket_options=socket_options
                )
            except httpcore2.ConnectError as error:
                failure = error
        raise failure

    def _resolve(self, host: str, port: int) -> list[str]:
        try:
            return resolve_guarded(host, port, allow_private=self.allow_private)
        except OSError as error:
            raise httpcore2.ConnectError(f"cannot resolve {host}") from error


def resolve_guarded(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses to connect to, all of them public. Raises BlockedAddress, and OSError for a name without any."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label of more than 63 letters, or an empty one
        raise OSError(f"{host} is no name of a host") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    # One private answer among public ones condemns the name: only an attacker mixes them.
    if not allow_private and not all(is_public_address(address) for address in addresses):
        raise BlockedAddress(f"{host} is not a public address")
    return addresses


def connect_guarded(
    host: str, port: int, *, allow_private: bool, allowed_hosts: tuple[str, ...] = (), timeout: float
) -> socket.socket:
    """A TCP connection for what is not HTTP, to exactly the address that was checked.

    Raises BlockedAddress; OSError when nobody answers.
    """
    if allowed_hosts and not is_listed(host, allowed_hosts):
        raise BlockedAddress(f"{host} is not among the addresses that may be used")
    failure = OSError(f"{host} has no address")
    for address in resolve_guarded(host, port, allow_private=allow_private):
        try:
            return socket.create_connection((address, port), timeout=timeout)
        except OSError as error:
            failure = error
    raise failure


class GuardedTransport(httpx2.HTTPTransport):
    """Checks host, scheme and port of every request, and hands connecting to the guarded backend."""

    def __init__(self, *, allow_private: bool, allowed_hosts: tuple[str, ...] = ()) -> None:
        super().__init__(verify=_ssl_context(), retries=0)
        self.allow_private = allow_private
        self.allowed_hosts = allowed_hosts
        # httpx2 has no public way to pass a network backend; the version is pinned and a test proves the guard holds.
        self._pool._network_backend = GuardedBackend(allow_private=allow_private)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self.allow_private:
            check_url(request.url)
        if self.allowed_hosts and not is_listed(request.url.host, self.allowed_hosts):
            raise BlockedAddress(f"{request.url.host} is not among the addresses that may be used")
        return super().handle_request(request)


def check_url(url: httpx2.URL | str) -> None:
    """Raises BlockedAddress unless `url` is https on an allowed port."""
    parsed = httpx2.URL(url)
    if parsed.scheme != "https":
        raise BlockedAddress(f"{parsed.host} must be reached over https")
    if (parsed.port or 443) not in ALLOWED_PORTS:
        raise BlockedAddress(f"port {parsed.port} of {parsed.host} is not allowed")


def is_listed(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is named, or lies below a domain named as `*.example.com`."""
    name = host.lower().rstrip(".")
    return any(name == p or (p.startswith("*.") and name.endswith(p[1:]) and name != p[2:]) for p in patterns)


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    # Loading the trust store costs some 20 ms: once per process, not once per client.
    return httpx2.create_ssl_context(trust_env=False)


def build_client(
    *,
    allow_private: bool = False,
    allowed_hosts: tuple[str, ...] = (),
    timeout: float = 30.0,
    connect_timeout: float = 10.0,
) -> httpx2.Client:
    """A keep-alive client that ignores proxy variables, follows no redirect and reaches public addresses only.

    With `allowed_hosts` (names, or `*.example.com`) it reaches nothing else.
    """
    return httpx2.Client(
        transport=GuardedTransport(allow_private=allow_private, allowed_hosts=allowed_hosts),
        timeout=httpx2.Timeout(timeout, connect=connect_timeout),
        follow_redirects=False,
        trust_env=False,
        headers={"user-agent": USER_AGENT},
    )


def send_bounded(
    client: httpx2.Client, request: httpx2.Request, *, max_bytes: int = MAX_RESPONSE_BYTES
) -> BoundedResponse:
    """Send and read the whole answer. Raises ResponseTooLarge as soon as the decoded body passes `max_bytes`."""
    response = client.send(request, stream=True)
    try:
        content = _read_capped(response, max_bytes)
    finally:
        response.close()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return BoundedResponse(status=response.status_code, headers=headers, content=content)


def _read_capped(response: httpx2.Response, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise ResponseTooLarge(f"response exceeds {max_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
