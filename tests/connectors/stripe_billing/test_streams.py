"""What Stripe shows, read: lists that hide, events that lie, lines that are cut, currencies that count otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.connectors.sdk.errors import ConfigurationError, RecordRejected, TransientError
from tests.connectors.evaluation import read_all
from tests.connectors.stripe_billing.support import (
    add_customer,
    add_subscription,
    connect,
    euros,
    line,
    map_refs,
    map_source,
)


def test_an_invoice_is_read_net_of_discount_and_tax(stripe, control):
    control.settings(taxed=True)
    control.clock("2026-11-20T09:00:00Z")
    customer = add_customer(control)
    lines = [{"quantity": 2, "unit_amount": 5000, "description": "Rollout"}, {"amount": 250, "description": "Travel"}]
    made = control.create(
        "invoices",
        {"customer": customer, "lines": lines, "discount_amount": 1250, "status": "open", "description": "PO 7"},
    )

    record = stripe.stream("invoices").get(made["id"])

    assert map_source("invoices", record.data) == {
        "number": "SANDBOX-0001",
        "reference": "PO 7",
        "status": "open",
        "issue_date": "2026-11-20",
        "due_date": "2026-12-20",
        "currency": "EUR",
        "subtotal": euros(9000),
        "tax": euros(1800),
        "total": euros(10800),
        "amount_paid": euros(0),
        "amount_due": euros(10800),
        "lines": [
            line(10000, quantity="2", price=5000, text="Rollout"),
            line(250, text="Travel"),
            line(-1250, text="Discount"),
        ],
    }
    assert map_refs("invoices", record.data) == {"account": customer, "subscription": None}


def test_more_than_ten_lines_are_all_read(stripe, control):
    lines = [{"amount": 100 + number, "description": f"Line {number}"} for number in range(23)]
    made = control.create("invoices", {"customer": add_customer(control), "lines": lines})

    found = stripe.stream("invoices").get(made["id"]).data["lines"]

    assert [entry["description"] for entry in found] == [f"Line {number}" for number in range(23)]


def test_events_say_only_where_to_look(stripe, control):
    customer = add_customer(control, "First name")
    _, checkpoint = read_all(stripe.stream("customers"))
    control.update("customers", customer, {"name": "Second name"})
    control.update("customers", customer, {"name": "Third name"})
    control.clear_requests()

    records, again = read_all(stripe.stream("customers"), checkpoint)

    assert [record.data["name"] for record in records] == ["Third name"]
    assert [request["path"] for request in control.requests()] == ["/v1/events", f"/v1/customers/{customer}"]
    assert again["since"] >= checkpoint["since"]


@pytest.mark.parametrize("kind", ["customers", "invoices"])
def test_what_was_deleted_is_seen(stripe, control, kind):
    customer = add_customer(control)
    gone = customer if kind == "customers" else control.create("invoices", {"customer": customer})["id"]
    _, checkpoint = read_all(stripe.stream(kind))
    control.delete(kind, gone)

    records, _ = read_all(stripe.stream(kind), checkpoint)

    assert [(record.external_id, record.deleted) for record in records] == [(gone, True)]
    assert stripe.stream(kind).get(gone) is None


def test_a_place_that_was_deleted_is_found_again(stripe, control):
    ids = [add_customer(control, f"Customer {number}") for number in range(6)]
    pages = stripe.stream("customers").read(checkpoint=None, page_size=2)
    first = next(pages)
    control.delete("customers", first.checkpoint["after"])

    seen = {record.external_id for page in pages for record in page.records}

    assert set(ids) - {first.checkpoint["after"]} <= seen | {record.external_id for record in first.records}


def test_after_thirty_days_the_whole_list_is_read_again(stripe, control):
    customer = add_customer(control)
    long_ago = int((datetime.now(UTC) - timedelta(days=30)).timestamp())

    records, checkpoint = read_all(stripe.stream("customers"), {"since": long_ago})

    assert [record.external_id for record in records] == [customer]
    assert checkpoint["since"] > long_ago


def test_canceled_subscriptions_are_read_although_lists_hide_them(stripe, control):
    customer = add_customer(control)
    subscription = add_subscription(control, customer, metadata={"name": "Retainer"})
    stripe.sink("subscriptions").connector.delete(f"/v1/subscriptions/{subscription}")

    (record,), _ = read_all(stripe.stream("subscriptions"))

    fields = map_source("subscriptions", record.data)
    assert (fields["name"], fields["status"], fields["next_billing_date"]) == ("Retainer", "cancelled", None)
    assert (fields["amount"], fields["quantity"], fields["interval"]) == (euros(10000), "2", "month")
    assert map_refs("subscriptions", record.data) == {"account": customer}


def test_the_amount_of_a_metered_subscription_is_unknown(stripe, control):
    subscription = add_subscription(control, add_customer(control), amount=None)
    control.update("subscriptions", subscription, {"pause_collection": {"behavior": "void"}})

    fields = map_source("subscriptions", stripe.stream("subscriptions").get(subscription).data)

    assert (fields["amount"], fields["status"]) == (None, "paused")


def test_only_charges_that_succeeded_are_payments_and_refunded_ones_are_gone(stripe, control):
    control.create("payments", {"amount": 100, "currency": "eur", "status": "failed"})
    part = control.create("payments", {"amount": 1000, "currency": "eur", "method": "sepa_debit"})
    whole = control.create("payments", {"amount": 500, "currency": "eur"})
    control.update("payments", part["id"], {"refund": 250})
    control.update("payments", whole["id"], {"refund": 500})

    records = {record.external_id: record for record in read_all(stripe.stream("payments"))[0]}

    assert {i: record.deleted for i, record in records.items()} == {part["id"]: False, whole["id"]: True}
    fields = map_source("payments", records[part["id"]].data)
    assert (fields["amount"], fields["method"]) == (euros(750), "sepa_debit")


def test_a_paid_invoice_and_its_charge_belong_together(stripe, control):
    customer = add_customer(control)
    invoice = control.create("invoices", {"customer": customer, "status": "open"})["id"]
    control.update("invoices", invoice, {"status": "paid"})

    (payment,), _ = read_all(stripe.stream("payments"))

    assert map_refs("payments", payment.data) == {"invoice": invoice}
    fields = map_source("invoices", stripe.stream("invoices").get(invoice).data)
    assert (fields["status"], fields["amount_paid"], fields["amount_due"]) == ("paid", euros(10000), euros(0))


@pytest.mark.parametrize(("currency", "amount"), [("isk", 12), ("jpy", 1200), ("eur", 1200)])
def test_currencies_without_small_units(stripe, control, currency, amount):
    """Stripe counts krónur in hundredths and yen whole."""
    control.create("payments", {"amount": 1200, "currency": currency})

    (payment,), _ = read_all(stripe.stream("payments"))

    assert payment.data["amount"] == {"amount": amount, "currency": currency.upper()}


def test_an_offer_is_read_with_its_lines(stripe, control):
    customer = add_customer(control)
    lines = [{"amount": 2020, "quantity": 2, "description": "Design"}]
    quote = control.create("quotes", {"customer": customer, "description": "Rollout", "status": "open", "lines": lines})

    fields = map_source("quotes", stripe.stream("quotes").get(quote["id"]).data)

    assert (fields["name"], fields["status"], fields["total"]) == ("Rollout", "sent", euros(2020))
    assert fields["lines"] == [line(2020, quantity="2", price=1010, text="Design")]


def test_a_customer_without_a_name_is_called_by_what_there_is(stripe, control):
    customer = add_customer(
        control, "", email="billing@initech.test", tax_id_data=[{"type": "eu_vat", "value": "DE123"}]
    )

    fields = map_source("customers", stripe.stream("customers").get(customer).data)

    assert (fields["name"], fields["tax_id"]) == ("billing@initech.test", "DE123")


def test_a_refused_key_is_explained(server, control):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, "acme", key="sk_test_other_key").check()

    assert caught.value.status == 401


@pytest.mark.parametrize(("status", "kind"), [(402, RecordRejected), (409, TransientError), (424, TransientError)])
def test_statuses_mean_what_stripe_means(stripe, control, status, kind):
    control.fault("status", status=status)

    with pytest.raises(kind):
        stripe.check()
