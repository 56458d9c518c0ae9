"""The vendor client, against a small scripted server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import orjson
import pytest

from apps.connectors.sdk.auth import Auth, BasicAuth, BearerAuth, HeaderKeyAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, HttpExchange
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import (
    ConfigurationError,
    ConnectorError,
    FatalError,
    RateLimited,
    RecordRejected,
    TransientError,
)
from apps.connectors.sdk.paginators import (
    CursorPaginator,
    LinkHeaderPaginator,
    OffsetPaginator,
    PageNumberPaginator,
    paginate,
)

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
TOKEN = "tok-1234567890"


class Answer(msgspec.Struct):
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}


class Script:
    """What the server answers, by path with query, and what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""

    def add(self, path: str, data: Any = None, *, status: int = 200, **headers: str) -> None:
        body = data if isinstance(data, bytes) else orjson.dumps(data)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = Answer(status, body, {"content-type": "application/json", **named})


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = {name.lower(): value for name, value in self.headers.items()}
            script.asked.append((self.command, self.path, asked, body))
            answer = script.answers.get(self.path) or Answer(404)
            self.send_response(answer.status)
            for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    yield script
    server.shutdown()
    server.server_close()


@pytest.fixture
def exchanges() -> list[HttpExchange]:
    return []


def make(script: Script, exchanges: list[HttpExchange], auth: Auth | None = None, **options: Any) -> VendorClient:
    context = ConnectionContext(
        settings={},
        credentials={"access_token": TOKEN},
        now=lambda: NOW,
        observe=exchanges.append,
        allow_private=True,
    )
    return VendorClient(context, script.url, auth or BearerAuth(TOKEN), **options)


@pytest.fixture
def client(script: Script, exchanges: list[HttpExchange]) -> Iterator[VendorClient]:
    made = make(script, exchanges)
    yield made
    made.close()


def test_it_sends_auth_parameters_and_json_and_parses_the_answer(client: VendorClient, script: Script) -> None:
    script.add("/things?limit=2", {"id": 7})

    assert client.post("/things", params={"limit": 2, "skip": None}, json={"a": [1]}) == {"id": 7}

    method, path, headers, body = script.asked[0]
    assert (method, path, body) == ("POST", "/things?limit=2", b'{"a":[1]}')
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (HeaderKeyAuth("X-Redmine-API-Key", "k-1"), "x-redmine-api-key", "k-1"),
        (BasicAuth("ann", "pw"), "authorization", "Basic YW5uOnB3"),
    ],
)
def test_other_auth_parts(script: Script, exchanges: list[HttpExchange], auth: Auth, header: str, value: str) -> None:
    script.add("/", {})
    made = make(script, exchanges, auth)

    made.get("/")
    made.close()

    assert script.asked[0][2][header] == value


def test_an_empty_answer_is_none(client: VendorClient, script: Script) -> None:
    script.add("/gone", b"", status=204)

    assert client.delete("/gone") is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, ConfigurationError),
        (400, RecordRejected),
        (401, ConfigurationError),
        (402, ConfigurationError),
        (403, ConfigurationError),
        (404, RecordRejected),
        (405, FatalError),
        (408, TransientError),
        (409, RecordRejected),
        (418, RecordRejected),
        (422, RecordRejected),
        (423, TransientError),
        (429, RateLimited),
        (500, TransientError),
        (501, FatalError),
        (503, TransientError),
    ],
)
def test_each_status_has_its_error(
    client: VendorClient, script: Script, status: int, error: type[ConnectorError]
) -> None:
    script.add("/x", {"message": "no"}, status=status)

    with pytest.raises(ConnectorError) as caught:
        client.get("/x")

    assert type(caught.value) is error
    assert caught.value.status == status


