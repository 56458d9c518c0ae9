"""Deliveries: genuine, forged, replayed, signed with two secrets at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from apps.connectors.sdk.webhooks import ForgedWebhook, InvalidDelivery, hmac_sha256_hex
from apps.connectors.vendors.stripe_billing import StripeConnector
from tests.connectors.stripe_billing.support import NOW

SECRET = "whsec_0123456789"
BODY = json.dumps(
    {"id": "evt_1", "object": "event", "created": 1795348800, "type": "invoice.paid", "data": {"object": {"id": "in_1", "object": "invoice"}}}
).encode()  # fmt: skip


def signed(body=BODY, *, at=NOW, secret=SECRET):
    stamp = int(at.timestamp())
    return f"t={stamp},v1={hmac_sha256_hex(secret, f'{stamp}.'.encode() + body)}"


def verify(body=BODY, header=None, *, now=NOW):
    headers = {"stripe-signature": signed(body) if header is None else header}
    return StripeConnector.verify_webhook(secret=SECRET, headers=headers, body=body, url="https://p.test/h", now=now)


def test_a_genuine_event_names_the_object():
    (event,) = verify()

    assert (event.event_id, event.stream, event.external_id) == ("evt_1", "invoices", "in_1")
    assert event.occurred_at == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_while_the_secret_is_replaced_either_signature_will_do():
    old = signed(secret="whsec_old")
    assert verify(header=f"{old},v1={signed().rpartition('=')[2]},v0=ffff")[0].event_id == "evt_1"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_replay_is_refused(seconds):
    with pytest.raises(ForgedWebhook):
        verify(now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=00", signed(secret="guess"), signed().replace("v1=", "v0="), "t=x,v1=00"]
)
def test_forgeries_are_refused(header):
    with pytest.raises(ForgedWebhook):
        verify(header=header)


@pytest.mark.parametrize("body", [b"no json", b"{}", b"[]", b'{"data": {"object": 7}}'])
def test_signed_nonsense_is_refused(body):
    with pytest.raises(InvalidDelivery):
        verify(body)


def test_other_objects_are_left_alone():
    body = json.dumps({"id": "evt_2", "created": 1, "data": {"object": {"id": "po_1", "object": "payout"}}}).encode()

    assert verify(body) == []
