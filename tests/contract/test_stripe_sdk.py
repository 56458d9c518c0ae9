"""Stripe's own Python library against our simulator, and its check of our webhook signature."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from apps.connectors.vendors.stripe_billing import StripeConnector
from sandbox.stripe_billing import VENDOR
from tests.connectors.stripe_billing.support import KEY, add_customer, add_subscription, connect

pytestmark = pytest.mark.contract


@pytest.fixture
def control(server):
    found = server.control("stripe_billing", "sdk")
    found.reset()
    return found


@pytest.fixture
def client(server, control):
    connect(server, "sdk")
    addresses = {"api": server.base_url("stripe_billing", "sdk")}
    return stripe.StripeClient(KEY, base_addresses=addresses, stripe_version="2020-08-27", max_network_retries=0)


def test_the_sdk_walks_from_customer_to_paid_invoice(client):
    customer = client.v1.customers.create(
        {"name": "Initech", "email": "billing@initech.test", "metadata": {"number": "7"}}
    )
    draft = client.v1.invoices.create(
        {
            "customer": customer.id,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "pending_invoice_items_behavior": "exclude",
        }
    )
    for amount in (48747, 2020):
        client.v1.invoice_items.create(
            {"customer": customer.id, "invoice": draft.id, "amount": amount, "currency": "eur"}
        )
    opened = client.v1.invoices.finalize_invoice(draft.id, {"auto_advance": False})
    paid = client.v1.invoices.pay(draft.id, {"paid_out_of_band": True})

    assert (opened.status, opened.total, opened.number) == ("open", 50767, "SANDBOX-0001")
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert [entry.amount for entry in paid.lines.data] == [48747, 2020]
    assert customer.metadata["number"] == "7"


def test_the_sdk_pages_through_everything(client, control):
    made = {add_customer(control, f"Customer {number}") for number in range(7)}

    listed = [found.id for found in client.v1.customers.list({"limit": 3}).auto_paging_iter()]

    assert len(listed) == 7
    assert set(listed) == made
    assert {event.type for event in client.v1.events.list({"limit": 3}).auto_paging_iter()} == {"customer.created"}


def test_the_sdk_expands_and_cancels(client, control):
    customer = add_customer(control)
    found = client.v1.subscriptions.retrieve(add_subscription(control, customer), {"expand": ["customer"]})

    canceled = client.v1.subscriptions.cancel(found.id)

    assert found.customer.name == "Initech"
    assert (canceled.status, client.v1.subscriptions.list({"status": "all"}).data[0].id) == ("canceled", found.id)


def test_the_sdk_understands_deleted_customers_and_refusals(client, control):
    customer = add_customer(control)
    client.v1.customers.delete(customer)

    assert client.v1.customers.retrieve(customer).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.invoices.retrieve("in_missing")
    assert (caught.value.code, caught.value.http_status) == ("resource_missing", 404)
    with pytest.raises(stripe.InvalidRequestError, match="Nothing to invoice"):
        client.v1.invoices.create({"customer": add_customer(control)})


def test_the_sdk_repeats_under_one_key(client):
    options = {"idempotency_key": "same"}
    first = client.v1.customers.create({"name": "A"}, options)

    assert client.v1.customers.create({"name": "A"}, options).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "B"}, options)


def test_the_sdk_accepts_our_signature_and_we_accept_it():
    body = b'{"id": "evt_1", "object": "event", "created": 1, "data": {"object": {"id": "in_1", "object": "invoice"}}}'
    now = datetime.fromtimestamp(int(time.time()), tz=UTC)
    headers = VENDOR.webhook_headers(secret="whsec_x", url="https://p.test/h", body=body, now=now)

    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_x").id == "evt_1"
    lower = {name.lower(): value for name, value in headers.items()}
    given = {"headers": lower, "body": body, "url": "https://p.test/h", "now": now}
    assert StripeConnector.verify_webhook(secret="whsec_x", **given)[0].event_id == "evt_1"


def test_the_sdk_sends_usage_and_reads_what_a_meter_counted(client, control):
    """The same calls as the connector's: names of parameters are the library's own."""
    customer = add_customer(control, "Metered")
    (meter,) = client.v1.billing.meters.list({"status": "active", "limit": 100}).data
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    start = int(day.timestamp())
    values = {
        "event_name": meter.event_name, "identifier": "itl-1", "timestamp": start + 43_200,
        "payload": {meter.customer_mapping.event_payload_key: customer, meter.value_settings.event_payload_key: "2.5"},
    }  # fmt: skip
    event = client.v1.billing.meter_events.create(values)
    with pytest.raises(stripe.InvalidRequestError, match="already exists with identifier itl-1"):
        client.v1.billing.meter_events.create(values)
    window = {"customer": customer, "start_time": start, "end_time": start + 86_400, "value_grouping_window": "day"}
    (counted,) = client.v1.billing.meters.event_summaries.list(meter.id, window).data

    assert (event.identifier, event.event_name) == ("itl-1", "support_hours")
    assert (counted.aggregated_value, counted.start_time) == (2.5, start)
