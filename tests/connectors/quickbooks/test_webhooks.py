"""Deliveries in both of Intuit's formats: genuine, forged, split by company."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from apps.connectors.sdk.webhooks import ForgedWebhook, InvalidDelivery, hmac_sha256_base64
from apps.connectors.vendors.quickbooks import QuickBooksConnector
from sandbox.quickbooks.company import realm_of
from tests.connectors.harness import webhook_receiver
from tests.connectors.quickbooks.support import NOW, add_customer, add_invoice, connect, pay

SECRET = "verifier-token"


def verify(body, signature=None):
    given = hmac_sha256_base64(SECRET, body) if signature is None else signature
    headers = {"intuit-signature": given} if given else {}
    return QuickBooksConnector.verify_webhook(
        secret=SECRET, headers=headers, body=body, url="https://p.test/hooks/x", now=NOW
    )


def notification(*pairs, at="2026-11-22T04:00:00-0700"):
    found = [
        {
            "realmId": realm,
            "dataChangeEvent": {"entities": [{"name": name, "id": "7", "operation": "Update", "lastUpdated": at}]},
        }
        for realm, name in pairs
    ]
    return json.dumps({"eventNotifications": found}).encode()


def test_one_delivery_is_split_by_company():
    events = verify(notification(("111", "Customer"), ("222", "Invoice"), ("222", "Vendor")))

    assert [(e.account_id, e.stream, e.external_id) for e in events] == [
        ("111", "customers", "7"),
        ("222", "invoices", "7"),
    ]
    assert events[0].occurred_at == datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    assert len({event.event_id for event in events}) == 2


def test_a_payment_also_asks_for_the_invoices():
    events = verify(notification(("111", "Payment")))

    assert [(e.stream, e.external_id) for e in events] == [("payments", "7"), ("invoices", "")]


def test_a_repeated_delivery_has_the_same_event_ids():
    body = notification(("111", "Invoice"))

    assert [e.event_id for e in verify(body)] == [e.event_id for e in verify(body)]


def test_cloud_events_are_read_too():
    entry = {
        "specversion": "1.0", "id": "88cd52aa-33b6-4351-9aa4-47572edbd068", "source": "intuit.x",
        "type": "qbo.invoice.updated.v1", "datacontenttype": "application/json", "time": "2026-09-10T21:31:25.179851517Z",
        "intuitentityid": "1234", "intuitaccountid": "310687", "data": {},
    }  # fmt: skip

    (event, *others) = verify(json.dumps([entry, {**entry, "type": "qbo.vendor.created.v1"}]).encode())

    assert others == []
    assert (event.event_id, event.account_id, event.stream, event.external_id) == (
        entry["id"],
        "310687",
        "invoices",
        "1234",
    )


@pytest.mark.parametrize("body", [b"not json", b"{}", b"7", b'[{"type": 5}]', b'{"eventNotifications": [{}]}'])
def test_signed_nonsense_is_refused(body):
    with pytest.raises(InvalidDelivery):
        verify(body)


@pytest.mark.parametrize("signature", ["", hmac_sha256_base64("guess", b"[]"), "00" * 32])
def test_forged_deliveries_are_refused(signature):
    with pytest.raises(ForgedWebhook):
        verify(b"[]", signature)


@pytest.mark.parametrize("style", ["cloud_events", "notifications"])
def test_the_simulator_signs_what_the_connector_accepts(server, control, style):
    connect(server, "acme")
    events = []
    with webhook_receiver() as (url, received):
        control.settings(webhook_format=style)
        control.webhooks(url, SECRET)
        customer = add_customer(control)
        invoice = add_invoice(control, customer)
        payment = pay(control, customer, (invoice["Id"], 5))
        while len(events) < 4:
            headers, body = received.get(timeout=10)
            events += verify(body, headers["intuit-signature"])

    assert {event.account_id for event in events} == {realm_of("acme")}
    assert [(event.stream, event.external_id) for event in events] == [
        ("customers", customer), ("invoices", invoice["Id"]), ("payments", payment["Id"]), ("invoices", ""),
    ]  # fmt: skip
