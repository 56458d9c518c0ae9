"""Failures move a connection through its states; every move is told once."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from apps.accounts.models import StaffMembership, User
from apps.audit.models import AuditEvent
from apps.connectors.models import Connection, ConnectionStatus, Credential
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, RateLimited, RecordRejected, TransientError
from apps.connectors.selectors import get_connection, list_connections
from apps.connectors.services import (
    ConnectionUnusable,
    UnableToConnect,
    archive_connection,
    check_connection,
    complete_connection,
    note_connection_failure,
    note_connection_success,
    open_connector,
    pause_connection,
    resume_connection,
    run_scheduled_check,
    update_connection,
)
from apps.connectors.services.credentials import open_secrets
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.customers.models import Environment
from apps.customers.services import add_member, archive_customer
from apps.dispatch.models import WorkItem
from apps.dispatch.services import claim_due
from apps.events.models import OutboxEvent
from apps.events.relaying import relay_outbox
from apps.notifications.models import OutgoingMail
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY, Ledger

BROKEN = TransientError("connection failed: ReadError", code="connection")
REVOKED = ConfigurationError("the key was revoked", status=401)


def moves() -> list[tuple[str, str]]:
    events = OutboxEvent.objects.filter(type="connectors.connection.status_changed").order_by("id")
    return [(event.payload["from"], event.payload["to"]) for event in events]


def test_three_transient_failures_degrade_and_a_success_heals(make_connection: MakeConnection, now: datetime) -> None:
    connection = make_connection()
    for _ in range(2):
        note_connection_failure(connection, BROKEN, now)
    assert connection.status == ConnectionStatus.ACTIVE

    note_connection_failure(connection, BROKEN, now)
    stored = Connection.objects.get()
    assert (stored.status, stored.status_reason) == (ConnectionStatus.DEGRADED, "connection failed: ReadError")

    note_connection_success(connection, now)
    stored = Connection.objects.get()
    assert (stored.status, stored.status_reason, stored.failure_count) == (ConnectionStatus.ACTIVE, "", 0)
    assert moves() == [("pending", "active"), ("active", "degraded"), ("degraded", "active")]


def test_a_success_in_between_starts_the_count_again(make_connection: MakeConnection, now: datetime) -> None:
    connection = make_connection()
    for _ in range(2):
        note_connection_failure(connection, BROKEN, now)
    note_connection_success(connection, now)
    note_connection_failure(connection, BROKEN, now)

    assert Connection.objects.get().status == ConnectionStatus.ACTIVE


def test_a_configuration_error_is_told_once_per_episode(make_connection: MakeConnection, now: datetime) -> None:
    connection = make_connection()
    for _ in range(3):
        note_connection_failure(connection, REVOKED, now)

    assert Connection.objects.get().status == ConnectionStatus.NEEDS_REAUTHORIZATION
    assert moves() == [("pending", "active"), ("active", "needs_reauthorization")]
    assert AuditEvent.objects.filter(action="connection.status_changed").count() == 2


@pytest.mark.parametrize(
    "error", [RateLimited("wait", retry_after=5), RecordRejected("name is missing"), ConnectorError("odd")]
)
def test_what_says_nothing_about_the_connection_changes_nothing(
    make_connection: MakeConnection, now: datetime, error: ConnectorError
) -> None:
    connection = make_connection()
    for _ in range(4):
        note_connection_failure(connection, error, now)

    stored = Connection.objects.get()
    assert (stored.status, stored.failure_count) == (ConnectionStatus.ACTIVE, 0)


def test_a_paused_connection_is_left_alone(make_connection: MakeConnection, owner_actor: Actor, now: datetime) -> None:
    connection = pause_connection(actor=owner_actor, now=now, connection=make_connection())
    note_connection_failure(connection, REVOKED, now)

    assert Connection.objects.get().status == ConnectionStatus.PAUSED
    with pytest.raises(ConnectionUnusable) as caught:
        open_connector(connection)
    assert caught.value.message == "The connection Books is not in use: Paused by Olive Owner."


def test_resuming_checks_what_is_true_now(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = pause_connection(actor=owner_actor, now=now, connection=make_connection())
    monkeypatch.setattr(Ledger, "failure", REVOKED)

    assert resume_connection(actor=owner_actor, now=now, connection=connection).status == (
        ConnectionStatus.NEEDS_REAUTHORIZATION
    )
    with pytest.raises(UnableToConnect):
        resume_connection(actor=owner_actor, now=now, connection=connection)


def test_the_check_finds_the_revoked_key_and_later_the_new_one(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = make_connection()
    monkeypatch.setattr(Ledger, "failure", REVOKED)
    assert check_connection(actor=owner_actor, now=now, connection=connection).status_reason == "the key was revoked"

    monkeypatch.setattr(Ledger, "failure", None)
    later = now + timedelta(hours=1)
    assert check_connection(actor=owner_actor, now=later, connection=connection).status == ConnectionStatus.ACTIVE
    assert Connection.objects.get().checked_at == later


def test_the_scheduled_check_plans_the_next_one(make_connection: MakeConnection, now: datetime) -> None:
    connection = make_connection()
    later = now + timedelta(hours=2)
    due = [item.key for item in claim_due(now=later) if item.kind == "connectors.check"]
    assert due == [str(connection.pk)]

    run_scheduled_check(connection_id=connection.pk, now=later)

    item = WorkItem.objects.get(kind="connectors.check")
    assert item.lease_until is None
    assert timedelta(minutes=54) <= item.due_at - later <= timedelta(minutes=66)
    assert Connection.objects.get().checked_at == later


def test_a_degraded_connection_is_checked_sooner(
    make_connection: MakeConnection, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = make_connection()
    monkeypatch.setattr(Ledger, "failure", BROKEN)
    for _ in range(3):
        run_scheduled_check(connection_id=connection.pk, now=now)

    assert Connection.objects.get().status == ConnectionStatus.DEGRADED
    assert WorkItem.objects.get(kind="connectors.check").due_at - now <= timedelta(minutes=6)


def test_checks_end_with_the_connection(make_connection: MakeConnection, owner_actor: Actor, now: datetime) -> None:
    connection = make_connection()
    pause_connection(actor=owner_actor, now=now, connection=connection)
    run_scheduled_check(connection_id=connection.pk, now=now)
    run_scheduled_check(connection_id=uuid4(), now=now)

    assert WorkItem.objects.filter(kind="connectors.check").count() == 0
    assert Ledger.opened == 1


def test_archiving_deletes_the_secrets_and_frees_the_name(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime
) -> None:
    archive_connection(actor=owner_actor, now=now, connection=make_connection())

    assert Credential.objects.count() == 0
    assert list(list_connections(owner_actor)) == []
    assert make_connection().status == ConnectionStatus.ACTIVE


def test_an_update_checks_first_and_keeps_secrets_left_empty(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime
) -> None:
    connection = make_connection()
    changed = update_connection(
        actor=owner_actor, now=now, connection=connection, name="Main books", settings={"team": "9"}, secrets={}
    )
    with pytest.raises(UnableToConnect) as caught:
        update_connection(
            actor=owner_actor,
            now=now,
            connection=changed,
            name="X",
            settings={},
            secrets={"api_key": "key-wrong-000000"},
        )

    assert caught.value.field == "api_key"
    stored = Connection.objects.get()
    assert (stored.name, stored.settings["team"], open_secrets(stored)) == ("Main books", 9, {"api_key": GOOD_KEY})


def test_stored_secrets_are_never_sent_to_a_new_address(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime
) -> None:
    connection = make_connection()
    with pytest.raises(UnableToConnect) as caught:
        update_connection(
            actor=owner_actor, now=now, connection=connection, name="Books",
            settings={"base_url": "https://elsewhere.example.com"}, secrets={},
        )  # fmt: skip

    assert (caught.value.field, caught.value.user_message) == ("api_key", "Enter the API key.")
    assert Ledger.opened == 1
    assert Connection.objects.get().settings["base_url"] == "https://ledger.example.com"


def test_the_customers_administrator_may_renew_secrets_but_change_nothing_else(
    make_connection: MakeConnection, now: datetime
) -> None:
    connection = make_connection()
    administrator = Actor(
        ActorKind.USER, "a", "Ada", frozenset({"connections.authorize"}), frozenset({connection.customer_id})
    )
    note_connection_failure(connection, REVOKED, now)

    renewed = complete_connection(actor=administrator, now=now, connection=connection, secrets={"api_key": GOOD_KEY})

    assert renewed.status == ConnectionStatus.ACTIVE
    assert Credential.objects.get().version == 2
    with pytest.raises(NotPermitted):
        update_connection(actor=administrator, now=now, connection=connection, name="Mine", settings={}, secrets={})


def test_a_strangers_connection_does_not_exist(
    make_connection: MakeConnection, other_environment: Environment, now: datetime
) -> None:
    connection = make_connection()
    stranger = Actor(
        ActorKind.API_KEY,
        "k",
        "Key",
        frozenset({"connections.view", "connections.manage"}),
        frozenset({other_environment.customer_id}),
    )

    assert list(list_connections(stranger)) == []
    with pytest.raises(NotVisible):
        get_connection(stranger, connection.pk)
    for service in (pause_connection, archive_connection, check_connection):
        with pytest.raises(NotVisible):
            service(actor=stranger, now=now, connection=connection)
    assert Connection.objects.get().status == ConnectionStatus.ACTIVE


def test_people_are_asked_once_per_episode(make_connection: MakeConnection, owner_actor: Actor, now: datetime) -> None:
    connection = make_connection()
    owner, admin, viewer = (
        User.objects.create_user(f"{name}@x.example", created_at=now) for name in ("owner", "admin", "viewer")
    )
    StaffMembership.objects.create(user=owner, role="owner", created_at=now)
    for user, role in ((admin, "admin"), (viewer, "viewer")):
        add_member(actor=owner_actor, now=now, customer=connection.customer, user=user, role=role)

    for _ in range(3):
        note_connection_failure(connection, REVOKED, now)

    mails = OutgoingMail.objects.filter(kind="connectors.needs_reauthorization").order_by("recipient")
    assert [mail.recipient for mail in mails] == ["admin@x.example", "owner@x.example"]
    assert mails[0].subject == "Ledger needs your permission again"
    assert f"http://acme.localhost/connections/{connection.pk}/" in mails[0].text
    assert f"http://acme.localhost/manage/connections/{connection.pk}/" in mails[1].text

    check_connection(actor=owner_actor, now=now, connection=connection)
    note_connection_failure(connection, REVOKED, now)
    assert OutgoingMail.objects.filter(kind="connectors.needs_reauthorization").count() == 4


def test_an_archived_customers_connections_stop(
    make_connection: MakeConnection, other_environment: Environment, owner_actor: Actor, now: datetime
) -> None:
    connection = make_connection()
    untouched = make_connection(environment=other_environment)
    archive_customer(actor=owner_actor, now=now, customer=connection.customer)

    for _ in range(2):
        relay_outbox(now=now)

    stored = Connection.objects.get(pk=connection.pk)
    assert (stored.status, stored.status_reason) == (ConnectionStatus.PAUSED, "The customer is archived.")
    assert Connection.objects.get(pk=untouched.pk).status == ConnectionStatus.ACTIVE
    assert AuditEvent.objects.filter(target_key=connection.subject_key, action="connection.status_changed").count() == 2
