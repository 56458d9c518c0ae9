"""The sandbox itself: persistence, clocks, faults, log, webhooks."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from sandbox.server import QuietHandler, Sandbox
from sandbox.store import Store
from sandbox.testing import AccountControl, RunningSandbox, running_sandbox
from tests.connectors.harness import webhook_receiver

TOKEN = "pat-1"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path) as running:
        yield running


@pytest.fixture
def control(sandbox: RunningSandbox) -> AccountControl:
    found = sandbox.control("hubspot", "acme")
    found.credentials(api_key=TOKEN)
    return found


def call(sandbox: RunningSandbox, method: str, path: str, body: Any = None, token: str = TOKEN) -> tuple[int, Any, Any]:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    try:
        connection.request(method, f"/hubspot/acme{path}", json.dumps(body), {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), json.loads(response.read())
    finally:
        connection.close()


def test_it_answers_health(sandbox: RunningSandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    connection.request("GET", "/health")

    assert connection.getresponse().status == 200
    connection.close()


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        control = first.control("hubspot", "acme")
        control.credentials(api_key=TOKEN)
        control.clock("2030-01-01T00:00:00Z")
        made = control.create("companies", {"name": "Initech"})
    with running_sandbox(tmp_path) as second:
        assert second.control("hubspot", "acme").objects("companies") == [made]
        assert call(second, "GET", "/crm/v3/objects/companies")[0] == 200
        more = second.control("hubspot", "acme").create("companies", {"name": "Later"})

    assert int(more["id"]) == int(made["id"]) + 1
    assert more["createdAt"].startswith("2030-01-01T00:")


def test_what_one_request_changes_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    store, place = Store(tmp_path), ("xero", "acme")
    store.put(place, "tokens", [("old", {})])

    request = store.together()
    request.__enter__()
    store.remove(place, "tokens", "old")
    store.close()  # the process is stopped
    store.put(place, "tokens", [("new", {})])
    with pytest.raises(sqlite3.ProgrammingError):
        request.__exit__(None, None, None)

    after = Store(tmp_path)
    assert after.objects(place, "tokens") == {"old": {}}
    with after.together():
        after.remove(place, "tokens", "old")
        after.put(place, "tokens", [("new", {})])
    after.close()
    assert Store(tmp_path).objects(place, "tokens") == {"new": {}}


def test_an_answer_is_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, commits = Sandbox(tmp_path), list[int]()
    client, commit = Client(app), app.store._commit
    accepted = {"client_id": "app", "client_secret": "s", "refresh_token": "first"}
    client.post("/_control/xero/acme/credentials", json=accepted)
    monkeypatch.setattr(app.store, "_commit", lambda found: (commits.append(len(found)), commit(found)))

    answer = client.post("/xero/acme/connect/token", data={**accepted, "grant_type": "refresh_token"})

    # The first refresh token is used up, the new pair is there: all of it, or nothing.
    assert (answer.status_code, commits) == (200, [4])
    app.close()


def test_two_sandboxes_share_nothing(tmp_path: Path) -> None:
    found = []
    for name in ("first", "second"):
        with running_sandbox(tmp_path / name) as running:
            control = running.control("hubspot", "acme")
            control.credentials(api_key=TOKEN)
            control.create("companies", {"name": name})
            answer = call(running, "POST", "/crm/v3/objects/companies/search", {"limit": 5})[2]
            found.append([entry["properties"]["name"] for entry in answer["results"]])

    assert found == [["first"], ["second"]]


def test_accounts_are_separate(sandbox: RunningSandbox, control: AccountControl) -> None:
    control.create("companies", {"name": "Initech"})

    assert sandbox.control("hubspot", "globex").objects("companies") == []


def test_only_configured_credentials_open_an_account(sandbox: RunningSandbox, control: AccountControl) -> None:
    assert call(sandbox, "GET", "/crm/v3/objects/companies", token="other")[0] == 401
    assert call(sandbox, "GET", "/crm/v3/objects/companies", token="")[0] == 401
    assert call(sandbox, "GET", "/crm/v3/objects/companies")[0] == 200


def test_the_clock_jumps_and_moves_on(control: AccountControl) -> None:
    control.clock("2030-01-01T00:00:00Z")
    first = control.create("companies", {"name": "A"})["createdAt"]
    control.clock(None)
    second = control.create("companies", {"name": "B"})["createdAt"]

    assert first.startswith("2030-01-01T00:00:")
    assert second < "2030"


def test_faults_strike_the_matching_call_as_often_as_asked(sandbox: RunningSandbox, control: AccountControl) -> None:
    control.fault("status", method="POST", path_prefix="/crm/v3/objects/companies", status=503, times=2)
    body = {"properties": {"name": "A"}}

    statuses = [call(sandbox, "GET", "/crm/v3/objects/companies")[0]]
    statuses += [call(sandbox, "POST", "/crm/v3/objects/companies", body)[0] for _ in range(3)]

    assert statuses == [200, 503, 503, 201]
    assert len(control.objects("companies")) == 1


def test_a_rate_limit_has_the_vendors_shape_and_the_wait(sandbox: RunningSandbox, control: AccountControl) -> None:
    control.fault("429", retry_after=7)

    status, headers, body = call(sandbox, "GET", "/crm/v3/objects/companies")

    assert (status, headers["Retry-After"], body["errorType"]) == (429, "7", "RATE_LIMIT")


@pytest.mark.parametrize(("kind", "stored"), [("reset", 0), ("timeout_after_commit", 1), ("truncate", 1)])
def test_lost_answers(sandbox: RunningSandbox, control: AccountControl, kind: str, stored: int) -> None:
    control.fault(kind, method="POST")

    with pytest.raises((ConnectionError, http.client.HTTPException)):
        call(sandbox, "POST", "/crm/v3/objects/companies", {"properties": {"name": "A"}})

    assert len(control.objects("companies")) == stored


def test_an_unknown_fault_is_refused(control: AccountControl) -> None:
    with pytest.raises(RuntimeError, match="unknown fault 'meteor'"):
        control.fault("meteor")


def test_requests_are_logged_and_counted(sandbox: RunningSandbox, control: AccountControl) -> None:
    call(sandbox, "POST", "/crm/v3/objects/companies", {"properties": {"name": "A"}})
    call(sandbox, "GET", "/crm/v3/objects/companies?limit=5")

    logged = control.requests()
    assert [(r["method"], r["path"], r["query"], r["status"]) for r in logged] == [
        ("POST", "/crm/v3/objects/companies", "", 201),
        ("GET", "/crm/v3/objects/companies", "limit=5", 200),
    ]
    assert logged[0]["body"] == {"properties": {"name": "A"}}
    assert control.counters() == {"POST": 1, "GET": 1}

    control.clear_requests()

    assert (control.requests(), control.counters()) == ([], {})


def test_reset_forgets_everything(sandbox: RunningSandbox, control: AccountControl) -> None:
    control.create("companies", {"name": "A"})

    control.reset()

    assert control.objects("companies") == []
    assert call(sandbox, "GET", "/crm/v3/objects/companies")[0] == 401


def test_webhooks_carry_the_change(control: AccountControl) -> None:
    with webhook_receiver() as (url, received):
        control.webhooks(url, "s3cret-value")
        made = control.create("companies", {"name": "A"})
        headers, body = received.get(timeout=10)

    (event,) = json.loads(body)
    assert (event["subscriptionType"], event["objectId"]) == ("company.creation", int(made["id"]))
    assert headers["x-hubspot-signature-v3"]


def test_an_unknown_vendor_is_not_found(sandbox: RunningSandbox) -> None:
    with pytest.raises(RuntimeError, match="404"):
        sandbox.control("nosuch", "acme").objects("companies")


def test_a_connection_that_nobody_uses_ends_without_a_word(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(QuietHandler, "timeout", 0.05)
    caplog.set_level("INFO", logger="werkzeug")
    netloc = urlsplit(sandbox.url)

    with socket.create_connection((netloc.hostname, netloc.port), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        said = b""
        while part := connection.recv(65536):
            said += part

    assert said.startswith(b"HTTP/1.1 200")
    assert caplog.messages == []
