"""How fast a webhook is acknowledged, beside a bare view with one INSERT behind the same middleware (bar: 60 %)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.db import connection as database
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.test.client import ClientHandler, FakePayload
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from apps.connectors.models import Connection
from apps.connectors.sdk.webhooks import hmac_sha256_hex
from apps.connectors.services.deliveries import forget_routes
from apps.core.planes import public_plane
from apps.events.models import InboxEvent
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY

SECRET = "hook-secret-abcdef"
COUNT = 1000
_INSERT = """
INSERT INTO events_inboxevent (id, source, external_id, subject_key, payload, received_at, error)
VALUES (gen_random_uuid(), 'bare', %s, '', %s, now(), '')
"""


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    with database.cursor() as cursor:
        cursor.execute(_INSERT, [request.headers["X-Number"], request.body.decode()])
    return HttpResponse(status=200)


urlpatterns = [path("bare/", bare)]


def rate(application: Callable[..., Any], url: str, label: str) -> float:
    """Requests per second of one thread, without a network in between."""

    def send(number: int) -> None:
        body = orjson.dumps({"events": [{"id": f"{label}-{number}", "stream": "accounts", "object": str(number)}]})
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": url, "SERVER_NAME": "acme.localhost", "SERVER_PORT": "80",
            "HTTP_HOST": "acme.localhost", "wsgi.url_scheme": "http", "wsgi.input": FakePayload(body),
            "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json", "HTTP_X_NUMBER": f"{label}-{number}",
            "HTTP_X_SIGNATURE": hmac_sha256_hex(SECRET, body),
        }  # fmt: skip
        assert application(environ).status_code == 200

    for number in range(50):
        send(-number - 1)
    started = time.perf_counter()
    for number in range(COUNT):
        send(number)
    return COUNT / (time.perf_counter() - started)


@pytest.mark.bench
def test_acknowledging_beside_a_bare_insert(make_connection: MakeConnection) -> None:
    connection: Connection = make_connection(secrets={"api_key": GOOD_KEY, "webhook_secret": SECRET})
    forget_routes()
    with public_plane():
        hooks = [rate(ClientHandler(), f"/hooks/{connection.webhook_token}/", f"hook{turn}") for turn in range(3)]
        with override_settings(ROOT_URLCONF=__name__):
            bares = [rate(ClientHandler(), "/bare/", f"bare{turn}") for turn in range(3)]

    print(
        f"\nwebhook: {max(hooks):,.0f}/s, bare view and INSERT: {max(bares):,.0f}/s, ratio {max(hooks) / max(bares):.0%}"
    )
    assert InboxEvent.objects.filter(source=connection.subject_key).count() == 3 * (COUNT + 50)
