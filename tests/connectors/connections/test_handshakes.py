"""A vendor that chooses the secret of a hook says it once, hears it back, and signs with it from then on."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest
from django.http import HttpResponse
from django.test import Client

from apps.audit.models import AuditEvent
from apps.connectors.models import Connection
from apps.connectors.sdk.connector import Handshake
from apps.connectors.sdk.webhooks import hmac_sha256_hex
from apps.connectors.services import archive_connection
from apps.connectors.services.credentials import open_secrets
from apps.core.actor import Actor
from apps.core.planes import public_plane
from apps.tenants.models import Partner
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY, Ledger

ACTION = "connectors.connection.hook_agreed"


@pytest.fixture(autouse=True)
def chooses_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def handshake(cls: type[Ledger], headers: dict[str, str]) -> Handshake | None:
        secret = headers.get("x-hook-secret")
        return Handshake(secret=secret, answer={"X-Hook-Secret": secret}) if secret is not None else None

    monkeypatch.setattr(Ledger, "webhook_handshake", classmethod(handshake))


@pytest.fixture
def connection(make_connection: MakeConnection) -> Connection:
    return make_connection()


def call(client: Client, token: str, *, body: bytes = b"", **headers: str) -> HttpResponse:
    with public_plane():
        return client.post(f"/hooks/{token}/", body, content_type="application/json", headers=headers)


def secrets_of(connection: Connection) -> str:
    return open_secrets(connection).get("webhook_secret", "")


def test_the_secret_is_stored_and_said_back(client: Client, partner: Partner, connection: Connection) -> None:
    answer = call(client, connection.webhook_token, **{"x-hook-secret": "chosen-1"})

    assert (answer.status_code, answer.headers["X-Hook-Secret"]) == (200, "chosen-1")
    assert secrets_of(connection) == "chosen-1"
    assert open_secrets(connection)["api_key"] == GOOD_KEY
    (event,) = AuditEvent.objects.filter(action=ACTION)
    assert (event.target_key, event.after) == (connection.subject_key, {"hooks": 1})
    assert "chosen-1" not in str(event.after)


def test_what_is_signed_with_it_is_believed(client: Client, partner: Partner, connection: Connection) -> None:
    body = orjson.dumps({"events": [{"id": "e-1", "stream": "accounts", "object": "7"}]})
    signature = {"x-signature": hmac_sha256_hex("chosen-1", body)}

    before = call(client, connection.webhook_token, body=body, **signature)
    call(client, connection.webhook_token, **{"x-hook-secret": "chosen-1"})
    after = call(client, connection.webhook_token, body=body, **signature)

    assert (before.status_code, after.status_code) == (401, 200)


def test_several_hooks_have_several_secrets_each_once(client: Client, partner: Partner, connection: Connection) -> None:
    for secret in ("chosen-1", "chosen-2", "chosen-1"):
        assert call(client, connection.webhook_token, **{"x-hook-secret": secret}).status_code == 200

    assert secrets_of(connection) == "chosen-1\nchosen-2"
    assert AuditEvent.objects.filter(action=ACTION).count() == 2


@pytest.mark.parametrize("secret", ["", "two words", "x" * 201])
def test_what_cannot_be_a_secret_is_refused(
    client: Client, partner: Partner, connection: Connection, secret: str
) -> None:
    assert call(client, connection.webhook_token, **{"x-hook-secret": secret}).status_code == 401
    assert secrets_of(connection) == ""


def test_there_is_an_end_to_it(
    client: Client, partner: Partner, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.connectors.services.handshakes.MOST_SECRETS", 1)
    call(client, connection.webhook_token, **{"x-hook-secret": "chosen-1"})

    assert call(client, connection.webhook_token, **{"x-hook-secret": "chosen-2"}).status_code == 401
    assert secrets_of(connection) == "chosen-1"


def test_an_unknown_address_and_an_archived_connection_agree_on_nothing(
    client: Client, partner: Partner, connection: Connection, owner_actor: Actor, now: datetime
) -> None:
    archive_connection(actor=owner_actor, now=now, connection=connection)

    for token in ("no-such-address", connection.webhook_token):
        assert call(client, token, **{"x-hook-secret": "chosen-1"}).status_code == 404
    assert secrets_of(connection) == ""
