"""Connections whose own client proves itself: no consent, no refresh token, a new token whenever one ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk, jwt

from apps.connectors.models import Connection, ConnectionStatus, Credential
from apps.connectors.services import (
    UnableToAuthorize,
    UnableToConnect,
    begin_authorization,
    open_connector,
    update_connection,
)
from apps.connectors.services.credentials import open_secrets
from apps.core.actor import Actor
from apps.core.clock import moved_clock
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import Cloud
from tests.connectors.connections.token_server import TokenServer


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def machine_settings(server: TokenServer, **given: Any) -> dict[str, Any]:
    return {"base_url": server.url, "access": "machine", "client_id": "cust-app", "key_id": "cert-7", **given}


@pytest.fixture
def machine(make_connection: MakeConnection, token_server: TokenServer, private_key: str) -> Connection:
    return make_connection("cloud", settings=machine_settings(token_server), secrets={"private_key": private_key})


def test_a_client_of_its_own_connects_without_a_consent(
    machine: Connection, token_server: TokenServer, private_key: str, now: datetime
) -> None:
    (form,) = token_server.requests
    token = jwt.decode(form["client_assertion"], jwk.import_key(private_key, "RSA"), algorithms=["PS256"])

    assert (form["grant_type"], form["scope"]) == ("client_credentials", "read")
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert token.header == {"alg": "PS256", "typ": "JWT", "kid": "cert-7"}
    assert (token.claims["iss"], token.claims["sub"]) == ("cust-app", "cust-app")
    assert token.claims["aud"] == f"{token_server.url}/audience"
    assert token.claims["exp"] - token.claims["iat"] == 180
    assert "client_secret" not in form
    assert (machine.status, machine.account_id) == (ConnectionStatus.ACTIVE, "org-1")
    assert open_secrets(machine)["access_token"] == "access-1"
    assert Credential.objects.get().expires_at == now + timedelta(minutes=30)
    assert Cloud.seen_tokens == ["access-1"]


def test_a_token_that_ends_is_fetched_again(machine: Connection, token_server: TokenServer, now: datetime) -> None:
    with moved_clock(now + timedelta(minutes=29)):
        token = open_connector(machine).context.credentials["access_token"]

    assert token == "access-2"
    assert [form["grant_type"] for form in token_server.requests] == ["client_credentials"] * 2


def test_a_key_that_cannot_be_read_is_refused_without_being_quoted(
    make_connection: MakeConnection, token_server: TokenServer
) -> None:
    with pytest.raises(UnableToConnect) as refused:
        make_connection(
            "cloud", settings=machine_settings(token_server), secrets={"private_key": "-----BEGIN nonsense-5f3a"}
        )

    assert refused.value.field == "private_key"
    assert "Paste the whole PEM text" in refused.value.user_message
    assert "5f3a" not in refused.value.user_message
    assert token_server.requests == []


def test_its_inputs_are_demanded_only_when_chosen(make_connection: MakeConnection, token_server: TokenServer) -> None:
    with pytest.raises(UnableToConnect) as refused:
        make_connection("cloud", settings=machine_settings(token_server, client_id=""), secrets={"private_key": "x"})
    by_consent = make_connection("cloud", settings={"base_url": token_server.url})

    assert (refused.value.field, refused.value.user_message) == ("client_id", "Enter the client id.")
    assert (by_consent.status, by_consent.settings) == (ConnectionStatus.PENDING, {"base_url": token_server.url})


def test_no_consent_is_asked_for(machine: Connection, owner_actor: Actor, now: datetime) -> None:
    with pytest.raises(UnableToAuthorize, match="client of its own"):
        begin_authorization(actor=owner_actor, now=now, connection=machine, return_path="/")


def test_going_back_to_consent_forgets_the_key(
    machine: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer
) -> None:
    changed = update_connection(
        actor=owner_actor,
        now=now,
        connection=machine,
        name="Books",
        settings={"base_url": token_server.url},
        secrets={},
    )

    assert changed.status == ConnectionStatus.PENDING
    assert open_secrets(changed) == {}