def test_a_vendor_overrides_and_describes(script: Script, exchanges: list[HttpExchange]) -> None:
    table = ErrorTable(
        overrides={409: TransientError},
        describe=lambda data: ErrorText(data["message"], data["category"]),
        classify=lambda response: FatalError if response.headers.get("x-broken") else None,
    )
    made = make(script, exchanges, error_mapper=table)
    script.add("/busy", {"message": "Locked", "category": "LOCK"}, status=409)
    script.add("/odd", {"unexpected": True}, status=422)
    script.add("/broken", {"ok": True}, x_broken="1")

    with pytest.raises(TransientError, match=r"^Locked \(HTTP 409\)$") as busy:
        made.get("/busy")
    with pytest.raises(RecordRejected, match=r"^the vendor answered \(HTTP 422\)$"):
        made.get("/odd")
    with pytest.raises(FatalError):
        made.get("/broken")
    made.close()

    assert busy.value.code == "LOCK"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "17"}, 17.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon", "x-reset": "4"}, 4.0),
        ({"x-reset": "4"}, 4.0),
        ({}, 10.0),
    ],
)
def test_the_wait_comes_from_the_headers(
    script: Script, exchanges: list[HttpExchange], headers: dict[str, str], wait: float
) -> None:
    table = ErrorTable(delay=lambda found: float(found["x-reset"]) if "x-reset" in found else None)
    made = make(script, exchanges, error_mapper=table)
    script.answers["/x"] = Answer(429, b"{}", headers)

    with pytest.raises(RateLimited) as caught:
        made.get("/x")
    made.close()

    assert caught.value.retry_after == wait


def test_find_answers_none_for_404_and_410_only(client: VendorClient, script: Script) -> None:
    script.add("/gone", {}, status=410)
    script.add("/refused", {}, status=422)

    assert client.find("/nowhere") is None
    assert client.find("/gone") is None
    with pytest.raises(RecordRejected):
        client.find("/refused")


@pytest.mark.parametrize(
    ("content_type", "error", "code"),
    [("application/json", TransientError, "truncated"), ("text/html", FatalError, "not_json")],
)
def test_unreadable_answers(
    client: VendorClient, script: Script, content_type: str, error: type[ConnectorError], code: str
) -> None:
    script.answers["/x"] = Answer(200, b'{"a": [1, 2', {"content-type": content_type})

    with pytest.raises(ConnectorError) as caught:
        client.get("/x")

    assert (type(caught.value), caught.value.code) == (error, code)


def test_no_connection_is_transient(exchanges: list[HttpExchange], script: Script) -> None:
    script.url = "http://127.0.0.1:9"
    made = make(script, exchanges)

    with pytest.raises(TransientError):
        made.get("/x")
    made.close()

    assert (exchanges[0].status, exchanges[0].error) == (None, "connection failed: ConnectError")


def test_a_private_address_needs_the_opt_in(script: Script) -> None:
    context = ConnectionContext(settings={}, credentials={}, now=lambda: NOW)
    made = VendorClient(context, script.url)

    with pytest.raises(ConfigurationError) as caught:
        made.get("/")
    made.close()

    assert caught.value.code == "blocked_address"
    assert script.asked == []


@pytest.mark.parametrize("address", ["http://0177.0.0.1", "ftp://files.example", "no-scheme"])
def test_an_impossible_address_is_the_customers_to_correct(
    script: Script, exchanges: list[HttpExchange], address: str
) -> None:
    script.url = address
    made = make(script, exchanges)

    with pytest.raises(ConfigurationError) as caught:
        made.get("/x")
    made.close()

    assert caught.value.code == "bad_address"


def test_a_key_that_no_header_can_carry_is_told_without_showing_it(
    script: Script, exchanges: list[HttpExchange]
) -> None:
    made = make(script, exchanges, auth=BearerAuth("schlüssel-1234567890"))

    with pytest.raises(ConfigurationError) as caught:
        made.get("/x")
    made.close()

    assert (caught.value.code, script.asked) == ("bad_header", [])
    assert "schl" not in caught.value.message


def test_a_link_to_another_host_is_not_followed_with_our_credentials(client: VendorClient, script: Script) -> None:
    with pytest.raises(FatalError, match="somebody else"):
        client.get("http://localhost:1/elsewhere")

    assert script.asked == []


