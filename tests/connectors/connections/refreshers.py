"""Many workers, each with a database connection of its own, and rows that are really committed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from uuid import UUID

from django.db import connection as database

from apps.connectors.models import Connection, ConnectionStatus, OAuthApp
from apps.connectors.services import open_connector
from apps.connectors.services.credentials import open_secrets, sealer, store_secrets
from apps.connectors.services.oauth_apps import app_place
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.planes import tenant_plane
from apps.customers.models import Customer, Environment, EnvironmentKind
from tests.connectors.connections.token_server import TokenServer, running_token_server


@dataclass(frozen=True)
class Outcome:
    tokens: list[str]
    refreshes: int
    stored: dict[str, str]


def count_refreshes(*, workers: int) -> Outcome:
    with running_token_server() as server, tenant_plane("p_acme"):
        server.grants = 1
        connection = _expired_connection(server)
        try:
            barrier = Barrier(workers)
            with ThreadPoolExecutor(workers) as pool:
                tokens = list(pool.map(lambda _: _work(connection.pk, barrier), range(workers)))
            return Outcome(tokens, len(server.requests), dict(open_secrets(connection)))
        finally:
            connection.customer.delete()
            OAuthApp.objects.all().delete()


def _work(connection_id: UUID, barrier: Barrier) -> str:
    try:
        with tenant_plane("p_acme"):
            connection = Connection.objects.get(pk=connection_id)
            barrier.wait(timeout=30)
            return str(open_connector(connection).context.credentials["access_token"])
    finally:
        database.close()


def _expired_connection(server: TokenServer) -> Connection:
    now = clock.now()
    customer = Customer.objects.create(name="Refreshers", slug="refreshers", created_at=now)
    environment = Environment.objects.create(customer=customer, kind=EnvironmentKind.PRODUCTION)
    app = OAuthApp(id=uuid7(), vendor="cloud", client_id="our-app", webhook_token="w", key_id="test2", updated_at=now)
    app.sealed_secret = sealer().seal(b"app-secret", app_place(app, "sealed_secret"))
    app.save()
    connection = Connection.objects.create(
        customer=customer, environment=environment, vendor="cloud", name="Cloud", settings={"base_url": server.url},
        status=ConnectionStatus.ACTIVE, webhook_token="c", created_at=now,
    )  # fmt: skip
    secrets = {"access_token": "access-1", "refresh_token": "refresh-1"}
    store_secrets(connection=connection, secrets=secrets, now=now, expires_at=now - timedelta(seconds=1))
    return connection
