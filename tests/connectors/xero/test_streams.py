"""Reading: what arrives, in exact values, and that nothing is ever skipped."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import ConfigurationError
from tests.connectors.evaluation import read_all
from tests.connectors.xero.support import add_contact, add_invoice, connect, map_refs, map_source


def test_it_works(xero):
    result = xero.check()

    assert result.account_name == "Acme Books"
    assert result.account_id == xero.tenant_id


def test_contact_becomes_an_account(xero, control):
    add_contact(
        control,
        "Initech GmbH",
        EmailAddress="billing@initech.test",
        AccountNumber="10042",
        TaxNumber="DE123456789",
        DefaultCurrency="EUR",
        Phones=[{"PhoneType": "DEFAULT", "PhoneCountryCode": "49", "PhoneAreaCode": "30", "PhoneNumber": "1234567"}],
    )

    records, _ = read_all(xero.stream("contacts"))

    assert map_source("contacts", records[0].data) == {
        "name": "Initech GmbH",
        "number": "10042",
        "email": "billing@initech.test",
        "phone": "49 30 1234567",
        "website": None,
        "currency": "EUR",
        "tax_id": "DE123456789",
        "status": "active",
    }


TWO_LINES = [
    {"Description": "Rollout", "Quantity": 3.25, "UnitAmount": 149.99, "AccountCode": "200"},
    {"Description": "Travel", "Quantity": 1, "UnitAmount": 0.1, "AccountCode": "201"},
]


def euros(cents):
    return {"amount": cents, "currency": "EUR"}


def test_invoice_has_exact_amounts_and_lines(xero, control):
    contact_id = add_contact(control)
    invoice = add_invoice(control, contact_id, Reference="PO 9711", LineItems=TWO_LINES)

    records, _ = read_all(xero.stream("invoices"))

    assert map_source("invoices", records[0].data) == {
        "number": "INV-0001",
        "reference": "PO 9711",
        "status": "open",
        "issue_date": "2026-11-20",
        "due_date": "2026-12-20",
        "currency": "EUR",
        "subtotal": euros(48757),
        "tax": euros(9749),
        "total": euros(58506),
        "amount_paid": euros(0),
        "amount_due": euros(58506),
        "lines": [
            {"description": "Rollout", "quantity": "3.25", "unit_price": euros(14999), "amount": euros(48747)},
            {"description": "Travel", "quantity": "1", "unit_price": euros(10), "amount": euros(10)},
        ],
    }
    assert map_refs("invoices", records[0].data) == {"account": contact_id}
    assert records[0].external_id == invoice["InvoiceID"]


def test_single_read_maps_like_the_list(xero, control):
    contact_id = add_contact(control, "Globex", EmailAddress="", Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "5"}])
    add_invoice(control, contact_id)
    control.create("payments", {"Invoice": {"InvoiceNumber": "INV-0001"}, "Amount": 100, "Date": "2026-11-21"})

    for name in ("contacts", "invoices", "payments"):
        stream = xero.stream(name)
        listed = read_all(stream)[0][0]
        alone = stream.get(listed.external_id)
        assert map_source(name, alone.data) == map_source(name, listed.data)
        assert map_refs(name, alone.data) == map_refs(name, listed.data)


def test_payment_settles_its_invoice(xero, control):
    invoice = add_invoice(control, add_contact(control))
    paid_in_part = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 85.01, "Date": "2026-11-21"}
    control.create("payments", {**paid_in_part, "Reference": "Wire 7"})

    part_paid = map_source("invoices", read_all(xero.stream("invoices"))[0][0].data)
    control.update("invoices", invoice["InvoiceID"], {"Status": "PAID"})
    paid = map_source("invoices", read_all(xero.stream("invoices"))[0][0].data)
    payments, _ = read_all(xero.stream("payments"))

    assert (part_paid["status"], part_paid["amount_paid"]["amount"], part_paid["amount_due"]["amount"]) == (
        "open",
        8501,
        49999,
    )
    assert (paid["status"], paid["amount_paid"]["amount"], paid["amount_due"]["amount"]) == ("paid", 58500, 0)
    assert sorted(map_source("payments", p.data)["amount"]["amount"] for p in payments) == [8501, 49999]
    wire = next(p for p in payments if p.data.get("Reference") == "Wire 7")
    assert map_source("payments", wire.data) == {
        "amount": {"amount": 8501, "currency": "EUR"},
        "paid_date": "2026-11-21",
        "reference": "Wire 7",
    }
    assert map_refs("payments", wire.data) == {"invoice": invoice["InvoiceID"]}


def test_reversed_payment_is_read_as_deleted(xero, control):
    invoice = add_invoice(control, add_contact(control))
    payment = control.create("payments", {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 585})
    control.update("payments", payment["PaymentID"], {"Status": "DELETED"})

    records, _ = read_all(xero.stream("payments"))

    assert [record.deleted for record in records] == [True]
    assert xero.stream("invoices").get(invoice["InvoiceID"]).data["Status"] == "AUTHORISED"


def test_archived_contact_turns_inactive(xero, control):
    contact_id = add_contact(control)
    control.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})

    records, _ = read_all(xero.stream("contacts"))

    assert map_source("contacts", records[0].data)["status"] == "inactive"


def test_bills_of_suppliers_are_not_read(xero, control):
    contact_id = add_contact(control)
    add_invoice(
        control, contact_id, Type="ACCPAY", LineItems=[{"Description": "Rent", "UnitAmount": 9, "AccountCode": "310"}]
    )
    sale = add_invoice(control, contact_id)

    records, _ = read_all(xero.stream("invoices"))

    assert [record.external_id for record in records] == [sale["InvoiceID"]]


def test_second_run_reads_only_what_changed(xero, control):
    control.clock("2026-11-20T09:00:00Z")
    old = add_contact(control, "Old")
    changed = add_contact(control, "Changed")
    control.clock("2026-11-20T10:00:00Z")
    latest = add_contact(control, "Latest")
    _, checkpoint = read_all(xero.stream("contacts"))

    control.clock("2026-11-20T11:00:00Z")
    control.update("contacts", changed, {"EmailAddress": "new@changed.test"})
    records, again = read_all(xero.stream("contacts"), checkpoint)

    # The overlap re-reads the newest of before; what is older stays unread.
    assert {record.external_id for record in records} == {changed, latest}
    assert old not in {record.external_id for record in records}
    assert again["since"].startswith("2026-11-20T10:59:5")


def test_a_quiet_list_does_not_move_the_checkpoint_backwards(xero, control):
    add_contact(control)
    _, first = read_all(xero.stream("contacts"))
    _, second = read_all(xero.stream("contacts"), first)
    _, third = read_all(xero.stream("contacts"), second)

    assert first == second == third


def test_an_empty_answer_leaves_the_checkpoint_where_it_was(xero, control):
    add_contact(control)
    ahead = {"since": "2030-01-01T00:00:00Z"}

    assert read_all(xero.stream("contacts"), ahead) == ([], ahead)


def test_after_several_pages_the_next_run_starts_at_the_newest(xero, control):
    for hour in range(5):
        control.clock(f"2026-11-20T1{hour}:00:00Z")
        newest = add_contact(control, f"Contact {hour}")

    _, checkpoint = read_all(xero.stream("contacts"), page_size=2)
    records, _ = read_all(xero.stream("contacts"), checkpoint)

    assert checkpoint["since"] == "2026-11-20T13:59:55Z"
    assert [record.external_id for record in records] == [newest]


def test_changes_during_the_read_skip_nothing(xero, control):
    control.create("contacts", [{"Name": f"Contact {index:02d}"} for index in range(10)])
    ids = {contact["ContactID"] for contact in control.objects("contacts")}
    seen: set[str] = set()
    checkpoint = None

    for number, page in enumerate(xero.stream("contacts").read(checkpoint=None, page_size=3)):
        seen |= {record.external_id for record in page.records}
        checkpoint = page.checkpoint
        unread = sorted(ids - seen)
        if number == 0:
            ids.add(add_contact(control, "Created meanwhile"))
            control.update("contacts", unread[-1], {"EmailAddress": "moved@c.test"})
            control.update("contacts", unread[0], {"EmailAddress": "moved@c.test"})

    later, _ = read_all(xero.stream("contacts"), checkpoint, page_size=3)
    assert seen | {record.external_id for record in later} == ids


def test_an_interrupted_read_resumes_at_the_next_page(xero, control):
    control.create("contacts", [{"Name": f"Contact {index:02d}"} for index in range(7)])
    whole, end = read_all(xero.stream("contacts"), page_size=3)

    first = next(iter(xero.stream("contacts").read(checkpoint=None, page_size=3)))
    rest, resumed_end = read_all(xero.stream("contacts"), first.checkpoint, page_size=3)

    assert [r.external_id for r in [*first.records, *rest]] == [r.external_id for r in whole]
    assert resumed_end == end


def test_empty_organization_starts_from_the_beginning_again(xero):
    assert read_all(xero.stream("invoices")) == ([], {"since": None})


def test_missing_object_is_none(xero):
    assert xero.stream("invoices").get("00000000-0000-0000-0000-000000000000") is None


def test_foreign_tenant_is_refused(server, control):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, "acme", tenant_id="11111111-1111-1111-1111-111111111111").check()

    assert caught.value.code == "no_organization"


def test_missing_authorization_is_explained(server, control):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, "acme", token="").check()

    assert caught.value.code == "not_authorized"


def test_a_quote_is_read_with_its_lines(xero, control):
    contact = add_contact(control)
    line = {"Description": "Rollout", "Quantity": 3.25, "UnitAmount": 149.99}
    offer = {
        "Contact": {"ContactID": contact},
        "Title": "Rollout",
        "Date": "2026-11-20",
        "Status": "SENT",
        "LineItems": [line],
    }
    control.create("quotes", offer)

    (record,), _ = read_all(xero.stream("quotes"))

    assert map_source("quotes", record.data) == {
        "name": "Rollout",
        "number": "QU-0001",
        "status": "sent",
        "currency": "EUR",
        "total": euros(48747),
        "issue_date": "2026-11-20",
        "expiry_date": "2026-12-20",
        "lines": [{"description": "Rollout", "quantity": "3.25", "unit_price": euros(14999), "amount": euros(48747)}],
    }
    assert map_refs("quotes", record.data) == {"account": contact}


def test_the_day_limit_of_the_vendor_is_passed_on(xero, control):
    left: list[int] = []
    xero.context.note_remaining = left.append

    xero.check()
    xero.stream("contacts").get("00000000-0000-0000-0000-000000000000")

    # The list of organizations and the 404 say nothing about the day.
    assert len(left) == 1
    assert 0 < left[0] < 5000
