"""Deliveries that show a password: genuine, forged, and only ever a hint."""

from __future__ import annotations

import base64
import json

import pytest

from apps.connectors.sdk.webhooks import ForgedWebhook, InvalidDelivery
from apps.connectors.vendors.chargebee import ChargebeeConnector
from tests.connectors.chargebee.support import NOW, add_customer, add_invoice
from tests.connectors.harness import webhook_receiver

SECRET = "interlace:s3cret-pass"  # noqa: S105 - of a simulated site


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def verify(body, header=None):
    headers = {"authorization": basic(SECRET) if header is None else header}
    return ChargebeeConnector.verify_webhook(secret=SECRET, headers=headers, body=body, url="https://p.test/h", now=NOW)


def test_one_event_names_everything_it_touched():
    content = {"transaction": {"id": "txn_1"}, "invoice": {"id": "7"}, "customer": {"id": "cus_1"}, "card": {"id": "x"}}
    body = json.dumps(
        {"id": "ev_1", "occurred_at": 1795348800, "event_type": "payment_succeeded", "content": content}
    ).encode()

    events = verify(body)

    assert [(event.stream, event.external_id) for event in events] == [
        ("payments", "txn_1"), ("invoices", "7"), ("customers", "cus_1"),
    ]  # fmt: skip
    assert {event.occurred_at for event in events} == {NOW}
    assert len({event.event_id for event in events}) == 3


@pytest.mark.parametrize("header", ["", "Basic", basic("interlace:guess"), basic("s3cret-pass"), f"Bearer {SECRET}"])
def test_a_wrong_password_is_refused(header):
    with pytest.raises(ForgedWebhook):
        verify(b'{"id": "ev_1", "occurred_at": 1, "content": {}}', header)


@pytest.mark.parametrize(
    "body", [b"no json", b"{}", b"[]", b'{"id": "e", "occurred_at": 1, "content": {"invoice": {}}}']
)
def test_nonsense_is_refused(body):
    with pytest.raises(InvalidDelivery):
        verify(body)


def test_the_simulator_shows_what_the_connector_accepts(control, chargebee):
    events = []
    with webhook_receiver() as (url, received):
        control.webhooks(url, SECRET)
        customer = add_customer(control)
        invoice = add_invoice(control, customer)
        while len(events) < 2:
            headers, body = received.get(timeout=10)
            events += verify(body, headers["authorization"])

    assert [(event.stream, event.external_id) for event in events] == [("customers", customer), ("invoices", invoice)]
