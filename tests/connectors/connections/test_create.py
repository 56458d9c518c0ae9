"""A connection is checked before it is stored, and refused in words that name the field."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.audit.models import AuditEvent
from apps.connectors import registry
from apps.connectors.models import Connection, ConnectionStatus, Credential
from apps.connectors.sdk.errors import TransientError
from apps.connectors.services import UnableToConnect, create_connection, open_connector
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.customers.models import Environment
from apps.dispatch.models import WorkItem
from apps.events.models import OutboxEvent
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY, Ledger

REAL_VENDORS = registry.connectors()


def test_a_checked_connection_is_active(make_connection: MakeConnection, now: datetime) -> None:
    connection = make_connection(settings={"team": "7"})

    stored = Connection.objects.get(pk=connection.pk)
    assert stored.status == ConnectionStatus.ACTIVE
    assert stored.settings == {"base_url": "https://ledger.example.com", "team": 7}
    assert (stored.account_id, stored.account_name) == ("acct-1", "Initech Books")
    assert stored.checked_at == now
    assert open_connector(stored).context.credentials == {"api_key": GOOD_KEY}


def test_creation_leaves_a_trail_an_event_and_the_next_check(make_connection: MakeConnection, now: datetime) -> None:
    connection = make_connection()

    created, changed = AuditEvent.objects.filter(target_key=connection.subject_key).order_by("id")
    assert (created.action, created.actor_label, created.after) == (
        "connection.created",
        "Olive Owner",
        {
            "vendor": "ledger",
            "name": "Books",
            "settings": {"base_url": "https://ledger.example.com", "team": ""},
            "secrets_set": ["api_key"],
        },
    )
    assert (changed.before, changed.after) == ({"status": "pending"}, {"status": "active", "reason": ""})
    event = OutboxEvent.objects.get(type="connectors.connection.status_changed")
    assert (event.subject_key, event.payload["from"], event.payload["to"]) == (
        connection.subject_key,
        "pending",
        "active",
    )
    item = WorkItem.objects.get(kind="connectors.check", key=str(connection.pk))
    assert 54 * 60 <= (item.due_at - now).total_seconds() <= 66 * 60


@pytest.mark.parametrize(
    "given, field, words",
    [
        ({"secrets": {}}, "api_key", "Enter the API key."),
        ({"settings": {"base_url": "ftp://x"}}, "base_url", "Enter a whole address that starts with https://."),
        ({"settings": {"base_url": "https://[x"}}, "base_url", "Enter a whole address that starts with https://."),
        (
            {"settings": {"base_url": "https://me:pw@x.example"}},
            "base_url",
            "Leave names, passwords and parameters out of the address.",
        ),
        ({"settings": {"team": "seven"}}, "team", "Enter a whole number as team number."),
        ({"settings": {"api_key": GOOD_KEY}}, "api_key", "Ledger has no such field: api_key."),
        ({"secrets": {"api_key": GOOD_KEY, "pin": "1"}}, "pin", "Ledger has no such field: pin."),
        ({"name": "  "}, "name", "Give the connection a name."),
        ({"vendor": "nobody"}, "vendor", "Choose one of the systems in the catalogue."),
    ],
)
def test_bad_input_is_refused_by_field(
    make_connection: MakeConnection, given: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(UnableToConnect) as caught:
        make_connection(**given)

    assert (caught.value.field, caught.value.user_message) == (field, words)
    assert Connection.objects.count() == 0
    assert Ledger.opened == 0


def test_wrong_credentials_are_refused_without_showing_them(make_connection: MakeConnection) -> None:
    with pytest.raises(UnableToConnect) as caught:
        make_connection(secrets={"api_key": "key-wrong-1234567890"})

    assert caught.value.field == "api_key"
    assert caught.value.user_message == "Ledger refused these credentials: the key [redacted] is not known."
    assert (Connection.objects.count(), Credential.objects.count()) == (0, 0)


def test_an_address_that_does_not_answer(make_connection: MakeConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "failure", TransientError("connection failed: ConnectError", code="connection"))

    with pytest.raises(UnableToConnect) as caught:
        make_connection()

    assert caught.value.field == "base_url"
    assert caught.value.user_message == (
        "Ledger could not be reached: connection failed: ConnectError. Check the address."
    )


def test_a_name_is_used_once_per_environment(make_connection: MakeConnection, other_environment: Environment) -> None:
    make_connection()
    make_connection(environment=other_environment)

    with pytest.raises(UnableToConnect) as caught:
        make_connection()

    assert (caught.value.field, Connection.objects.count()) == ("name", 2)


def test_an_oauth_connection_waits_for_its_consent(make_connection: MakeConnection) -> None:
    connection = make_connection("cloud")

    assert connection.status == ConnectionStatus.PENDING
    assert WorkItem.objects.filter(kind="connectors.check").count() == 0


def test_a_viewer_may_not(environment: Environment, now: datetime) -> None:
    viewer = Actor(ActorKind.USER, "v", "Vera", frozenset({"connections.view"}), scope=None)

    with pytest.raises(NotPermitted):
        create_connection(
            actor=viewer, now=now, environment=environment, vendor="ledger", name="B", settings={}, secrets={}
        )


def test_another_customers_environment_does_not_exist(
    environment: Environment, other_environment: Environment, now: datetime
) -> None:
    actor = Actor(
        ActorKind.API_KEY, "k", "Key", frozenset({"connections.manage"}), frozenset({other_environment.customer_id})
    )

    with pytest.raises(NotVisible):
        create_connection(
            actor=actor, now=now, environment=environment, vendor="ledger", name="B", settings={}, secrets={}
        )
    assert Connection.objects.count() == 0


@pytest.mark.parametrize(
    "address, words",
    [
        ("https://127.0.0.1", "127.0.0.1 is not a public address"),
        ("https://localhost:8443", "localhost is not a public address"),
        ("https://169.254.169.254", "169.254.169.254 is not a public address"),
        ("https://127.0.0.1:5432", "port 5432 of 127.0.0.1 is not allowed"),
    ],
)
def test_private_addresses_are_never_called(
    make_connection: MakeConnection, settings: Any, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setattr(registry, "connectors", lambda: REAL_VENDORS)
    settings.OUTBOUND_ALLOW_PRIVATE = False

    with pytest.raises(UnableToConnect) as caught:
        make_connection("redmine", settings={"base_url": address}, secrets={"api_key": GOOD_KEY})

    assert caught.value.field == "base_url"
    assert caught.value.user_message == f"Redmine could not be reached: {words}. Check the address."
    with pytest.raises(UnableToConnect) as plain:
        make_connection("redmine", settings={"base_url": "http://93.184.216.34"}, secrets={"api_key": GOOD_KEY})
    assert plain.value.user_message == "Enter a whole address that starts with https://."
