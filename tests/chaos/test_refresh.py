"""Fifty workers find one token expired: Xero, whose refresh tokens work once, is asked exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection as database

from apps.connectors.models import Connection
from apps.connectors.services import open_connector
from apps.connectors.services.credentials import open_secrets, store_secrets
from apps.core import clock
from apps.core.planes import tenant_plane
from tests.chaos.conftest import MakeStory
from tests.chaos.story import SCHEMA

pytestmark = [pytest.mark.chaos, pytest.mark.django_db, pytest.mark.enable_socket]

WORKERS = 50


def work(connection_id: UUID, barrier: Barrier) -> str:
    """The token this worker got."""
    try:
        with tenant_plane(SCHEMA):
            connection = Connection.objects.get(pk=connection_id)
            barrier.wait(timeout=60)
            return str(open_connector(connection).context.credentials["access_token"])
    finally:
        database.close()


def test_one_refresh_for_fifty_workers(make_story: MakeStory) -> None:
    story = make_story()
    connection, xero = story.chain.connections["billing"], story.vendors.xero
    xero.clock(None)
    xero.credentials(client_id="app-1", client_secret="app-secret-1", refresh_token="rt-1")
    now = clock.now()
    secrets = {"access_token": "at-expired", "refresh_token": "rt-1"}
    store_secrets(connection=connection, secrets=secrets, now=now, expires_at=now - timedelta(seconds=1))
    xero.clear_requests()

    barrier = Barrier(WORKERS)
    with ThreadPoolExecutor(WORKERS) as pool:
        tokens = list(pool.map(lambda _: work(connection.pk, barrier), range(WORKERS)))

    assert [r["status"] for r in xero.requests() if r["path"] == "/connect/token"] == [200]
    stored = open_secrets(connection)
    assert (len(tokens), set(tokens)) == (WORKERS, {stored["access_token"]})
    assert stored["refresh_token"] != "rt-1"
    assert open_connector(connection).check().account_id
