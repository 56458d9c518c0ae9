from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2
import pytest

from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.events.relaying import relay_outbox
from apps.events.services import record_event
from apps.notifications.models import WebhookEndpoint
from apps.notifications.services import create_endpoint, work_endpoint

Answer = Callable[[httpx2.Request], httpx2.Response]
URL = "https://hooks.example.com/in"


@dataclass
class Receiver:
    """Somebody's server at the other end of the wire. `answers` are given one after the other, then 200 for ever."""

    answers: list[int | Answer] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else 200
        given = httpx2.Response(answer, text="thanks") if isinstance(answer, int) else answer(request)
        return httpx2.Response(given.status_code, headers=given.headers, stream=httpx2.ByteStream(given.content))

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    found = Receiver()

    def build(**_: Any) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(found.handle))

    monkeypatch.setattr("apps.notifications.posting.build_client", build)
    return found


@pytest.fixture
def endpoint(partner: object, owner_actor: Actor, now: datetime) -> WebhookEndpoint:
    made, _ = create_endpoint(actor=owner_actor, now=now, url=URL, contact_email="ops@acme.example")
    return made


def happen(now: datetime, *, number: str = "ACME-1", subject_key: str = "customer:" + str(1).zfill(32)) -> str:
    """An invoice is paid, and endpoints are told of it; returns the message's id."""
    payload = {"invoice_id": "0" * 32, "number": number}
    event = record_event(name="billing.invoice.paid", subject_key=subject_key, payload=payload, now=now)
    relay_outbox(now=now)
    return f"evt_{event.pk.hex}"


def work(endpoint: WebhookEndpoint, at: datetime) -> int:
    with moved_clock(at):
        return work_endpoint(endpoint_id=endpoint.pk, now=at)
