"""Writing: what Xero ends up with, and that no object is made twice."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import FatalError, RecordRejected, TransientError
from apps.connectors.sdk.types import WriteRequest
from tests.connectors.xero.support import add_contact, add_invoice, map_sink, map_source

KEY = "itl-inv-0123456789abcdef0123456789abcdef"


def invoice_payload(contact_id, **fields):
    record = {
        "status": "open",
        "currency": "EUR",
        "issue_date": "2026-11-20",
        "due_date": "2026-12-20",
        "lines": [
            {
                "description": "Consulting, November",
                "quantity": "3.25",
                "unit_price": {"amount": 14999, "currency": "EUR"},
                "amount": {"amount": 48747, "currency": "EUR"},
            }
        ],
        **fields,
    }
    return map_sink("invoices", record, {"account": contact_id}, {"sales_account": "200", "tax_type": "OUTPUT"})


def create_invoice(xero, control, key=KEY, **fields):
    request = WriteRequest(key=key, payload=invoice_payload(add_contact(control), **fields))
    return xero.sink("invoices").write([request])[0]


def test_contact_is_created_with_every_field(xero, control):
    account = {
        "name": "Initech GmbH",
        "number": "10042",
        "email": "billing@initech.test",
        "phone": "+49 30 1234567",
        "currency": "EUR",
        "tax_id": "DE123456789",
    }
    request = WriteRequest(key=KEY, payload=map_sink("contacts", account, {}, {}))

    result = xero.sink("contacts").write([request])[0]

    assert result.error is None
    assert map_source("contacts", result.record.data) == {**account, "website": None, "status": "active"}
    assert [contact["ContactNumber"] for contact in control.objects("contacts")] == [KEY]


def test_contact_update_clears_what_became_empty(xero, control):
    contact_id = add_contact(control, EmailAddress="old@initech.test", TaxNumber="1")
    payload = map_sink("contacts", {"name": "Initech AG", "email": None, "tax_id": "2"}, {}, {})

    result = xero.sink("contacts").write([WriteRequest(key="k", payload=payload, external_id=contact_id)])[0]

    stored = control.objects("contacts")[0]
    assert (stored["Name"], stored["EmailAddress"], stored["TaxNumber"]) == ("Initech AG", "", "2")
    assert "ContactNumber" not in stored
    assert map_source("contacts", result.record.data)["email"] is None


def test_invoice_is_authorized_with_exact_totals(xero, control):
    result = create_invoice(xero, control)

    stored = control.objects("invoices")[0]
    assert result.error is None
    assert (stored["Status"], stored["Type"], stored["Reference"]) == ("AUTHORISED", "ACCREC", KEY)
    assert (stored["SubTotal"], stored["TotalTax"], stored["Total"], stored["AmountDue"]) == (
        487.47,
        97.49,
        584.96,
        584.96,
    )
    assert (stored["CurrencyCode"], stored["DueDateString"]) == ("EUR", "2026-12-20T00:00:00")
    line = stored["LineItems"][0]
    assert (line["Quantity"], line["UnitAmount"], line["LineAmount"]) == (3.25, 149.99, 487.47)
    assert (line["AccountCode"], line["TaxType"]) == ("200", "OUTPUT")
    assert map_source("invoices", result.record.data)["total"] == {"amount": 58496, "currency": "EUR"}


def test_amounts_are_sent_as_plain_numbers(xero, control):
    control.clear_requests()
    create_invoice(xero, control)

    sent = next(r for r in control.requests() if r["method"] == "PUT")
    line = sent["body"]["Invoices"][0]["LineItems"][0]
    assert line == {
        "Description": "Consulting, November",
        "Quantity": 3.25,
        "UnitAmount": 149.99,
        "LineAmount": 487.47,
        "AccountCode": "200",
        "TaxType": "OUTPUT",
    }


def test_writing_twice_makes_one_object(xero, control):
    request = WriteRequest(key=KEY, payload=invoice_payload(add_contact(control)))

    first = xero.sink("invoices").write([request])[0]
    second = xero.sink("invoices").write([request])[0]

    assert first.record.external_id == second.record.external_id
    assert len(control.objects("invoices")) == 1


def test_a_lost_answer_is_resolved_by_the_mark_after_the_key_was_forgotten(xero, control):
    control.clock("2026-11-20T09:00:00Z")
    payload = invoice_payload(add_contact(control))
    control.fault("timeout_after_commit", method="PUT", path_prefix="/api.xro/2.0/Invoices")
    with pytest.raises(TransientError):
        xero.sink("invoices").write([WriteRequest(key=KEY, payload=payload)])

    control.clock("2026-11-22T09:00:00Z")
    found = xero.sink("invoices").resolve(KEY)

    assert found.external_id == control.objects("invoices")[0]["InvoiceID"]
    assert xero.sink("invoices").resolve("itl-never-written") is None


@pytest.mark.parametrize("key", ["short-key", "k" * 64])
def test_contacts_are_found_by_their_mark_whatever_its_length(xero, control, key):
    written = xero.sink("contacts").write([WriteRequest(key=key, payload={"Name": "Initech"})])[0]

    assert len(control.objects("contacts")[0]["ContactNumber"]) <= 50
    assert xero.sink("contacts").resolve(key).external_id == written.record.external_id
    assert xero.sink("contacts").resolve(key + "x") is None


def test_one_bad_element_does_not_harm_the_others(xero, control):
    contact_id = add_contact(control)
    requests = [
        WriteRequest(key="good-1", payload=invoice_payload(contact_id)),
        WriteRequest(key="bad", payload=invoice_payload("00000000-0000-0000-0000-000000000001")),
        WriteRequest(key="good-2", payload=invoice_payload(contact_id)),
    ]

    results = xero.sink("invoices").write(requests)

    assert [result.key for result in results] == ["good-1", "bad", "good-2"]
    assert [result.error is None for result in results] == [True, False, True]
    assert isinstance(results[1].error, RecordRejected)
    assert results[1].error.message == "The contact ID does not exist in this organisation"
    assert {invoice["Reference"] for invoice in control.objects("invoices")} == {"good-1", "good-2"}


def test_a_corrected_record_does_not_get_the_old_refusal(xero, control):
    contact_id = add_contact(control)
    sink = xero.sink("invoices")
    refused = sink.write([WriteRequest(key=KEY, payload=invoice_payload(contact_id, currency="XXX"))])[0]

    accepted = sink.write([WriteRequest(key=KEY, payload=invoice_payload(contact_id))])[0]

    assert refused.error.message == "Organisation is not subscribed to currency XXX"
    assert accepted.error is None


def test_lines_that_do_not_add_up_are_refused(xero, control):
    line = {
        "description": "Consulting",
        "quantity": "2",
        "unit_price": {"amount": 1000, "currency": "EUR"},
        "amount": {"amount": 2001, "currency": "EUR"},
    }

    result = create_invoice(xero, control, lines=[line])

    assert "does not match the expected line total" in result.error.message
    assert control.objects("invoices") == []


def test_creates_and_updates_travel_apart_and_return_in_order(xero, control):
    contact_id = add_contact(control, "First")
    requests = [
        WriteRequest(key="new", payload={"Name": "Second"}),
        WriteRequest(key="change", payload={"Name": "First renamed"}, external_id=contact_id),
    ]
    control.clear_requests()

    results = xero.sink("contacts").write(requests)

    assert [result.record.data["Name"] for result in results] == ["Second", "First renamed"]
    assert control.counters()["PUT"] == 1
    assert control.counters()["POST"] == 1


def test_a_paid_invoice_refuses_changes(xero, control):
    created = create_invoice(xero, control)
    control.update("invoices", created.record.external_id, {"Status": "PAID"})
    request = WriteRequest(key="k", payload={"DueDate": "2027-01-01"}, external_id=created.record.external_id)

    result = xero.sink("invoices").write([request])[0]

    assert isinstance(result.error, RecordRejected)
    assert control.objects("invoices")[0]["DueDateString"] == "2026-12-20T00:00:00"


def test_an_open_invoice_can_be_voided(xero, control):
    created = create_invoice(xero, control)
    payload = {"Status": "VOIDED"}

    result = xero.sink("invoices").write(
        [WriteRequest(key="k", payload=payload, external_id=created.record.external_id)]
    )[0]

    assert map_source("invoices", result.record.data)["status"] == "void"
    assert control.objects("invoices")[0]["AmountDue"] == 0


def test_a_filter_the_vendor_ignores_is_noticed(xero, control, monkeypatch):
    add_contact(control, "Somebody else", ContactNumber="other")
    sink = xero.sink("contacts")
    monkeypatch.setattr(
        sink.stream, "find_where", lambda where: next(iter(sink.stream.read(checkpoint=None))).records[0]
    )

    with pytest.raises(FatalError) as caught:
        sink.resolve("ours")

    assert caught.value.code == "filter_ignored"


def test_a_payment_received_elsewhere_is_recorded_once(xero, control):
    contact = add_contact(control)
    invoices = [add_invoice(control, contact)["InvoiceID"] for _ in range(2)]
    record = {"amount": {"amount": 8501, "currency": "EUR"}, "paid_date": "2026-11-21"}
    requests = [
        WriteRequest(key=f"itl-{number}", payload=map_sink("payments", record, {"invoice": found}, {}))
        for number, found in enumerate(invoices)
    ]
    control.clear_requests()

    results = xero.sink("payments").write(requests)

    assert [result.error for result in results] == [None, None]
    assert [request["path"] for request in control.requests() if request["method"] == "PUT"] == [
        "/api.xro/2.0/Payments"
    ]
    assert [map_source("payments", r.record.data)["amount"] for r in results] == [record["amount"]] * 2
    assert xero.stream("invoices").get(invoices[1]).data["AmountDue"] == 499.99
    assert xero.sink("payments").resolve("itl-1").external_id == results[1].record.external_id


def test_an_inactive_account_is_archived_and_an_active_one_left_where_it_is(xero, control):
    gone, archived = add_contact(control, "Gone"), add_contact(control, "Archived")
    control.update("contacts", archived, {"ContactStatus": "ARCHIVED"})
    sink = xero.sink("contacts")
    for name, external_id, status in (("Gone", gone, "inactive"), ("Archived", archived, "active")):
        payload = map_sink("contacts", {"name": name, "status": status}, {}, {})
        (result,) = sink.write([WriteRequest(key=f"k-{name}", payload=payload, external_id=external_id)])
        assert result.error is None

    assert {item["Name"]: item["ContactStatus"] for item in control.objects("contacts")} == {
        "Gone": "ARCHIVED",
        "Archived": "ARCHIVED",
    }