def test_each_call_is_observed_once_without_secrets(
    client: VendorClient, script: Script, exchanges: list[HttpExchange]
) -> None:
    script.add(f"/x?api_key=hidden-value&plain=yes&note={TOKEN}", {"ok": 1})
    script.add("/bad", {"message": f"bad token {TOKEN}"}, status=400)
    client.errors = ErrorTable(describe=lambda data: ErrorText(data["message"]))

    client.get("/x", params={"api_key": "hidden-value", "plain": "yes", "note": TOKEN})
    with pytest.raises(RecordRejected) as caught:
        client.get("/bad")

    assert caught.value.message == "bad token [redacted] (HTTP 400)"
    assert str(caught.value) == caught.value.message
    first, second = exchanges
    assert first.url == f"{script.url}/x?api_key=[redacted]&plain=yes&note=[redacted]"
    assert (first.method, first.status, first.response_bytes, first.error) == ("GET", 200, 8, "")
    assert (second.status, second.error) == (400, "bad token [redacted] (HTTP 400)")


def test_the_budget_is_asked_before_the_call(script: Script) -> None:
    def refuse() -> None:
        raise RateLimited("budget spent", retry_after=3)

    context = ConnectionContext(settings={}, credentials={}, now=lambda: NOW, acquire=refuse, allow_private=True)
    made = VendorClient(context, script.url)

    with pytest.raises(RateLimited):
        made.get("/")
    made.close()

    assert script.asked == []


def test_cursor_pages(client: VendorClient, script: Script) -> None:
    script.add("/c?limit=2", {"items": [1, 2], "paging": {"next": {"after": "x"}}})
    script.add("/c?limit=2&after=x", {"items": [3]})

    pages = paginate(client, "/c", CursorPaginator("paging.next.after", "after"), params={"limit": 2})

    assert [page.data["items"] for page in pages] == [[1, 2], [3]]


def test_numbered_pages(client: VendorClient, script: Script) -> None:
    script.add("/n?page=1&per_page=2", {"items": [1, 2]})
    script.add("/n?page=2&per_page=2", {"items": [3]})

    assert [page.data["items"] for page in paginate(client, "/n", PageNumberPaginator("items", 2))] == [[1, 2], [3]]


@pytest.mark.parametrize("total", [{}, {"total": 3}])
def test_offset_pages(client: VendorClient, script: Script, total: dict[str, int]) -> None:
    script.add("/o?offset=0&limit=2", {"items": [1, 2], **total})
    script.add("/o?offset=2&limit=2", {"items": [3], **total})

    pages = paginate(client, "/o", OffsetPaginator("items", 2, total="total"))

    assert [page.data["items"] for page in pages] == [[1, 2], [3]]


def test_an_unreachable_total_does_not_loop_for_ever(client: VendorClient, script: Script) -> None:
    script.add("/o?offset=0&limit=2", {"items": [1, 2], "total": 9})
    script.add("/o?offset=2&limit=2", {"items": [], "total": 9})

    assert len(list(paginate(client, "/o", OffsetPaginator("items", 2, total="total")))) == 2


def test_a_cursor_that_leads_back_ends_with_an_error(client: VendorClient, script: Script) -> None:
    script.add("/c", {"items": [1], "next": "x"})
    script.add("/c?after=x", {"items": [2], "next": "y"})
    script.add("/c?after=y", {"items": [3], "next": "x"})

    with pytest.raises(FatalError, match="leads back"):
        list(paginate(client, "/c", CursorPaginator("next", "after")))


def test_a_vendor_that_ignores_the_page_ends_with_an_error(client: VendorClient, script: Script) -> None:
    for page in "12":
        script.add(f"/n?page={page}&per_page=2", {"items": [1, 2]})

    with pytest.raises(FatalError, match="the same page again"):
        list(paginate(client, "/n", PageNumberPaginator("items", 2)))


def test_link_header_pages(client: VendorClient, script: Script) -> None:
    script.add("/l?limit=1", [1], link=f'<{script.url}/l?p=1>; rel="prev", <{script.url}/l?p=2>; rel="next"')
    script.add("/l?p=2", [2])

    pages = paginate(client, "/l", LinkHeaderPaginator(), params={"limit": 1})

    assert [page.data for page in pages] == [[1], [2]]
