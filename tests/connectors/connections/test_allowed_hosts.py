"""A partner may list the hosts its connections call; nothing else is called then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.audit.models import AuditEvent
from apps.connectors import outbound
from apps.connectors.models import AllowedHost, Connection
from apps.connectors.outbound import allowed_hosts
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.services import UnableToRestrict, open_connector, set_allowed_hosts
from apps.connectors.services.credentials import store_secrets
from apps.connectors.services.tokens import refresh_if_expiring
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.core.http import BlockedAddress, build_client, is_listed
from apps.core.planes import tenant_plane
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.token_server import TokenServer


@pytest.mark.parametrize(
    ("host", "pattern", "listed"),
    [
        ("api.example.com", "api.example.com", True),
        ("API.example.com.", "api.example.com", True),
        ("eu.api.example.com", "*.example.com", True),
        ("example.com", "*.example.com", False),
        ("evil-example.com", "*.example.com", False),
        ("example.com.evil.test", "*.example.com", False),
        ("xapi.example.com", "api.example.com", False),
    ],
)
def test_patterns(host: str, pattern: str, listed: bool) -> None:
    assert is_listed(host, [pattern]) is listed


def test_what_is_not_listed_is_never_connected_to(token_server: TokenServer) -> None:
    client = build_client(allow_private=True, allowed_hosts=("api.example.com",))

    with pytest.raises(BlockedAddress, match=r"127\.0\.0\.1 is not among the addresses"):
        client.post(token_server.url, data={"grant_type": "refresh_token", "refresh_token": "x"})
    assert token_server.requests == []


def test_the_list_reaches_every_connector(make_connection: MakeConnection, now: datetime) -> None:
    AllowedHost.objects.create(pattern="ledger.example.com", created_at=now)
    ledger = make_connection()

    assert open_connector(ledger).context.allowed_hosts == ("ledger.example.com",)


def test_a_token_endpoint_that_is_not_listed_is_not_asked(
    consent: Connection, now: datetime, token_server: TokenServer
) -> None:
    AllowedHost.objects.create(pattern="ledger.example.com", created_at=now)
    store_secrets(connection=consent, secrets={"access_token": "a", "refresh_token": "r"}, now=now, expires_at=now)

    with pytest.raises(ConfigurationError, match="not among the addresses"):
        refresh_if_expiring(consent)
    assert token_server.requests == []


def restrict(actor: Actor, now: datetime, *patterns: str) -> Any:
    return set_allowed_hosts(actor=actor, now=now, patterns=patterns)


def test_a_list_is_cleaned_kept_and_audited(partner: object, owner_actor: Actor, now: datetime) -> None:
    kept = restrict(owner_actor, now, " https://API.Example.com/v1 ", "", "*.example.org", "api.example.com")

    assert kept == allowed_hosts() == ("*.example.org", "api.example.com")
    assert AuditEvent.objects.get(action="allowed_hosts.changed").after == {
        "hosts": ["*.example.org", "api.example.com"]
    }
    assert restrict(owner_actor, now) == allowed_hosts() == ()


def test_a_worker_keeps_to_a_list_for_a_few_seconds(
    partner: object, now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOWED_HOSTS_SECONDS = 5
    seconds = 1_000_000.0
    monkeypatch.setattr(outbound, "_known", {})
    monkeypatch.setattr(outbound.time, "monotonic", lambda: seconds)
    assert outbound.hosts_to_call() == ()
    AllowedHost.objects.create(pattern="api.example.com", created_at=now)

    seconds += 4.9
    assert outbound.hosts_to_call() == ()
    with tenant_plane("p_globex"):
        assert outbound.hosts_to_call() == ()
    seconds += 0.1
    assert outbound.hosts_to_call() == ("api.example.com",)
    with tenant_plane("p_globex"):
        assert outbound.hosts_to_call() == ()


@pytest.mark.parametrize(
    "typed", ["two words", "*", "*.", "http://", "-a.example.com", "a..b", "exa*mple.com", "https://[x"]
)
def test_what_is_no_host_is_refused(partner: object, owner_actor: Actor, now: datetime, typed: str) -> None:
    with pytest.raises(UnableToRestrict, match="is no host"):
        restrict(owner_actor, now, typed)


def test_a_connection_in_use_is_not_cut_off(make_connection: MakeConnection, owner_actor: Actor, now: datetime) -> None:
    make_connection()

    with pytest.raises(UnableToRestrict, match=r"add ledger.example.com of Books \(Initech\)"):
        restrict(owner_actor, now, "api.example.com")
    assert allowed_hosts() == ()


def test_engineers_may_not(partner: object, now: datetime) -> None:
    engineer = Actor(ActorKind.USER, "1", "Eng", frozenset({"connections.manage"}), scope=None)

    with pytest.raises(NotPermitted):
        restrict(engineer, now, "api.example.com")
