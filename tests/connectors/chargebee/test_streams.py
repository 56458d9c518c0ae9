"""What Chargebee shows, read: deleted objects, refunds, net amounts, cursors that stand still."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.connectors.sdk.errors import ConfigurationError, RateLimited
from apps.connectors.sdk.types import WriteRequest
from tests.connectors.chargebee.support import (
    add_customer,
    add_invoice,
    add_subscription,
    connect,
    euros,
    line,
    map_refs,
    map_source,
)
from tests.connectors.evaluation import read_all


def test_an_invoice_is_read_net_of_discount_and_tax(chargebee, control):
    control.settings(taxed=True)
    control.clock("2026-11-20T09:00:00Z")
    customer = add_customer(control)
    invoice = add_invoice(control, customer, 10_000, 250, discount=1250, po_number="PO 7")
    control.update("invoices", invoice, {"pay": 800})

    record = chargebee.stream("invoices").get(invoice)

    assert map_source("invoices", record.data) == {
        "number": "1",
        "reference": "PO 7",
        "status": "open",
        "issue_date": "2026-11-20",
        "due_date": "2026-12-20",
        "currency": "EUR",
        "subtotal": euros(9000),
        "tax": euros(1800),
        "total": euros(10800),
        "amount_paid": euros(800),
        "amount_due": euros(10000),
        "lines": [line(10000), line(250), line(-1250, "Discounts and rounding")],
    }
    assert map_refs("invoices", record.data) == {"account": customer, "subscription": None}


@pytest.mark.parametrize("kind", ["customers", "invoices", "subscriptions", "quotes"])
def test_what_was_deleted_is_seen(chargebee, control, kind):
    made = add_customer(control)
    if kind == "invoices":
        made = add_invoice(control, made)
    if kind == "subscriptions":
        made = add_subscription(control, made)
    if kind == "quotes":
        made = control.create("quotes", {"customer_id": made, "charges": [{"amount": 5, "description": "x"}]})["id"]
    _, checkpoint = read_all(chargebee.stream(kind))
    control.delete(kind, made)

    records, _ = read_all(chargebee.stream(kind), checkpoint)

    assert [(record.external_id, record.deleted) for record in records] == [(made, True)]
    assert chargebee.stream(kind).get(made) is None


def test_payments_are_told_from_refunds_and_attempts(chargebee, control):
    control.create("payments", {"amount": 100, "status": "failure"})
    control.create("payments", {"amount": 100, "type": "refund"})
    customer = add_customer(control)
    first, second = add_invoice(control, customer), add_invoice(control, customer)
    control.update("invoices", first, {"pay": 10_000})
    links = [{"invoice_id": first}, {"invoice_id": second}]
    both = control.create("payments", {"amount": 300, "linked_invoices": links})["id"]
    refund = {"linked_refunds": [{"txn_amount": 300, "txn_status": "success"}]}
    undone = control.create("payments", {"amount": 300, **refund})["id"]

    records = {record.external_id: record for record in read_all(chargebee.stream("payments"))[0]}

    paid = next(record for i, record in records.items() if i not in (both, undone))
    assert map_refs("payments", paid.data) == {"invoice": first}
    assert map_refs("payments", records[both].data) == {"invoice": None}
    assert {i: record.deleted for i, record in records.items()} == {paid.external_id: False, both: False, undone: True}


def test_a_metered_subscription_has_no_amount(chargebee, control):
    customer = add_customer(control)
    licensed, metered = add_subscription(control, customer), add_subscription(control, customer, "metered-hours")

    found = {
        name: map_source("subscriptions", chargebee.stream("subscriptions").get(i).data)
        for name, i in (("licensed", licensed), ("metered", metered))
    }

    assert (found["licensed"]["amount"], found["licensed"]["quantity"]) == (euros(10000), "2")
    assert (found["metered"]["amount"], found["metered"]["quantity"]) == (None, None)
    assert found["licensed"]["interval"] == "month"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"company": "Initech"}, "Initech"),
        ({"company": "", "first_name": "Ada", "last_name": "L"}, "Ada L"),
        ({"company": "", "email": "a@b.test"}, "a@b.test"),
    ],
)
def test_a_customer_is_called_by_what_there_is(chargebee, control, fields, name):
    customer = control.create("customers", fields)["id"]

    assert map_source("customers", chargebee.stream("customers").get(customer).data)["name"] == name


def test_the_second_run_asks_only_for_what_changed(chargebee, control):
    control.clock("2026-11-20T09:00:00Z")
    add_customer(control, "Old")
    changed = add_customer(control, "Changed")
    control.clock("2026-11-20T12:00:00Z")
    newest = add_customer(control, "Newest")
    _, checkpoint = read_all(chargebee.stream("customers"))
    control.update("customers", changed, {"company": "Changed again"})

    records, _ = read_all(chargebee.stream("customers"), checkpoint)

    assert {record.external_id for record in records} == {changed, newest}


def test_a_refused_key_is_explained(server, control):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, "acme", key="test_another_key").check()

    assert (caught.value.status, caught.value.code) == (401, "api_authentication_failed")


@pytest.mark.parametrize("site", ["", "acme.evil.test/", "a b"])
def test_a_site_is_one_word(server, control, site):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, "acme", base_url="", site=site)

    assert caught.value.code == "bad_site"


def test_a_site_leads_to_its_address(server, control):
    assert (
        connect(server, "acme", base_url="", site="Acme.chargebee.com").client.base_url == "https://acme.chargebee.com"
    )


def test_limits_are_known_by_their_code(chargebee, control):
    control.fault("429", retry_after=42)

    with pytest.raises(RateLimited) as caught:
        chargebee.check()

    assert (caught.value.retry_after, caught.value.code) == (42, "api_request_limit_exceeded")


def test_installments_show_when_and_how_much(chargebee, control):
    subscription = add_subscription(control, add_customer(control))
    control.create("schedules", {"subscription_id": subscription, "date": 1_798_761_600, "terms_to_charge": 3})
    monthly = {"days_before_renewal": 5, "terms_to_charge": 1, "created_at": 0}
    control.create("schedules", {"subscription_id": subscription, "fixed_interval_schedule": monthly})
    next_billing = control.objects("subscriptions")[0]["next_billing_at"]

    records, _ = read_all(chargebee.stream("schedules"))

    dated, repeating = (map_source("schedules", record.data) for record in records)
    assert dated == {
        "name": "3 terms in advance",
        "status": "planned",
        "due_date": "2027-01-01",
        "amount": euros(30_000),
    }
    five_days_before = datetime.fromtimestamp(next_billing - 5 * 86_400, tz=UTC).date().isoformat()
    assert (repeating["due_date"], repeating["amount"]) == (five_days_before, euros(10_000))
    assert map_refs("schedules", records[0].data) == {"subscription": subscription}


def test_a_second_date_goes_beside_the_first(chargebee, control):
    subscription = add_subscription(control, add_customer(control))
    sink = chargebee.sink("schedules")
    for day in ("2027-01-01", "2027-04-01"):
        values = {"subscription_id": subscription, "date": day, "amount": euros(10_000)}
        (made,) = sink.write([WriteRequest(key=f"k-{day}", payload=values)])
        assert made.error is None

    days = [record.data["due_at"][:10] for record in read_all(chargebee.stream("schedules"))[0]]
    assert days == ["2027-01-01", "2027-04-01"]


def test_an_amount_that_is_no_whole_term_is_refused(chargebee, control):
    values = {"subscription_id": add_subscription(control, add_customer(control)), "date": "2027-01-01"}
    (result,) = chargebee.sink("schedules").write([WriteRequest(key="k", payload={**values, "amount": euros(10_001)})])

    assert (result.error.code, control.objects("schedules")) == ("fraction", [])
