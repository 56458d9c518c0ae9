"""From a vendor's webhook to the other system: web process, dispatcher and workers as in production."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from apps.connectors.models import Connection
from apps.connectors.sdk.webhooks import hmac_sha256_hex
from apps.connectors.services import update_connection
from apps.connectors.services.deliveries import WEBHOOK_KIND
from apps.core import clock
from apps.core.actor import Actor
from apps.dispatch.models import WorkItem
from apps.events.models import InboxEvent
from apps.flows.models import Flow
from apps.sync.models import RecordLog
from tests.bench.conftest import ROOT, SCHEMA
from tests.bench.measures import Measures, percentile
from tests.bench.processes import running_platform
from tests.bench.test_bulk import flow, run_once
from tests.bench.test_dead_letters import taken, tell
from tests.bench.test_webhooks import HOST, SECRET, server

__all__ = ["flow", "server"]
pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]
SINGLE, MANY, PACED, CLIENTS = 40, 1_000, 300, 8
PATIENCE = 120
LEAST = 300


@pytest.fixture
def source() -> str:
    return "feed"


@pytest.fixture(scope="module")
def vendor_url(start_vendor: Callable[[int], str]) -> str:
    return start_vendor(1)


@pytest.fixture
def hook(flow: Flow, owner_actor: Actor) -> str:
    connection = Connection.objects.get(vendor="feed")
    update_connection(
        actor=owner_actor, now=clock.now(), connection=connection, name=connection.name, settings=connection.settings,
        secrets={"webhook_secret": SECRET},
    )  # fmt: skip
    run_once(flow, owner_actor)
    return f"/hooks/{connection.webhook_token}/"


@pytest.fixture
def platform(hook: str, environment_variables: dict[str, str]) -> Iterator[None]:
    # Thousands of deliveries that another measure had stored would be handled first.
    InboxEvent.objects.filter(handled_at=None).delete()
    WorkItem.objects.filter(schema=SCHEMA, kind=WEBHOOK_KIND).delete()
    with running_platform(environment_variables, str(ROOT)):
        yield


def deliver(port: int, path: str, number: int) -> float:
    """One change at the vendor, and its notice; returns when the notice was sent."""
    body = str(number).encode()
    head = f"Host: {HOST}\r\nContent-Length: {len(body)}\r\nX-Signature: {hmac_sha256_hex(SECRET, body)}\r\n"
    with socket.create_connection(("127.0.0.1", port)) as link:
        sent_at = time.time()
        link.sendall(f"POST {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode() + body)
        assert link.recv(4096).startswith(b"HTTP/1.1 200")
    return sent_at


def await_arrivals(vendor_url: str, names: set[str]) -> dict[str, list[float]]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = taken(vendor_url)
        if names <= found.keys():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{len(names - found.keys())} records did not arrive")


def await_log(flow: Flow, count: int) -> int:
    """The last confirmation commits a moment after the record arrived."""
    deadline = time.monotonic() + PATIENCE
    while (found := RecordLog.objects.filter(flow_id=flow.pk).count()) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def name_of(number: int) -> str:
    return f"Company {number} v1"


def test_from_webhook_to_target(
    platform: None, server: int, hook: str, flow: Flow, vendor_url: str, measures: Measures
) -> None:
    tell(vendor_url, "/grow?count=1")
    deliver(server, hook, 2)
    await_arrivals(vendor_url, {name_of(2)})  # everything is imported and connected from here on

    latencies = [one_by_one(server, hook, vendor_url, number) for number in range(3, 3 + SINGLE)]
    rate = all_at_once(server, hook, vendor_url, first=3 + SINGLE)
    paced = evenly(server, hook, vendor_url, first=3 + SINGLE + MANY, pace=rate / 2)
    steady = evenly(server, hook, vendor_url, first=3 + SINGLE + MANY + PACED, pace=LEAST / 2)

    total = 2 + SINGLE + MANY + 2 * PACED
    found = taken(vendor_url)
    assert {name: count for name, (count, _) in found.items()} == {name_of(n): 1 for n in range(1, total + 1)}
    assert await_log(flow, 2 * total) == 2 * total
    measures.time("webhook to target written, p95", 1000 * percentile(latencies, 0.95), "ms", most=150)
    measures.time("webhook to target written, median", 1000 * percentile(latencies, 0.5), "ms", most=150)
    limit = bare_rate(server, vendor_url)
    measures.rate("events carried through, fully logged", rate, "events/s", limit=limit, least=LEAST)
    measures.time("notice to arrival at half that rate, p95", 1000 * percentile(paced, 0.95), "ms", most=100)
    measures.time("notice to arrival at 150 a second, p95", 1000 * percentile(steady, 0.95), "ms", most=100)


def one_by_one(port: int, path: str, vendor_url: str, number: int) -> float:
    tell(vendor_url, "/grow?count=1")
    sent_at = deliver(port, path, number)
    arrived_at = await_arrivals(vendor_url, {name_of(number)})[name_of(number)][1]
    return arrived_at - sent_at


def all_at_once(port: int, path: str, vendor_url: str, *, first: int) -> float:
    """Events per second from the first notice to the last record's arrival."""
    started = time.time()

    def share(offset: int) -> None:
        for number in range(first + offset, first + MANY, CLIENTS):
            tell(vendor_url, "/grow?count=1")
            deliver(port, path, number)

    in_threads(share)
    found = await_arrivals(vendor_url, {name_of(number) for number in range(first, first + MANY)})
    return MANY / (max(at for _, at in found.values()) - started)


def evenly(port: int, path: str, vendor_url: str, *, first: int, pace: float) -> list[float]:
    """Seconds from each notice to its record's arrival, with so many notices a second."""
    started, sent = time.time(), dict[int, float]()

    def share(offset: int) -> None:
        for number in range(first + offset, first + PACED, CLIENTS):
            time.sleep(max(0.0, started + (number - first) / pace - time.time()))
            tell(vendor_url, "/grow?count=1")
            sent[number] = deliver(port, path, number)

    in_threads(share)
    found = await_arrivals(vendor_url, {name_of(number) for number in sent})
    return [found[name_of(number)][1] - at for number, at in sent.items()]


def in_threads(share: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=share, args=(offset,)) for offset in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bare_rate(port: int, vendor_url: str) -> float:
    """The same changes and notices, but the notices go to the bare view and nothing follows."""
    started = time.perf_counter()

    def share(offset: int) -> None:
        for number in range(offset, MANY, CLIENTS):
            tell(vendor_url, "/grow?count=1")
            deliver(port, "/bare/", number)

    in_threads(share)
    return MANY / (time.perf_counter() - started)
