"""The consent and the tokens that follow from it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils.html import escape

from apps.accounts.services import create_person
from apps.connectors.consents import cookie_name, is_same_browser, start_address
from apps.connectors.models import Connection, ConnectionStatus, Credential, PendingAuthorization
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.services import UnableToAuthorize, begin_authorization, complete_authorization, open_connector
from apps.connectors.services.checks import run_scheduled_check
from apps.connectors.services.credentials import open_secrets
from apps.core.actor import Actor, ActorKind
from apps.core.clock import moved_clock
from apps.core.errors import NotPermitted, NotVisible
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import Cloud
from tests.connectors.connections.token_server import TokenServer


def begin(actor: Actor, now: datetime, connection: Connection, return_path: str = "/connections/") -> dict[str, str]:
    url = begin_authorization(actor=actor, now=now, connection=connection, return_path=return_path)
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def test_a_consent_connects(consent: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer) -> None:
    query = begin(owner_actor, now, consent)
    connection = complete_authorization(now=now, state=query["state"], code="code-1")

    assert query["redirect_uri"] == "http://acme.localhost/oauth/callback"
    assert (query["client_id"], query["scope"], query["code_challenge_method"]) == ("our-app", "read write", "S256")
    (form,) = token_server.requests
    challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert challenge == query["code_challenge"]
    assert (form["code"], form["client_secret"]) == ("code-1", "app-secret-123456")
    assert (connection.status, connection.account_id) == (ConnectionStatus.ACTIVE, "org-1")
    assert open_secrets(connection) == {"access_token": "access-1", "refresh_token": "refresh-1"}
    assert Credential.objects.get().expires_at == now + timedelta(minutes=30)


def test_a_state_works_once(consent: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer) -> None:
    state = begin(owner_actor, now, consent)["state"]
    complete_authorization(now=now, state=state, code="code-1")

    with pytest.raises(UnableToAuthorize):
        complete_authorization(now=now, state=state, code="code-2")
    assert len(token_server.requests) == 1


def test_an_expired_state_is_refused(
    consent: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer
) -> None:
    state = begin(owner_actor, now, consent)["state"]

    with pytest.raises(UnableToAuthorize):
        complete_authorization(now=now + timedelta(minutes=10), state=state, code="code-1")
    assert (token_server.requests, Credential.objects.count()) == ([], 0)


def test_the_state_and_the_verifier_are_not_stored_in_the_open(
    consent: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer
) -> None:
    state = begin(owner_actor, now, consent)["state"]
    pending = PendingAuthorization.objects.get()
    complete_authorization(now=now, state=state, code="code-1")

    assert pending.state_hash == hashlib.sha256(state.encode()).hexdigest()
    assert token_server.requests[0]["code_verifier"].encode() not in bytes(pending.sealed_verifier)


def test_a_refused_consent_spends_the_state(consent: Connection, owner_actor: Actor, now: datetime) -> None:
    state = begin(owner_actor, now, consent)["state"]

    with pytest.raises(UnableToAuthorize) as caught:
        complete_authorization(now=now, state=state, error="access_denied")

    assert caught.value.user_message == "Cloud did not give access. Start again, and agree on Cloud's page."
    assert PendingAuthorization.objects.count() == 0
    assert Connection.objects.get().status == ConnectionStatus.PENDING


def test_another_account_is_refused(consent: Connection, owner_actor: Actor, now: datetime) -> None:
    Connection.objects.update(account_id="org-9", account_name="Hooli Cloud")
    state = begin(owner_actor, now, consent)["state"]

    with pytest.raises(UnableToAuthorize) as caught:
        complete_authorization(now=now, state=state, code="code-1")

    assert caught.value.user_message.startswith(
        "You agreed for Initech Cloud, but this connection belongs to Hooli Cloud."
    )
    assert Credential.objects.count() == 0


def test_without_an_app_there_is_nothing_to_ask(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime
) -> None:
    connection = make_connection("cloud")

    with pytest.raises(UnableToAuthorize) as caught:
        begin_authorization(actor=owner_actor, now=now, connection=connection, return_path="/")
    assert caught.value.user_message == "Enter your Cloud app first (client id and secret)."


def test_the_customers_administrator_may_and_a_viewer_or_stranger_may_not(consent: Connection, now: datetime) -> None:
    own = frozenset({consent.customer_id})
    administrator = Actor(ActorKind.USER, "a", "Ada", frozenset({"connections.authorize"}), own)
    viewer = Actor(ActorKind.USER, "v", "Vera", frozenset({"connections.view"}), own)
    stranger = Actor(ActorKind.USER, "s", "Sam", frozenset({"connections.authorize"}), frozenset())

    assert begin(administrator, now, consent)["client_id"] == "our-app"
    with pytest.raises(NotPermitted):
        begin(viewer, now, consent)
    with pytest.raises(NotVisible):
        begin(stranger, now, consent)
    assert PendingAuthorization.objects.count() == 1


def connect(consent: Connection, actor: Actor, now: datetime) -> Connection:
    return complete_authorization(now=now, state=begin(actor, now, consent)["state"], code="code-1")


def test_a_token_is_refreshed_two_minutes_ahead_and_stored_first(
    consent: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer
) -> None:
    connection = connect(consent, owner_actor, now)

    with moved_clock(now + timedelta(minutes=27, seconds=59)):
        assert open_connector(connection).context.credentials["access_token"] == "access-1"
    with moved_clock(now + timedelta(minutes=28)):
        assert open_connector(connection).context.credentials["access_token"] == "access-2"

    assert [form["grant_type"] for form in token_server.requests] == ["authorization_code", "refresh_token"]
    assert open_secrets(connection) == {"access_token": "access-2", "refresh_token": "refresh-2"}
    assert Credential.objects.get().version == 2


def test_a_connector_that_lives_longer_than_its_token_gets_the_next_one(
    consent: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer
) -> None:
    connection = connect(consent, owner_actor, now)
    with moved_clock(now):
        connector = open_connector(connection)

    with moved_clock(now + timedelta(hours=1)):
        assert connector.context.credentials["access_token"] == "access-2"
        assert connector.context.credentials["access_token"] == "access-2"
    assert len(token_server.requests) == 2


def test_a_revoked_authorization_needs_a_person(
    consent: Connection, owner_actor: Actor, now: datetime, token_server: TokenServer
) -> None:
    connection = connect(consent, owner_actor, now)
    token_server.failure = (400, {"error": "invalid_grant"})
    later = now + timedelta(hours=1)

    with moved_clock(later):
        with pytest.raises(ConfigurationError):
            open_connector(connection)
        run_scheduled_check(connection_id=connection.pk, now=later)

    stored = Connection.objects.get()
    assert stored.status == ConnectionStatus.NEEDS_REAUTHORIZATION
    assert stored.status_reason == "The authorization has expired or was revoked. Authorize the connection again."


def test_the_callback_returns_the_browser(
    consent: Connection, owner_actor: Actor, now: datetime, client: Client
) -> None:
    with moved_clock(now):
        url = begin_authorization(actor=owner_actor, now=now, connection=consent, return_path="/connections/1/")
        state = parse_qs(urlsplit(url).query)["state"][0]
        sent_on = client.get(start_address(url))
        answer = client.get("/oauth/callback", {"state": state, "code": "code-1"})
        client.cookies[cookie_name(state)] = state
        again = client.get("/oauth/callback", {"state": state, "code": "code-1"})

    assert sent_on.status_code == 200
    assert f'href="{escape(url)}"' in sent_on.content.decode()
    assert (answer.status_code, answer["Location"]) == (302, "/connections/1/")
    assert (again.status_code, again.content) == (
        400,
        b"This authorization was used already or has expired. Start again.\n",
    )
    assert Cloud.seen_tokens == ["access-1"]


def test_whoever_began_is_sent_on_at_once_and_others_are_told_who_did(
    consent: Connection, client: Client, now: datetime
) -> None:
    user = create_person(email="olga@acme.example", name="Olga Owner", password="correct horse battery", now=now)
    began = Actor(ActorKind.USER, str(user.pk), "Olga Owner", frozenset({"connections.manage"}), None)
    with moved_clock(now):
        url = begin_authorization(actor=began, now=now, connection=consent, return_path="/")
        address = start_address(url)
        told = client.get(address)
        client.force_login(user)
        sent_on = client.get(address)

    assert (sent_on.status_code, sent_on["Location"]) == (302, url)
    assert told.status_code == 200
    assert "Olga Owner asks you to give" in told.content.decode()
    assert "Continue only if you began this yourself" in told.content.decode()


def test_another_browser_cannot_finish_what_this_one_began(
    consent: Connection, owner_actor: Actor, now: datetime, client: Client
) -> None:
    with moved_clock(now):
        state = begin(owner_actor, now, consent)["state"]
        answer = client.get("/oauth/callback", {"state": state, "code": "code-1"})

    assert answer.status_code == 400
    assert "This browser did not begin the authorization" in answer.content.decode()
    assert PendingAuthorization.objects.count() == 1
    assert Cloud.seen_tokens == []


@pytest.mark.parametrize("to", ["", "https://evil.example/?state=1", "eyJ:1:forged"])
def test_the_start_leads_only_where_we_said(partner: object, client: Client, to: str) -> None:
    answer = client.get("/oauth/start", {"to": to})

    assert answer.status_code == 400
    assert not answer.cookies


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example/", "/\\evil.example", ""])
def test_a_return_path_never_leads_elsewhere(consent: Connection, owner_actor: Actor, now: datetime, path: str) -> None:
    begin(owner_actor, now, consent, path)

    assert PendingAuthorization.objects.get().return_path == "/"


def test_a_state_in_other_letters_is_nobody_s() -> None:
    assert not is_same_browser("\u0663", "state")
    assert not is_same_browser("\ufffd", None)
    assert is_same_browser("\u0663", "\u0663")
