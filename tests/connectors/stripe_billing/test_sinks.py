"""Writing Stripe: drafts, items and finalizing, keys that come back, fractions of hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from apps.connectors.sdk.errors import FatalError, TransientError
from apps.connectors.sdk.types import WriteRequest
from tests.connectors.stripe_billing.support import add_customer, add_subscription, euros, line, map_sink, map_source


def create(sink, key="k-1", **payload):
    (result,) = sink.write([WriteRequest(key=key, payload=payload)])
    return result


def update(sink, external_id, **payload):
    (result,) = sink.write([WriteRequest(key="k-2", payload=payload, external_id=external_id)])
    return result


def invoice(control, *, status="draft", lines=None, **fields):
    record = {"status": status, "reference": "PO 7", "due_date": "2026-12-31", "lines": lines or [line(5000)], **fields}
    return map_sink("invoices", record, {"account": add_customer(control)})


def test_hours_survive_although_stripe_counts_whole_pieces(stripe, control):
    lines = [line(48747, quantity="3.25", price=14999, text="Consulting"), line(2020, quantity="2", price=1010)]

    result = create(stripe.sink("invoices"), **invoice(control, status="open", lines=lines))

    fields = map_source("invoices", result.record.data)
    assert (fields["status"], fields["number"], fields["reference"]) == ("open", "SANDBOX-0001", "PO 7")
    assert (fields["total"], fields["due_date"]) == (euros(50767), "2026-12-31")
    assert fields["lines"] == lines


def test_pending_items_of_the_customer_stay_out_of_it(stripe, control):
    payload = invoice(control)
    stripe.post("/v1/invoiceitems", {"customer": payload["customer"], "amount": 777, "currency": "eur"})

    result = create(stripe.sink("invoices"), **payload)

    assert map_source("invoices", result.record.data)["total"] == euros(5000)


@pytest.mark.parametrize("lost", ["/v1/invoices", "/v1/invoiceitems", "/v1/invoices/in_00000000000001/finalize"])
def test_whichever_answer_is_lost_the_repeat_makes_one_invoice(stripe, control, lost):
    request = WriteRequest(key="k-1", payload=invoice(control, status="open", lines=[line(100), line(200)]))
    control.fault("timeout_after_commit", method="POST", path_prefix=lost)
    with pytest.raises(TransientError):
        stripe.sink("invoices").write([request])

    (result,) = stripe.sink("invoices").write([request])

    assert result.error is None
    (held,) = control.objects("invoices")
    assert (held["status"], held["total"], len(held["lines"]["data"])) == ("open", 300, 2)


def test_an_invoice_with_a_refused_line_leaves_nothing_behind(stripe, control):
    bad = {**line(100), "amount": {"amount": 100, "currency": "USD"}}

    result = create(stripe.sink("invoices"), **invoice(control, lines=[line(100), bad]))

    assert "cannot combine currencies" in result.error.message
    assert control.objects("invoices") == []


def test_what_was_made_is_found_by_its_mark(stripe, control):
    made = create(stripe.sink("invoices"), "itl-77", **invoice(control))

    assert stripe.sink("invoices").resolve("itl-77").external_id == made.record.external_id
    assert stripe.sink("invoices").resolve("itl-78") is None


@pytest.mark.parametrize("lost", ["/v1/invoices", "/v1/invoiceitems"])
def test_a_draft_left_half_way_is_not_taken_for_the_invoice(stripe, control, lost):
    request = WriteRequest(key="itl-77", payload=invoice(control, status="open", lines=[line(100), line(200)]))
    control.fault("timeout_after_commit", method="POST", path_prefix=lost)
    with pytest.raises(TransientError):
        stripe.sink("invoices").write([request])

    assert stripe.sink("invoices").resolve("itl-77") is None
    (result,) = stripe.sink("invoices").write([request])
    found = stripe.sink("invoices").resolve("itl-77")

    assert found.external_id == result.record.external_id
    assert map_source("invoices", found.data)["total"] == euros(300)
    assert len(control.objects("invoices")) == 1


def test_a_draft_left_half_way_too_long_ago_is_taken_away(stripe, control):
    payload = invoice(control, status="open")
    control.clock((datetime.now(UTC) - timedelta(hours=24)).isoformat())
    control.fault("timeout_after_commit", method="POST", path_prefix="/v1/invoices")
    with pytest.raises(TransientError):
        stripe.sink("invoices").write([WriteRequest(key="itl-77", payload=payload)])

    assert stripe.sink("invoices").resolve("itl-77") is None
    assert control.objects("invoices") == []


def test_a_draft_changes_its_lines_and_a_finalized_one_does_not(stripe, control):
    payload = invoice(control)
    made = create(stripe.sink("invoices"), **payload).record.external_id

    changed = update(stripe.sink("invoices"), made, **{**payload, "lines": [line(700), line(800)], "status": "open"})
    refused = update(stripe.sink("invoices"), made, **{**payload, "lines": [line(1)], "status": "open"})
    repeated = update(stripe.sink("invoices"), made, **{**payload, "lines": [line(800), line(700)], "status": "open"})

    assert map_source("invoices", changed.record.data)["total"] == euros(1500)
    assert refused.error.code == "invoice_not_editable"
    assert repeated.error is None


def test_a_draft_set_back_to_earlier_lines_gets_them(stripe, control):
    """An idempotency key would give the first items again, which are deleted."""
    payload = invoice(control)
    made = create(stripe.sink("invoices"), **payload).record.external_id
    for lines in ([line(700)], payload["lines"], [line(700)]):
        result = update(stripe.sink("invoices"), made, **{**payload, "lines": lines})
        assert map_source("invoices", result.record.data)["lines"] == lines


@pytest.mark.parametrize(
    ("start", "wanted"), [("draft", "void"), ("open", "void"), ("open", "paid"), ("draft", "paid")]
)
def test_an_invoice_moves_on(stripe, control, start, wanted):
    payload = invoice(control, status=start)
    made = create(stripe.sink("invoices"), **payload).record.external_id

    result = update(stripe.sink("invoices"), made, status=wanted)

    assert map_source("invoices", result.record.data)["status"] == wanted


def test_a_deleted_customer_is_refused(stripe, control):
    customer = add_customer(control)
    control.delete("customers", customer)

    assert update(stripe.sink("customers"), customer, name="Initech").error.code == "resource_missing"


def test_a_cleared_field_is_cleared(stripe, control):
    customer = add_customer(control, phone="5", metadata={"number": "10042"})

    update(stripe.sink("customers"), customer, name="Initech", phone=None, number=None)

    (held,) = control.objects("customers")
    assert (held["phone"], held["metadata"]) == (None, {})


def test_forms_are_bracketed(stripe, control):
    terms = {"name": "Retainer", "status": "active", "amount": euros(9000), "quantity": "3", "interval": "quarter"}
    create(stripe.sink("subscriptions"), **map_sink("subscriptions", terms, {"account": add_customer(control)}))

    (sent,) = [parse_qs(r["body"]) for r in control.requests() if r["path"] == "/v1/subscriptions"]

    assert sent["items[0][price_data][unit_amount]"] == ["3000"]
    assert sent["items[0][price_data][recurring][interval_count]"] == ["3"]
    assert sent["metadata[name]"] == ["Retainer"]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"quantity": "1.5"}, "fraction"), ({"quantity": "7"}, "indivisible"), ({"product": ""}, "incomplete")],
)
def test_a_subscription_stripe_cannot_hold_is_refused(stripe, control, change, code):
    terms = {"name": "Retainer", "status": "active", "amount": euros(9000), "quantity": "1", "interval": "month"}
    payload = map_sink("subscriptions", terms, {"account": add_customer(control)})

    assert create(stripe.sink("subscriptions"), **{**payload, **change}).error.code == code


def test_cancelling_is_done_once_and_for_good(stripe, control):
    subscription = add_subscription(control, add_customer(control))
    sink = stripe.sink("subscriptions")

    first = update(sink, subscription, status="cancelled")
    second = update(sink, subscription, status="cancelled")
    back = update(sink, subscription, status="active")

    assert [map_source("subscriptions", r.record.data)["status"] for r in (first, second)] == ["cancelled", "cancelled"]
    assert back.error.code == "canceled"


def test_a_key_with_other_parameters_is_our_mistake(stripe, control):
    headers = {"idempotency-key": "same"}
    stripe.client.post("/v1/customers", form={"name": "A"}, headers=headers)

    with pytest.raises(FatalError):
        stripe.client.post("/v1/customers", form={"name": "B"}, headers=headers)
