"""What only machines call passes through the slim stack and gets the answers of the whole one."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from django.urls import get_urlconf

from apps.accounts.access import Audience
from apps.connectors.models import Connection
from apps.connectors.sdk.webhooks import hmac_sha256_hex
from apps.core.actor import Actor
from apps.core.machine_handler import MachineHandler, with_machines
from apps.core.planes import connection, current_schema, public_plane
from apps.events.models import InboxEvent
from apps.provisioning.services import suspend_partner
from apps.tenants.models import Domain, Partner
from config.urls import machine
from tests.architecture.test_access_policies import leaves, policy_of
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY
from tests.connectors.connections.test_webhooks import SECRET

pytestmark = pytest.mark.django_db
ID = "0123456789abcdef"
Answer = tuple[int, dict[str, str], bytes]
# What the whole stack adds for pages, a machine having neither language nor session; and a length, where it is told.
OF_PAGES = {"Content-Language", "Content-Length", "Vary"}


def ask(application: Any, path: str, *, body: bytes = b"", **more: str) -> Answer:
    path, _, query = path.partition("?")
    told: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "x", "SERVER_PORT": "80",
        "HTTP_HOST": "acme.localhost", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)), "HTTP_X_REQUEST_ID": ID, **more,
    }  # fmt: skip
    with public_plane():
        answer = application(environ, lambda status, headers: told.append((status, headers)))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        # The next request of this thread begins as if nobody had asked before.
        assert (current_schema(), get_urlconf()) == ("public", None)
    status, headers = told[0]
    return int(status[:3]), dict(headers), content


def pages_must_not_be_asked(environ: Any, start_response: Any) -> Any:
    raise AssertionError(environ["PATH_INFO"])


@pytest.fixture
def slim(monkeypatch: pytest.MonkeyPatch) -> Any:
    # The test's connection stays: what it has not committed must be seen.
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    return with_machines(pages_must_not_be_asked, MachineHandler())


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, slim: Any) -> Any:
    return get_wsgi_application()


@pytest.fixture
def hook(partner: Partner, make_connection: MakeConnection) -> str:
    made: Connection = make_connection(secrets={"api_key": GOOD_KEY, "webhook_secret": SECRET})
    return f"/hooks/{made.webhook_token}/"


def signed(body: bytes) -> dict[str, Any]:
    return {"body": body, "HTTP_X_SIGNATURE": hmac_sha256_hex(SECRET, body)}


def test_it_works(slim: Any, hook: str) -> None:
    body = b'{"events": [{"id": "evt-1", "stream": "accounts", "object": "obj-1"}]}'

    status, headers, content = ask(slim, hook, **signed(body))

    assert (status, content, headers["X-Request-Id"], headers["Content-Length"]) == (200, b"", ID, "0")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert InboxEvent.objects.get().external_id == "evt-1"


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("HOOK", signed(b'{"events": []}')),
        ("HOOK", {"body": b"{}", "HTTP_X_SIGNATURE": "forged"}),
        ("HOOK", {"REQUEST_METHOD": "GET"}),
        ("HOOK", {"CONTENT_LENGTH": str(2 * 1024 * 1024)}),
        ("HOOK?q=%00", signed(b"{}")),
        ("HOOK", {"HTTP_HOST": "nobody.example.org"}),
        ("HOOK", {"HTTP_HOST": "globex.localhost"}),
        ("/hooks/unknown/", {}),
        ("/hooks/\x00/", {}),
        ("/.well-known/health", {"REQUEST_METHOD": "GET"}),
        ("/.well-known/health", {"REQUEST_METHOD": "GET", "HTTP_HOST": "localhost"}),
        ("/.well-known/ready", {"REQUEST_METHOD": "GET"}),
    ],
)
def test_the_answer_is_that_of_the_whole_stack(slim: Any, whole: Any, hook: str, path: str, more: Any) -> None:
    path = path.replace("HOOK", hook)

    status, headers, content = ask(slim, path, **more)

    expected = ask(whole, path, **more)
    assert (status, content) == (expected[0], expected[2])
    kept = {name: value for name, value in expected[1].items() if name not in OF_PAGES}
    assert {name: value for name, value in headers.items() if name not in OF_PAGES} == kept


def test_the_platform_s_own_host_has_no_hooks(slim: Any, hook: str) -> None:
    status, _, content = ask(slim, hook, HTTP_HOST="localhost")

    assert (status, content) == (404, b"Not found\n")


def test_a_partner_that_is_not_served_takes_nothing(slim: Any, hook: str, system: Actor, now: datetime) -> None:
    with public_plane():
        half = Partner.objects.create(name="Half", slug="half", schema_name="p_half", created_at=now)
        Domain.objects.create(tenant=half, domain="half.localhost", is_primary=True)
        suspend_partner(actor=system, partner=Partner.objects.get(slug="acme"), reason="Unpaid", now=now)

    assert ask(slim, hook, HTTP_HOST="half.localhost")[0] == 404
    status, _, content = ask(slim, hook, **signed(b'{"events": []}'))
    assert (status, content) == (503, b"Service unavailable\n")


def test_a_bug_is_told_as_a_problem(slim: Any, hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**given: object) -> int:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.api.hooks.receive_delivery", fail)

    status, headers, content = ask(slim, hook, **signed(b"{}"))

    assert (status, headers["Content-Type"], headers["X-Request-Id"]) == (500, "application/problem+json", ID)
    assert b'"code": "internal"' in content
    assert b"secret detail" not in content


def test_insecure_calls_are_led_to_the_secure_address(partner: Partner) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        status, headers, _ = ask(with_machines(pages_must_not_be_asked, MachineHandler()), "/hooks/any/")

    assert (status, headers["Location"]) == (301, "https://acme.localhost/hooks/any/")


@pytest.mark.parametrize("path", ["/", "/hooks/a/b/", "/hooks/", "/hooks/a", "//hooks/a/", "/manage/", "/\xff"])
def test_everything_else_is_a_page(path: str) -> None:
    asked: list[str] = []

    def pages(environ: Any, start_response: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        return []

    with_machines(pages, MachineHandler())({"PATH_INFO": path}, lambda *told: None)

    assert asked == [path]


def test_only_what_proves_itself_is_served_slimly() -> None:
    found = {where: policy_of(pattern) for where, pattern in leaves(machine.urlpatterns)}

    assert len(found) == 3
    assert {policy.audience for policy in found.values() if policy} == {Audience.MACHINE}
    assert None not in found.values()


@pytest.mark.parametrize(
    "body",
    [
        b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"events": [{"id": NaN, "stream": "accounts", "object": "1"}]}',
        rb'{"events": [{"id": "a\u0000b", "stream": "accounts", "object": "1"}]}',
        rb'{"events": [{"id": "1", "account": "a\u0000b", "stream": "accounts", "object": "1"}]}',
        b'{"events": [{"id": "1", "stream": "accounts", "object": {"id": 1}}]}',
        b'{"events": [{"id": "' + b"1" * 300 + b'", "stream": "accounts", "object": "1"}]}',
        b'{"events": 7}',
        b"[]",
        b"null",
        b"1e400",
        b"",
    ],
    ids=["deep", "no number", "null", "account", "object", "long", "no list", "list", "nothing", "number", "empty"],
)
def test_what_is_signed_but_cannot_be_kept_is_refused(slim: Any, hook: str, body: bytes) -> None:
    status, _, content = ask(slim, hook, **signed(body))

    assert (status, b"invalid_delivery" in content, InboxEvent.objects.count()) == (422, True, 0)
