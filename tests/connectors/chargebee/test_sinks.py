"""Writing Chargebee: ids of our own, documents that do not change, quantities it cannot hold."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.types import WriteRequest
from tests.connectors.chargebee.support import (
    add_customer,
    add_invoice,
    add_subscription,
    euros,
    line,
    map_refs,
    map_sink,
    map_source,
)


def create(sink, key="k-1", **payload):
    (result,) = sink.write([WriteRequest(key=key, payload=payload)])
    return result


def update(sink, external_id, **payload):
    (result,) = sink.write([WriteRequest(key="k-2", payload=payload, external_id=external_id)])
    return result


def test_the_key_is_the_id_so_there_is_one_whatever_is_forgotten(chargebee, control):
    """Also when the vendor no longer remembers the idempotency key, and the record has changed meanwhile."""
    sink = chargebee.sink("customers")
    first = create(sink, "k" * 64, company="Initech")
    again = create(sink, "k" * 64, company="Initech")
    found = sink.resolve("k" * 64)

    assert first.record.external_id == again.record.external_id == found.external_id
    assert len(control.objects("customers")) == 1
    assert sink.resolve("other") is None


def test_an_id_taken_by_a_deleted_customer_is_no_success(chargebee, control):
    made = create(chargebee.sink("customers"), company="Initech").record.external_id
    control.delete("customers", made)

    result = create(chargebee.sink("customers"), company="Initech AG")

    assert result.error.code == "duplicate_entry"


def test_an_account_is_written_and_a_cleared_field_is_cleared(chargebee, control):
    record = {"name": "Initech", "email": "a@b.test", "phone": "5", "currency": "EUR", "tax_id": "DE1"}
    made = create(chargebee.sink("customers"), **map_sink("customers", record, {})).record

    changed = update(
        chargebee.sink("customers"),
        made.external_id,
        **map_sink("customers", {**record, "phone": None, "tax_id": "DE2"}, {}),
    )

    assert map_source("customers", made.data) == record
    assert map_source("customers", changed.record.data) == {**record, "phone": None, "tax_id": "DE2"}


@pytest.mark.parametrize(("status", "expected"), [("draft", "draft"), ("open", "open"), ("void", "void")])
def test_an_invoice_is_made_in_its_state(chargebee, control, status, expected):
    record = {
        "status": status,
        "currency": "EUR",
        "reference": "PO 7",
        "issue_date": "2026-11-20",
        "lines": [line(5000)],
    }
    payload = map_sink("invoices", record, {"account": add_customer(control)})

    fields = map_source("invoices", create(chargebee.sink("invoices"), **payload).record.data)

    assert (fields["status"], fields["reference"], fields["issue_date"]) == (expected, "PO 7", "2026-11-20")
    assert fields["lines"] == [line(5000)]


def test_an_invoice_moves_on_but_keeps_its_lines(chargebee, control):
    invoice = add_invoice(control, add_customer(control), create_pending_invoice="true")
    sink = chargebee.sink("invoices")

    opened = update(sink, invoice, status="open", po_number="PO 8", lines=[line(10_000)])
    refused = update(sink, invoice, status="open", lines=[line(1)])
    voided = update(sink, invoice, status="void")
    again = update(sink, invoice, status="void")

    fields = map_source("invoices", opened.record.data)
    assert (fields["status"], fields["reference"]) == ("open", "PO 8")
    assert refused.error.code == "lines_fixed"
    assert [map_source("invoices", r.record.data)["status"] for r in (voided, again)] == ["void", "void"]


def test_a_payment_is_recorded_against_its_invoice(chargebee, control):
    invoice = add_invoice(control, add_customer(control))
    record = {"amount": euros(4000), "paid_date": "2026-11-21", "reference": "Wire 7"}

    made = create(chargebee.sink("payments"), **map_sink("payments", record, {"invoice": invoice}))

    assert map_source("payments", made.record.data) == {**record, "method": "bank_transfer"}
    assert map_refs("payments", made.record.data) == {"invoice": invoice}
    assert chargebee.stream("invoices").get(invoice).data["due"] == euros(6000)


def test_usage_is_recorded_to_the_hundredth_of_an_hour(chargebee, control):
    subscription = add_subscription(control, add_customer(control), "metered-hours")
    record = {"name": "Consulting", "usage_date": "2026-11-20", "quantity": "3.25"}

    made = create(chargebee.sink("usages"), **map_sink("usages", record, {"subscription": subscription}))

    assert map_source("usages", made.record.data) == {**record, "unit": "metered-hours"}
    assert map_refs("usages", made.record.data) == {"subscription": subscription}


@pytest.mark.parametrize(
    ("change", "code"),
    [({"quantity": "1.5"}, "fraction"), ({"quantity": "7"}, "indivisible"), ({"item_price_id": None}, "no_item_price")],
)
def test_a_subscription_chargebee_cannot_hold_is_refused(chargebee, control, change, code):
    record = {"name": "Retainer", "status": "active", "amount": euros(9000), "quantity": "1"}
    payload = map_sink("subscriptions", record, {"account": add_customer(control)})

    assert create(chargebee.sink("subscriptions"), **{**payload, **change}).error.code == code


def test_cancelling_is_done_once_and_for_good(chargebee, control):
    subscription = add_subscription(control, add_customer(control))
    sink = chargebee.sink("subscriptions")

    first, second = (update(sink, subscription, status="cancelled") for _ in range(2))
    back = update(sink, subscription, status="active")

    assert [map_source("subscriptions", r.record.data)["status"] for r in (first, second)] == ["cancelled", "cancelled"]
    assert back.error.code == "cancelled"
