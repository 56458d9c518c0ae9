"""What QuickBooks shows, read: jobs, voids, deletes, pages that shift, answers that are cut."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited
from tests.connectors.evaluation import read_all
from tests.connectors.quickbooks.support import (
    add_customer,
    add_invoice,
    connect,
    map_refs,
    map_source,
    pay,
    sold,
)


def dollars(cents: int) -> dict[str, object]:
    return {"amount": cents, "currency": "USD"}


def test_an_invoice_is_read_with_its_tax_and_lines(quickbooks, control):
    customer = add_customer(control)
    lines = [
        {**sold(487.47, quantity=3.25, UnitPrice=149.99), "Description": "Rollout"},
        sold(100, TaxCodeRef={"value": "TAX"}),
    ]
    invoice = add_invoice(control, customer, Line=lines, DueDate="2026-12-20", DocNumber="R-7")

    records, _ = read_all(quickbooks.stream("invoices"))

    assert [record.external_id for record in records] == [invoice["Id"]]
    assert map_source("invoices", records[0].data) == {
        "number": "R-7",
        "status": "open",
        "issue_date": "2026-11-20",
        "due_date": "2026-12-20",
        "currency": "USD",
        "subtotal": dollars(58747),
        "tax": dollars(800),
        "total": dollars(59547),
        "amount_paid": dollars(0),
        "amount_due": dollars(59547),
        "lines": [
            {"description": "Rollout", "quantity": "3.25", "unit_price": dollars(14999), "amount": dollars(48747)},
            {"description": "Services", "quantity": "1", "unit_price": dollars(10000), "amount": dollars(10000)},
        ],
    }
    assert map_refs("invoices", records[0].data) == {"account": customer}


def test_payments_move_the_invoice_from_open_to_paid(quickbooks, control):
    customer = add_customer(control)
    invoice = add_invoice(control, customer)
    states = []
    for share in (85.01, 499.99):
        pay(control, customer, (invoice["Id"], share), TxnDate="2026-11-21", PaymentRefNum="Wire 7")
        fields = map_source("invoices", quickbooks.stream("invoices").get(invoice["Id"]).data)
        states.append((fields["status"], fields["amount_paid"]["amount"], fields["amount_due"]["amount"]))

    assert states == [("open", 8501, 49999), ("paid", 58500, 0)]
    payments, _ = read_all(quickbooks.stream("payments"))
    assert map_source("payments", payments[0].data) == {
        "amount": dollars(8501), "paid_date": "2026-11-21", "method": None, "reference": "Wire 7",
    }  # fmt: skip
    assert map_refs("payments", payments[0].data) == {"invoice": invoice["Id"]}


def test_a_payment_for_several_invoices_belongs_to_none_of_them(quickbooks, control):
    customer = add_customer(control)
    first, second = add_invoice(control, customer), add_invoice(control, customer)
    pay(control, customer, (first["Id"], 10), (second["Id"], 20))

    (payment,), _ = read_all(quickbooks.stream("payments"))

    assert map_source("payments", payment.data)["amount"] == dollars(3000)
    assert map_refs("payments", payment.data) == {"invoice": None}


def test_a_voided_invoice_is_void_and_an_empty_one_is_paid(quickbooks, control):
    customer = add_customer(control)
    add_invoice(control, customer, Line=[sold(0)])
    voided = add_invoice(control, customer, Line=[sold(0)], PrivateNote="Voided - wrong customer")

    records, _ = read_all(quickbooks.stream("invoices"))

    assert {record.external_id: record.data["Status"] for record in records}[voided["Id"]] == "void"
    assert sorted(record.data["Status"] for record in records) == ["paid", "void"]


def test_jobs_are_no_accounts_and_their_invoices_go_to_the_customer(quickbooks, control):
    customer = add_customer(control)
    job = add_customer(control, "Kitchen", ParentRef={"value": customer})
    part = add_customer(control, "Kitchen floor", ParentRef={"value": job}, IsProject=True)
    add_invoice(control, part)

    customers, _ = read_all(quickbooks.stream("customers"))
    (invoice,), _ = read_all(quickbooks.stream("invoices"))

    assert [record.external_id for record in customers] == [customer]
    assert quickbooks.stream("customers").get(job) is None
    assert map_refs("invoices", invoice.data) == {"account": customer}


def test_inactive_customers_are_read_although_queries_leave_them_out(quickbooks, control):
    customer = add_customer(control)
    control.update("customers", customer, {"Active": False})

    (record,), _ = read_all(quickbooks.stream("customers"))

    assert map_source("customers", record.data)["status"] == "inactive"


@pytest.mark.parametrize("kind", ["invoices", "payments"])
def test_the_next_run_sees_what_was_deleted(quickbooks, control, kind):
    customer = add_customer(control)
    made = add_invoice(control, customer)
    if kind == "payments":
        made = pay(control, customer, (made["Id"], 10))
    _, checkpoint = read_all(quickbooks.stream(kind))
    control.delete(kind, made["Id"])

    records, _ = read_all(quickbooks.stream(kind), checkpoint)

    assert [(record.external_id, record.deleted) for record in records] == [(made["Id"], True)]
    assert quickbooks.stream(kind).get(made["Id"]) is None


def test_the_second_run_asks_for_changes_in_one_call(quickbooks, control):
    control.clock("2026-11-20T09:00:00Z")
    add_customer(control, "Old")
    changed = add_customer(control, "Changed")
    control.clock("2026-11-20T10:00:00Z")
    _, checkpoint = read_all(connect_at(quickbooks, "2026-11-20T10:00:00+00:00").stream("customers"))
    control.clock("2026-11-20T11:00:00Z")
    control.update("customers", changed, {"Notes": "x"})
    control.clear_requests()

    reader = connect_at(quickbooks, "2026-11-20T11:00:00+00:00")
    records, again = read_all(reader.stream("customers"), checkpoint)

    assert checkpoint["since"].startswith("2026-11-20T09:59:5")
    assert [record.external_id for record in records] == [changed]
    assert [request["path"].rsplit("/", 1)[1] for request in control.requests()] == ["cdc"]
    assert again["since"].startswith("2026-11-20T10:59:5")


def test_an_answer_that_is_cut_is_made_whole_by_query(quickbooks, control):
    _, checkpoint = read_all(quickbooks.stream("invoices"))
    customer = add_customer(control)
    kept = {add_invoice(control, customer)["Id"] for _ in range(3)}
    control.settings(capture_cap=2)
    quickbooks_module_cap = "apps.connectors.vendors.quickbooks.streams.CAPTURE_CAP"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quickbooks_module_cap, 2)
        records, again = read_all(quickbooks.stream("invoices"), checkpoint)

    assert {record.external_id for record in records} == kept
    assert set(again) == {"since"}


def test_after_a_long_absence_everything_is_read_again(quickbooks, control):
    customer = add_customer(control)
    control.clear_requests()

    records, checkpoint = read_all(quickbooks.stream("customers"), {"since": "2026-01-01T00:00:00+00:00"})

    assert [record.external_id for record in records] == [customer]
    assert checkpoint["since"] > "2026-01-01"
    assert [request["path"].rsplit("/", 1)[1] for request in control.requests()] == ["query"]


def test_edits_and_deletes_within_one_second_skip_nothing(quickbooks, control):
    control.clock("2026-11-20T09:00:00Z")
    customer = add_customer(control)
    ids = [add_invoice(control, customer)["Id"] for _ in range(9)]
    seen: set[str] = set()
    control.clock("2026-11-20T10:00:00Z")

    for number, page in enumerate(quickbooks.stream("invoices").read(checkpoint=None, page_size=3)):
        seen |= {record.external_id for record in page.records}
        if number == 2:
            # Two that were read already leave their places: everything behind them moves forward.
            control.delete("invoices", ids[0])
            control.update("invoices", ids[1], {"PrivateNote": "moved"})

    assert set(ids[2:]) <= seen


def test_a_wrong_company_is_refused(server, control):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, "acme", realm_id="9999999999").check()

    assert (caught.value.status, caught.value.code) == (403, "3100")


@pytest.mark.parametrize("realm", ["", "12/../34", "company"])
def test_a_company_id_is_digits(server, control, realm):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, "acme", realm_id=realm).check()

    assert caught.value.code == "bad_realm"


def test_a_throttle_without_a_delay_waits_a_minute(quickbooks, control):
    control.fault("429")

    with pytest.raises(RateLimited) as caught:
        quickbooks.check()

    assert (caught.value.retry_after, caught.value.code) == (60, "3001")


def test_a_statement_quickbooks_cannot_read_is_our_mistake(quickbooks, control):
    with pytest.raises(FatalError) as caught:
        quickbooks.query("SELECT * FROM Customer WHERE Nonsense = '1'")

    assert caught.value.code == "4001"


def connect_at(quickbooks, moment: str):
    from datetime import datetime

    quickbooks.context.now = lambda: datetime.fromisoformat(moment)
    return quickbooks
