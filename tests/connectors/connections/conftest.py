from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from apps.connectors import registry
from apps.connectors.models import Connection
from apps.connectors.services import create_connection, save_oauth_app
from apps.core.actor import Actor
from apps.customers.models import Customer, Environment, EnvironmentKind
from tests.connectors.connections.fakes import FAKES, GOOD_KEY, Cloud, Ledger
from tests.connectors.connections.token_server import TokenServer, running_token_server

MakeConnection = Callable[..., Connection]


@pytest.fixture(autouse=True)
def vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "connectors", lambda: FAKES)
    monkeypatch.setattr(Ledger, "failure", None)
    monkeypatch.setattr(Ledger, "opened", 0)
    monkeypatch.setattr(Cloud, "seen_tokens", [])


def make_environment(name: str, now: datetime) -> Environment:
    customer = Customer.objects.create(name=name, slug=name.lower(), created_at=now)
    return Environment.objects.create(customer=customer, kind=EnvironmentKind.PRODUCTION)


@pytest.fixture
def environment(partner: object, now: datetime) -> Environment:
    return make_environment("Initech", now)


@pytest.fixture
def other_environment(partner: object, now: datetime) -> Environment:
    return make_environment("Hooli", now)


@pytest.fixture
def make_connection(environment: Environment, owner_actor: Actor, now: datetime) -> MakeConnection:
    def make(vendor: str = "ledger", name: str = "Books", **given: object) -> Connection:
        values = {"environment": environment, "settings": {}, "secrets": {"api_key": GOOD_KEY}, **given}
        if vendor == "cloud":
            values["secrets"] = given.get("secrets", {})
        return create_connection(actor=owner_actor, now=now, vendor=vendor, name=name, **values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def token_server() -> Iterator[TokenServer]:
    with running_token_server() as server:
        yield server


@pytest.fixture
def consent(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime, token_server: TokenServer
) -> Connection:
    """A Cloud connection that waits for its consent, with the partner's app in place."""
    save_oauth_app(
        actor=owner_actor, now=now, vendor="cloud", client_id="our-app", client_secret="app-secret-123456",
        webhook_secret="hook-secret-123456",
    )  # fmt: skip
    return make_connection("cloud", settings={"base_url": token_server.url})
