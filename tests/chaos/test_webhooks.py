"""A worker is killed while the receiver holds its message: the next one sends the same message, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from apps.core import clock
from apps.core.actor import Actor
from apps.events.relaying import relay_outbox
from apps.notifications.models import WebhookDelivery
from apps.notifications.services import create_endpoint, remove_endpoint
from tests.chaos.story import SCHEMA
from tests.chaos.workers import KILLED, Workers
from tests.notifications.conftest import happen

pytestmark = [pytest.mark.chaos, pytest.mark.django_db, pytest.mark.enable_socket]
# Longer than the lease of the dead worker's work.
LATER = timedelta(minutes=11)


@contextmanager
def receiving(workers: Workers, deaths: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Somebody's server; while it holds one of the first messages, their sender is killed."""
    heard: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.headers["webhook-id"], body))
            if len(heard) <= deaths:
                os.kill(workers.pid, signal.SIGKILL)
                return
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/in", heard
    finally:
        server.shutdown()
        server.server_close()


def test_killed_while_the_receiver_holds_the_message(workers: Workers, owner_actor: Actor) -> None:
    # What commits here is relayed at once, by the real clock.
    now = clock.now() + timedelta(minutes=1)
    while relay_outbox(now=now):
        continue
    with receiving(workers, deaths=2) as (url, heard):
        endpoint, _ = create_endpoint(actor=owner_actor, now=now, url=url, events=["billing.invoice.paid"])
        ids = [happen(now, number=str(number)) for number in range(3)]

        codes = [workers.work(SCHEMA, now + LATER * round_) for round_ in range(4)]

        assert codes == [KILLED, KILLED, 0, 0]
        bodies: dict[str, set[bytes]] = {}
        for message_id, body in heard:
            bodies.setdefault(message_id, set()).add(body)
        assert sorted(bodies) == sorted(ids)
        assert {len(found) for found in bodies.values()} == {1}
        assert len(heard) == len(ids) + 2
        assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered"}
        remove_endpoint(actor=owner_actor, now=now, endpoint=endpoint)
