from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from apps.connectors import registry
from apps.connectors.models import Connection
from apps.connectors.services import create_connection
from apps.core.actor import Actor
from apps.customers.models import Customer, Environment, EnvironmentKind
from tests.connectors.connections.fakes import FAKES, GOOD_KEY, Cloud, Ledger

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
