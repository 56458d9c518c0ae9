"""Deliveries of the simulator as our endpoint would see them: genuine, forged, and Xero's own test of the receiver."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from apps.connectors.sdk.webhooks import ForgedWebhook, InvalidDelivery, hmac_sha256_base64
from apps.connectors.vendors.xero import XeroConnector
from sandbox.xero import VENDOR
from tests.connectors.harness import webhook_receiver
from tests.connectors.xero.support import NOW, add_contact, add_invoice, connect

SECRET = "webhook-signing-key"
TENANT = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
INVOICE = "717f2bfc-c6d4-41fd-b238-3f2f0c0cf777"


def delivery(*events):
    entries = [
        {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{INVOICE}",
            "resourceId": INVOICE,
            "tenantId": TENANT,
            "tenantType": "ORGANISATION",
            "eventDateUtc": "2026-11-22T11:59:30.902",
            **event,
        }
        for event in events
    ]
    return json.dumps({"events": entries, "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "X"}).encode()


def verify(body, signature):
    headers = {"x-xero-signature": signature} if signature is not None else {}
    return XeroConnector.verify_webhook(
        secret=SECRET, headers=headers, body=body, url="https://p.test/hooks/x", now=NOW
    )


def test_a_changed_invoice_also_asks_for_the_payments():
    body = delivery({"eventCategory": "INVOICE", "eventType": "UPDATE"})

    invoice, payments = verify(body, hmac_sha256_base64(SECRET, body))

    assert (invoice.account_id, invoice.stream, invoice.external_id) == (TENANT, "invoices", INVOICE)
    assert invoice.occurred_at == datetime(2026, 11, 22, 11, 59, 30, 902000, tzinfo=UTC)
    assert (payments.account_id, payments.stream, payments.external_id) == (TENANT, "payments", "")
    assert invoice.event_id != payments.event_id


def test_a_repeated_delivery_has_the_same_event_id():
    body = delivery({"eventCategory": "CONTACT", "eventType": "CREATE"})
    signature = hmac_sha256_base64(SECRET, body)

    assert [e.event_id for e in verify(body, signature)] == [e.event_id for e in verify(body, signature)]
    assert [e.stream for e in verify(body, signature)] == ["contacts"]


def test_categories_without_a_stream_are_left_alone():
    body = delivery({"eventCategory": "SUBSCRIPTION", "eventType": "CREATE"})

    assert verify(body, hmac_sha256_base64(SECRET, body)) == []


def test_intent_to_receive_is_genuine_and_empty():
    body = json.dumps({"events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "S0m3"}).encode()

    assert verify(body, hmac_sha256_base64(SECRET, body)) == []


@pytest.mark.parametrize("case", ["missing", "other secret", "other body", "hex instead of base64"])
def test_forged_deliveries_are_refused(case):
    body = delivery({"eventCategory": "INVOICE", "eventType": "UPDATE"})
    signatures = {
        "missing": None,
        "other secret": hmac_sha256_base64("guess", body),
        "other body": hmac_sha256_base64(SECRET, body + b" "),
        "hex instead of base64": "00" * 32,
    }

    with pytest.raises(ForgedWebhook):
        verify(body, signatures[case])


@pytest.mark.parametrize("body", [b"not json", b"{}", b'{"events": [{}]}', b'{"events": 7}'])
def test_signed_nonsense_is_refused_too(body):
    with pytest.raises(InvalidDelivery):
        verify(body, hmac_sha256_base64(SECRET, body))


def test_the_simulator_signs_what_the_connector_accepts(server, control):
    xero = connect(server, "acme")
    events = []
    with webhook_receiver() as (url, received):
        control.webhooks(url, SECRET)
        contact_id = add_contact(control)
        invoice = add_invoice(control, contact_id)
        control.update("invoices", invoice["InvoiceID"], {"Status": "PAID"})
        while len(events) < 4:
            headers, body = received.get(timeout=10)
            events += verify(body, headers["x-xero-signature"])

    assert {event.account_id for event in events} == {xero.tenant_id}
    assert [(event.stream, event.external_id) for event in events] == [
        ("contacts", contact_id),
        ("invoices", invoice["InvoiceID"]),
        ("invoices", invoice["InvoiceID"]),
        ("payments", ""),
    ]


def test_the_simulator_can_ask_for_intent_to_receive(tmp_path):
    from sandbox.server import Sandbox

    app = Sandbox(tmp_path)
    body = VENDOR.webhook_body(app._account(VENDOR, "acme"), [])
    headers = VENDOR.webhook_headers(secret=SECRET, url="https://p.test/h", body=body, now=NOW)
    app.close()

    assert verify(body, headers["x-xero-signature"]) == []
