"""Secrets never leave their seal: not by a move, not by a failure, not by the worst of vendors."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection as database

from apps.connectors import registry
from apps.connectors.models import Connection, Credential, OAuthApp
from apps.connectors.registry import connectors
from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest
from apps.connectors.services import (
    UnableToConnect,
    check_connection,
    create_connection,
    open_connector,
    save_oauth_app,
)
from apps.connectors.services.credentials import Secrets, credential_place, open_secrets, sealer, store_secrets
from apps.connectors.services.oauth_apps import open_oauth_app
from apps.core.actor import Actor
from apps.core.crypto import SealBroken
from apps.core.ids import uuid7
from apps.core.planes import public_plane, tenant_plane
from apps.customers.models import Environment
from apps.tenants.models import Partner
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY

REAL_VENDORS = connectors()


def test_a_sealed_value_moved_to_another_row_does_not_open(make_connection: MakeConnection, now: datetime) -> None:
    first, second = make_connection(name="First"), make_connection(name="Second")
    Credential.objects.filter(connection=second).update(sealed=bytes(Credential.objects.get(connection=first).sealed))

    assert open_secrets(first) == {"api_key": GOOD_KEY}
    with pytest.raises(SealBroken):
        open_secrets(second)


def test_a_sealed_value_moved_to_another_partner_does_not_open(
    make_connection: MakeConnection, other_partner: Partner
) -> None:
    make_connection()
    credential = Credential.objects.get()

    with tenant_plane(other_partner.schema_name), pytest.raises(SealBroken):
        sealer().open(bytes(credential.sealed), credential_place(credential))


def test_secrets_show_their_names_only(make_connection: MakeConnection) -> None:
    connector = open_connector(make_connection())

    assert repr(Secrets({"b": "two", "a": "one"})) == "Secrets(a, b)"
    assert GOOD_KEY not in f"{connector.context!r} {connector.context.credentials} {connector.context.credentials!r}"


def test_rotation_seals_everything_anew(
    consent: Connection, make_connection: MakeConnection, settings: object, now: datetime
) -> None:
    connection = make_connection(name="Ledger")
    settings.CREDENTIAL_KEYS = {"test1": "11" * 32, "test2": "22" * 32, "test3": "33" * 32}  # type: ignore[attr-defined]

    said = [_rotate(), _rotate()]

    assert said == [
        "2 partners: 1 credentials, 1 apps and 0 open consents sealed anew.\n",
        "2 partners: 0 credentials, 0 apps and 0 open consents sealed anew.\n",
    ]
    settings.CREDENTIAL_KEYS = {"test3": "33" * 32}  # type: ignore[attr-defined]
    assert open_secrets(connection) == {"api_key": GOOD_KEY}
    opened = open_oauth_app("cloud")
    assert opened is not None
    assert (opened.client_secret, opened.webhook_secret) == ("app-secret-123456", "hook-secret-123456")
    assert (Credential.objects.get().key_id, OAuthApp.objects.get().key_id) == ("test3", "test3")


def _rotate() -> str:
    out = StringIO()
    with public_plane():
        call_command("rotate_credentials", stdout=out)
    return out.getvalue()


class _Echo(BaseHTTPRequestHandler):
    """The worst vendor: answers every call with an error that repeats all it was sent."""

    statuses = (400, 401, 403, 404, 422, 429, 500)
    calls = 0

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        echo = f"{self.path} {dict(self.headers)} {body}"
        type(self).calls += 1
        keys = (
            "message",
            "Message",
            "error",
            "error_description",
            "Detail",
            "Title",
            "detail",
            "title",
            "category",
            "Type",
        )
        content = json.dumps({**dict.fromkeys(keys, echo), "errors": [echo], "Elements": []}).encode()
        self.send_response(self.statuses[self.calls % len(self.statuses)])
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = _answer

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def canaries(manifest: ConnectorManifest) -> dict[str, str]:
    names = [field.key for field in manifest.config if field.secret]
    names += ["access_token", "refresh_token"] if manifest.auth is AuthKind.OAUTH2 else []
    names += ["webhook_secret"] if manifest.webhook else []
    return {name: f"canary-{manifest.key}-{name}-5f3a" for name in names}


def plain_database() -> str:
    """Every value of every table of this partner; bytes as hex."""
    with database.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'p_acme'")
        tables = [row[0] for row in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM p_acme."{table}" t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


@pytest.mark.parametrize("vendor", sorted(REAL_VENDORS))
def test_canaries_are_seen_nowhere(
    vendor: str,
    environment: Environment,
    owner_actor: Actor,
    now: datetime,
    echo: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(registry, "connectors", lambda: REAL_VENDORS)
    manifest = REAL_VENDORS[vendor].manifest
    planted = canaries(manifest)
    settings = {field.key: "1" for field in manifest.config if not field.secret and field.required}
    settings["base_url"] = echo
    said: list[str] = []
    if manifest.oauth2:
        app = {"client_secret": "canary-app-secret-5f3a", "webhook_secret": "canary-app-hook-5f3a"}
        planted |= app
        save_oauth_app(actor=owner_actor, now=now, vendor=vendor, client_id="our-app", **app)

    for _ in _Echo.statuses:
        given = {key: value for key, value in planted.items() if not key.startswith("client") and "app" not in value}
        with pytest.raises(UnableToConnect) as refused:
            create_connection(
                actor=owner_actor, now=now, environment=environment, vendor=vendor, name="Canary", settings=settings,
                secrets=given,
            )  # fmt: skip
        said += traceback.format_exception(refused.value)
    stored = Connection.objects.create(
        id=uuid7(), customer=environment.customer, environment=environment, vendor=vendor, name="Canary",
        settings=settings, webhook_token="t", created_at=now, status="active",
    )  # fmt: skip
    # Long expired: an OAuth 2 connection also talks to its token endpoint.
    store_secrets(connection=stored, secrets=given, now=now, expires_at=now if manifest.oauth2 else None)
    for _ in _Echo.statuses:
        try:
            said.append(repr(open_connector(stored).context))
        except ConnectorError as error:
            said += traceback.format_exception(error)
        check_connection(actor=owner_actor, now=now, connection=stored)
        said += [repr(stored.__dict__), stored.status_reason]

    everything = "\n".join([*said, caplog.text, plain_database()])
    assert planted
    for value in planted.values():
        assert value not in everything
        assert value.encode().hex() not in everything


def test_fifty_workers_and_an_expired_token_make_one_refresh(request: pytest.FixtureRequest) -> None:
    from tests.connectors.connections.refreshers import count_refreshes

    request.getfixturevalue("django_db_setup")
    blocker = request.getfixturevalue("django_db_blocker")
    with blocker.unblock():
        outcome = count_refreshes(workers=50)

    assert outcome.tokens == ["access-2"] * 50
    assert outcome.refreshes == 1
    assert outcome.stored == {"access_token": "access-2", "refresh_token": "refresh-2"}
