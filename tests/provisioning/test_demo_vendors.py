"""The demo's hands on the simulated vendors."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from apps.provisioning.demo.vendors import TRIAL, VendorAccount, VendorRefused, open_trial_accounts
from sandbox.testing import running_sandbox

pytestmark = pytest.mark.enable_socket
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"ok": true}'


def answer_once(listener: socket.socket, answer: bytes = ANSWER) -> None:
    """Takes one request, and closes a connection that it did not announce to close."""
    link, _ = listener.accept()
    with link:
        while b"\r\n\r\n" not in link.recv(65536):
            pass
        link.sendall(answer)


@pytest.fixture
def account(settings: Any) -> Any:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.SANDBOX_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield VendorAccount("hubspot", "acme"), listener


def test_an_account_left_alone_for_long_answers_again(account: Any) -> None:
    hands, listener = account
    answers = []

    for _ in range(2):
        server = threading.Thread(target=answer_once, args=(listener,), daemon=True)
        server.start()
        answers.append(hands.order("GET", "objects/deals"))
        server.join()

    assert answers == [{"ok": True}, {"ok": True}]


def test_a_refused_order_says_what_was_asked_and_answered(account: Any) -> None:
    hands, listener = account
    refusal = b'HTTP/1.1 409 Conflict\r\nContent-Length: 15\r\n\r\n{"no": "clock"}'
    server = threading.Thread(target=answer_once, args=(listener, refusal), daemon=True)
    server.start()

    with pytest.raises(VendorRefused, match=r'GET /_control/hubspot/acme/objects/deals: 409 \{"no": "clock"\}'):
        hands.order("GET", "objects/deals")
    server.join()


def test_a_visitor_finds_deals_of_a_firm_that_nobody_connected(settings: Any, tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        settings.SANDBOX_URL = sandbox.url
        open_trial_accounts()
        deals = VendorAccount("hubspot", TRIAL).objects("deals")

    stages = {deal["properties"]["dealname"]: deal["properties"]["dealstage"] for deal in deals}
    assert stages == {"Brand film": "closedwon", "Campaign": "contractsent", "Launch site": "contractsent"}
