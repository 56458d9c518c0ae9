"""A vendor's webhook acknowledged: signature checked, durably stored, over HTTP, with the production server."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from apps.connectors.models import Connection, OAuthApp
from apps.connectors.services import save_oauth_app
from apps.core import clock
from apps.core.actor import Actor
from apps.dispatch.models import WorkItem
from apps.events.models import InboxEvent
from apps.tenants.models import Partner
from sandbox.hubspot.vendor import VENDOR
from tests.bench.conftest import ROOT, SCHEMA
from tests.bench.load import Load
from tests.bench.measures import Measures
from tests.factories.world import make_world
from tests.real.servers.base import free_port

pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]

HOST = "bench.localhost"
SECRET = "hook-secret-abcdef"
COUNT, PACED = 6_000, 3_000
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(committed: Partner, environment_variables: dict[str, str]) -> Iterator[int]:
    """The port of the web process, started as in production."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "tests.bench.wsgi:application",
    ]  # fmt: skip
    variables = {**environment_variables, "DJANGO_SETTINGS_MODULE": "tests.bench.settings"}
    process = subprocess.Popen(command, cwd=ROOT, env=variables)
    try:
        await_ready(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def await_ready(port: int) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/.well-known/health", headers={"Host": HOST})
    deadline, reason = time.monotonic() + 60, ""
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(request, timeout=5).close()
            return
        except OSError as error:
            reason = f"{error} {getattr(error, 'read', bytes)()[:2000]!r}"
            time.sleep(0.1)
    raise AssertionError(f"the web process did not start: {reason}")


@pytest.fixture(scope="module")
def hook(committed: Partner) -> str:
    """The address where HubSpot reports the changes of a connected portal."""
    from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole
    from apps.core.actor import ActorKind

    actor = Actor(ActorKind.USER, "owner", "Olive Owner", STAFF_PERMISSIONS[StaffRole.OWNER], scope=None)
    connection = make_world("Hooked").connections["crm"]
    Connection.objects.filter(pk=connection.pk).update(account_id="4711", vendor="hubspot")
    save_oauth_app(actor=actor, now=clock.now(), vendor="hubspot", client_id="app-1", webhook_secret=SECRET)
    return f"/hooks/{OAuthApp.objects.get(vendor='hubspot').webhook_token}/"


def deliveries(path: str, count: int) -> list[bytes]:
    return [delivery(path, next(_numbers)) for _ in range(count)]


def delivery(path: str, number: int) -> bytes:
    event = {
        "eventId": number, "subscriptionId": 1, "portalId": 4711, "appId": 1, "occurredAt": 1_790_000_000_000 + number,
        "subscriptionType": "deal.propertyChange", "attemptNumber": 0, "objectId": 400_000_000_000 + number,
        "propertyName": "dealstage", "propertyValue": "closedwon", "changeSource": "CRM_UI",
    }  # fmt: skip
    body = orjson.dumps([event])
    signed = VENDOR.webhook_headers(secret=SECRET, url=f"http://{HOST}{path}", body=body, now=clock.now())
    head = {"Host": HOST, "Content-Type": "application/json", "Content-Length": str(len(body)), **signed}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def test_acknowledging(server: int, hook: str, measures: Measures) -> None:
    for path in (hook, "/bare/"):
        Load(server, deliveries(path, 200)).run()
    before = InboxEvent.objects.exclude(source="bare").count()
    # In turns, since what else the machine does changes from second to second.
    runs: dict[str, list[float]] = {hook: [], "/bare/": []}
    for path in (hook, "/bare/") * 3:
        load = Load(server, deliveries(path, COUNT // 3))
        runs[path].append(load.run())
        assert load.failures == []
    value, limit = (sorted(runs[path])[1] for path in (hook, "/bare/"))
    assert InboxEvent.objects.exclude(source="bare").count() - before == COUNT
    assert WorkItem.objects.filter(schema=SCHEMA, kind="connectors.webhook").exists()

    paced = Load(server, deliveries(hook, PACED), pace=value / 2)
    paced.run()

    measures.rate("webhooks acknowledged", value, "requests/s", limit=limit, least=1200, share=0.6)
    measures.time("webhook acknowledgement at half that rate, p99", paced.p99_ms(), "ms", most=20)
