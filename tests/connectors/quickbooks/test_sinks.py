"""Writing QuickBooks: sync tokens that go stale, batches with one bad item, voids, request ids."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.types import WriteRequest
from tests.connectors.quickbooks.support import add_customer, add_invoice, map_sink, map_source, pay


def update(sink, external_id, **payload):
    (result,) = sink.write([WriteRequest(key=f"k-{external_id}", payload=payload, external_id=external_id)])
    return result


def create(sink, key="k-1", **payload):
    (result,) = sink.write([WriteRequest(key=key, payload=payload)])
    return result


def held(control, kind, external_id):
    return next(item for item in control.objects(kind) if item["Id"] == external_id)


def test_a_change_leaves_everything_else_as_it_was(quickbooks, control):
    customer = add_customer(control, Notes="Pays late", PrimaryPhone={"FreeFormNumber": "5"})

    result = update(quickbooks.sink("customers"), customer, DisplayName="Initech GmbH", Email="a@b.test")

    stored = held(control, "customers", customer)
    assert result.error is None
    assert (stored["DisplayName"], stored["PrimaryEmailAddr"], stored["Notes"]) == (
        "Initech GmbH",
        {"Address": "a@b.test"},
        "Pays late",
    )
    assert stored["PrimaryPhone"] == {"FreeFormNumber": "5"}


def test_a_value_taken_away_is_taken_away(quickbooks, control):
    customer = add_customer(control, PrimaryPhone={"FreeFormNumber": "5"})

    result = update(quickbooks.sink("customers"), customer, DisplayName="Initech", Phone=None)

    assert map_source("customers", result.record.data)["phone"] is None
    assert "PrimaryPhone" not in held(control, "customers", customer)


def test_somebody_who_saved_in_between_is_not_overwritten(quickbooks, control):
    customer = add_customer(control)
    sink = quickbooks.sink("customers")
    find_all, edits = sink.stream.find_all, iter(["Fax only", None])

    def slow_find_all(ids):
        found = find_all(ids)
        if note := next(edits):
            control.update("customers", customer, {"Notes": note})
        return found

    sink.stream.find_all = slow_find_all
    result = update(sink, customer, DisplayName="Initech", Email="a@b.test")

    stored = held(control, "customers", customer)
    assert result.error is None
    assert (stored["Notes"], stored["PrimaryEmailAddr"], stored["SyncToken"]) == (
        "Fax only",
        {"Address": "a@b.test"},
        "2",
    )


def test_an_object_that_never_stands_still_is_refused_with_the_reason(quickbooks, control):
    customer = add_customer(control)
    sink = quickbooks.sink("customers")
    find_all = sink.stream.find_all

    def too_slow(ids):
        found = find_all(ids)
        control.update("customers", customer, {"Notes": "again"})
        return found

    sink.stream.find_all = too_slow
    result = update(sink, customer, DisplayName="Initech")

    assert result.error.code == "5010"
    assert "same time" in result.error.message


def test_thirty_changes_are_one_call_and_a_bad_one_stops_no_other(quickbooks, control):
    ids = [add_customer(control, f"Customer {number}") for number in range(31)]
    requests = [
        WriteRequest(
            key=f"k-{number}", payload={"DisplayName": "Customer 0" if number == 5 else f"New {number}"}, external_id=i
        )
        for number, i in enumerate(ids)
    ]
    requests[0] = WriteRequest(key="k-0", payload={"Email": "x@y.test"}, external_id=ids[0])
    control.clear_requests()

    results = quickbooks.sink("customers").write(requests)

    assert [result.key for result in results] == [request.key for request in requests]
    assert [number for number, result in enumerate(results) if result.error] == [5]
    assert results[5].error.code == "6240"
    calls = [request["path"].rsplit("/", 1)[1] for request in control.requests()]
    assert calls == ["query", "batch", "query", "batch"]


def test_what_was_deleted_meanwhile_is_refused(quickbooks, control):
    invoice = add_invoice(control, add_customer(control))
    control.delete("invoices", invoice["Id"])

    assert update(quickbooks.sink("invoices"), invoice["Id"], DueDate="2027-01-01").error.code == "610"
    assert update(quickbooks.sink("invoices"), invoice["Id"], Status="void").error.code == "610"


def test_voiding_is_done_once(quickbooks, control):
    invoice = add_invoice(control, add_customer(control))
    control.clear_requests()

    first = update(quickbooks.sink("invoices"), invoice["Id"], Status="void", DueDate="2027-01-01")
    second = update(quickbooks.sink("invoices"), invoice["Id"], Status="void", DueDate="2027-01-01")

    assert [map_source("invoices", r.record.data)["status"] for r in (first, second)] == ["void", "void"]
    assert [request["query"] for request in control.requests() if request["method"] == "POST"] == [
        "operation=void&minorversion=75"
    ]


def test_a_corrected_record_is_not_given_the_old_refusal(quickbooks, control):
    add_customer(control, "Taken")
    sink = quickbooks.sink("customers")

    refused = create(sink, "k-7", DisplayName="Taken")
    corrected = create(sink, "k-7", DisplayName="Free")

    assert refused.error.code == "6240"
    assert corrected.record.data["DisplayName"] == "Free"


def test_request_ids_are_as_long_as_allowed(quickbooks, control):
    create(quickbooks.sink("customers"), "k" * 64, DisplayName="Long")

    (query,) = [request["query"] for request in control.requests() if request["method"] == "POST"]
    assert len(dict(part.split("=") for part in query.split("&"))["requestid"]) == 50


def test_an_invoice_for_a_job_stays_with_the_job(quickbooks, control):
    customer = add_customer(control)
    job = add_customer(control, "Kitchen", ParentRef={"value": customer})
    invoice = add_invoice(control, job)

    result = update(quickbooks.sink("invoices"), invoice["Id"], CustomerId=customer, DueDate="2027-01-01")

    assert result.record.data["CustomerId"] == customer
    assert held(control, "invoices", invoice["Id"])["CustomerRef"]["value"] == job


def test_a_payment_pays_the_invoice_of_its_customer(quickbooks, control):
    customer = add_customer(control)
    invoice = add_invoice(control, customer)
    payload = map_sink(
        "payments",
        {"amount": {"amount": 8501, "currency": "USD"}, "paid_date": "2026-11-21", "reference": "Wire 7"},
        {"invoice": invoice["Id"]},
        {},
    )

    made = create(quickbooks.sink("payments"), **payload)
    more = update(quickbooks.sink("payments"), made.record.external_id, **{**payload, "TotalAmt": "100.00"})

    assert (made.error, more.error) == (None, None)
    assert held(control, "payments", made.record.external_id)["CustomerRef"]["value"] == customer
    assert held(control, "invoices", invoice["Id"])["Balance"] == 485


def test_more_than_is_open_is_refused(quickbooks, control):
    customer = add_customer(control)
    invoice = add_invoice(control, customer)
    pay(control, customer, (invoice["Id"], 500))

    result = create(quickbooks.sink("payments"), InvoiceId=invoice["Id"], TotalAmt="100.00")

    assert result.error.code == "6000"


@pytest.mark.parametrize(("status", "expected"), [("sent", "sent"), ("accepted", "accepted"), ("declined", "declined")])
def test_an_offer_keeps_its_state(quickbooks, control, status, expected):
    line = {"description": "Work", "quantity": "2", "unit_price": {"amount": 1010, "currency": "USD"}, "amount": {"amount": 2020, "currency": "USD"}}  # fmt: skip
    offer = {"name": "Rollout", "status": status, "currency": "USD", "expiry_date": "2026-12-31", "lines": [line]}
    payload = map_sink("estimates", offer, {"account": add_customer(control)}, {"sales_item": "1"})

    result = create(quickbooks.sink("estimates"), **payload)

    fields = map_source("estimates", result.record.data)
    assert (fields["name"], fields["status"], fields["total"]) == (
        "Rollout",
        expected,
        {"amount": 2020, "currency": "USD"},
    )
    assert fields["expiry_date"] == "2026-12-31"
    assert fields["lines"] == [line]
