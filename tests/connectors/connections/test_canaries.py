"""The worst vendor repeats all it is sent; still no secret is seen in a log, an error or a plain column."""

from __future__ import annotations

import base64
import json
import logging
import threading
import traceback
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database

from apps.connectors import registry
from apps.connectors.models import Connection
from apps.connectors.registry import connectors
from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest
from apps.connectors.services import (
    UnableToConnect,
    check_connection,
    create_connection,
    create_custom_connector,
    open_connector,
    publish_connector,
    save_oauth_app,
    try_definition,
)
from apps.connectors.services.credentials import store_secrets
from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.customers.models import Environment
from tests.connectors.files.server import running_sftp

REAL_VENDORS = connectors()


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


def stored_connection(environment: Environment, vendor: str, settings: dict[str, Any], now: datetime) -> Connection:
    """Stored without a check: no vendor would let these secrets in."""
    return Connection.objects.create(
        id=uuid7(), customer=environment.customer, environment=environment, vendor=vendor, name="Canary",
        settings=settings, webhook_token="t", created_at=now, status="active",
    )  # fmt: skip


def refusals(environment: Environment, actor: Actor, now: datetime, **given: Any) -> list[str]:
    """Everything said when creating fails, once per status of the vendor."""
    said: list[str] = []
    for _ in _Echo.statuses:
        with pytest.raises(UnableToConnect) as refused:
            create_connection(actor=actor, now=now, environment=environment, name="Canary", **given)
        said += traceback.format_exception(refused.value)
    return said


def failures(connection: Connection, actor: Actor, now: datetime) -> list[str]:
    """Everything said when a stored connection fails, once per status of the vendor."""
    said: list[str] = []
    for _ in _Echo.statuses:
        try:
            said.append(repr(open_connector(connection).context))
        except ConnectorError as error:
            said += traceback.format_exception(error)
        check_connection(actor=actor, now=now, connection=connection)
        said += [repr(connection.__dict__), connection.status_reason]
    return said


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


DECLARED = """
name: Echo
domain: delivery
base_url: https://echo.example.com
auth: {AUTH}
check: {path: /me, account_name: name}
error_message: message
objects:
  - name: people
    label: People
    entity: resource
    list: {path: /people, records: data}
    fields: {name: record.name}
"""
AUTHS = {
    "bearer": "{kind: bearer}",
    "header": "{kind: header, name: X-Key}",
    "query": "{kind: query, name: api_key}",
    "basic": "{kind: basic}",
}


@pytest.mark.parametrize("auth", sorted(AUTHS))
def test_canaries_of_written_down_connectors_are_seen_nowhere(
    auth: str,
    environment: Environment,
    owner_actor: Actor,
    now: datetime,
    echo: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever way the key is sent, refused or stored, tried or used, it shows in no log, message or plain column."""
    caplog.set_level(logging.DEBUG)
    source = DECLARED.replace("{AUTH}", AUTHS[auth])
    made = create_custom_connector(actor=owner_actor, now=now, source=source)
    publish_connector(actor=owner_actor, now=now, connector=made)
    registry.forget_custom(made.key)
    manifest = registry.get_manifest(made.key)
    planted = canaries(manifest)
    settings = {field.key: "1" for field in manifest.config if not field.secret and field.required} | {"base_url": echo}

    given: dict[str, Any] = {"settings": settings, "secrets": planted}
    trials = [
        try_definition(actor=owner_actor, now=now, source=source, object_name="people", **given) for _ in _Echo.statuses
    ]
    said = [repr(trial) for trial in trials]
    said += refusals(environment, owner_actor, now, vendor=made.key, **given)
    stored = stored_connection(environment, made.key, settings, now)
    store_secrets(connection=stored, secrets=planted, now=now, expires_at=None)
    said += failures(stored, owner_actor, now)

    everything = "\n".join([*said, caplog.text, plain_database()])
    assert set(planted) == {"api_key"}
    assert all(trial.problem and trial.exchanges for trial in trials)
    for value in planted.values():
        assert value not in everything
        assert value.encode().hex() not in everything
        assert base64.b64encode(f"1:{value}".encode()).decode() not in everything


@pytest.mark.parametrize("secret", ["password", "private_key"])
def test_canaries_of_file_servers_are_seen_nowhere(
    secret: str,
    environment: Environment,
    owner_actor: Actor,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    source = Path("docs/examples/connectors/payroll-files.yaml").read_text(encoding="utf-8")
    made = create_custom_connector(actor=owner_actor, now=now, source=source)
    publish_connector(actor=owner_actor, now=now, connector=made)
    registry.forget_custom(made.key)
    planted = {secret: f"canary-{secret}-5f3a"}
    with running_sftp(tmp_path) as server:
        said = refusals(environment, owner_actor, now, vendor=made.key, settings=server.settings, secrets=planted)
        stored = stored_connection(environment, made.key, server.settings, now)
        store_secrets(connection=stored, secrets=planted, now=now, expires_at=None)
        said += failures(stored, owner_actor, now)

    assert server.attempts == ([planted[secret]] * 14 if secret == "password" else [])
    everything = "\n".join([*said, caplog.text, plain_database()])
    assert f"canary-{secret}-5f3a" not in everything
    assert f"canary-{secret}-5f3a".encode().hex() not in everything


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
    settings = {field.key: "1" for field in manifest.config if not field.secret and field.required} | {"base_url": echo}
    app = (
        {"client_secret": "canary-app-secret-5f3a", "webhook_secret": "canary-app-hook-5f3a"} if manifest.oauth2 else {}
    )
    if app:
        save_oauth_app(actor=owner_actor, now=now, vendor=vendor, client_id="our-app", **app)

    said = refusals(environment, owner_actor, now, vendor=vendor, settings=settings, secrets=planted)
    stored = stored_connection(environment, vendor, settings, now)
    # Long expired: an OAuth 2 connection also talks to its token endpoint.
    store_secrets(connection=stored, secrets=planted, now=now, expires_at=now if app else None)
    said += failures(stored, owner_actor, now)

    everything = "\n".join([*said, caplog.text, plain_database()])
    assert planted
    for value in [*planted.values(), *app.values()]:
        assert value not in everything
        assert value.encode().hex() not in everything
