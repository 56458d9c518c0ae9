"""Chargebee's own Python library: against our simulator, and as the list of parameters there are."""

from __future__ import annotations

import re
from typing import get_type_hints

import pytest
from chargebee import Chargebee, InvalidRequestError
from chargebee.main import Chargebee as ChargebeeClass
from chargebee.models.customer.operations import Customer
from chargebee.models.invoice.operations import Invoice
from chargebee.models.quote.operations import Quote
from chargebee.models.subscription.operations import Subscription
from chargebee.models.transaction.operations import Transaction
from chargebee.models.usage.operations import Usage

from apps.connectors.sdk.types import WriteRequest
from tests.connectors.chargebee.support import KEY, add_customer, connect, euros, line, map_sink
from tests.connectors.evaluation import read_all
from tests.contract.forms import nested

pytestmark = pytest.mark.contract

# Our operations by address, with what the library declares for each.
DECLARED = {
    r"GET /api/v2/customers": Customer.ListParams,
    r"GET /api/v2/invoices": Invoice.ListParams,
    r"GET /api/v2/transactions": Transaction.ListParams,
    r"GET /api/v2/subscriptions": Subscription.ListParams,
    r"GET /api/v2/quotes": Quote.ListParams,
    r"GET /api/v2/usages": Usage.ListParams,
    r"POST /api/v2/customers": Customer.CreateParams,
    r"POST /api/v2/customers/[^/]+": Customer.UpdateParams,
    r"POST /api/v2/customers/[^/]+/update_billing_info": Customer.UpdateBillingInfoParams,
    r"POST /api/v2/customers/[^/]+/subscription_for_items": Subscription.CreateWithItemsParams,
    r"POST /api/v2/subscriptions/[^/]+/update_for_items": Subscription.UpdateForItemsParams,
    r"POST /api/v2/subscriptions/[^/]+/cancel_for_items": Subscription.CancelForItemsParams,
    r"POST /api/v2/subscriptions/[^/]+/usages": Usage.CreateParams,
    r"POST /api/v2/subscriptions/[^/]+/charge_future_renewals": Subscription.ChargeFutureRenewalsParams,
    r"POST /api/v2/subscriptions/[^/]+/edit_advance_invoice_schedule": Subscription.EditAdvanceInvoiceScheduleParams,
    r"POST /api/v2/subscriptions/[^/]+/remove_advance_invoice_schedule": Subscription.RemoveAdvanceInvoiceScheduleParams,
    r"POST /api/v2/subscriptions/[^/]+/delete_usage": Usage.DeleteParams,
    r"POST /api/v2/customers/[^/]+/delete": Customer.DeleteParams,
    r"POST /api/v2/transactions/[^/]+/delete_offline_transaction": Transaction.DeleteOfflineTransactionParams,
    r"POST /api/v2/invoices/create_for_charge_items_and_charges": Invoice.CreateForChargeItemsAndChargesParams,
    r"POST /api/v2/invoices/[^/]+/update_details": Invoice.UpdateDetailsParams,
    r"POST /api/v2/invoices/[^/]+/void": Invoice.VoidInvoiceParams,
    r"POST /api/v2/invoices/[^/]+/close": Invoice.CloseParams,
    r"POST /api/v2/invoices/[^/]+/record_payment": Invoice.RecordPaymentParams,
}
PARTS = {
    "charges": Invoice.CreateForChargeItemsAndChargesChargeParams,
    "transaction": Invoice.RecordPaymentTransactionParams,
    "subscription_items": Subscription.CreateWithItemsSubscriptionItemParams,
    "specific_dates_schedule": Subscription.EditAdvanceInvoiceScheduleSpecificDatesScheduleParams,
    "customer_id": {"is"},
    "updated_at": {"after"},
    "sort_by": {"asc"},
    "id": {"is"},
}
RECORDS = {
    "customers": {"name": "Initech", "email": "a@b.test", "phone": "5", "currency": "EUR", "tax_id": "DE1"},
    "invoices": {
        "status": "draft",
        "currency": "EUR",
        "reference": "PO 7",
        "issue_date": "2026-11-20",
        "lines": [line(5000)],
    },
    "payments": {"amount": euros(1000), "paid_date": "2026-11-21", "reference": "Wire 7"},
    "subscriptions": {"name": "Retainer", "status": "active", "amount": euros(9000), "quantity": "1"},
    "usages": {"name": "Hours", "usage_date": "2026-11-20", "quantity": "3.25"},
}


def drive(server):
    """Every stream and every sink, in every way the engine uses them."""
    control = server.control("chargebee", "contract")
    control.reset()
    chargebee = connect(server, "contract")
    chargebee.check()
    refs = {"account": add_customer(control)}
    for name in ("customers", "subscriptions", "usages", "invoices", "payments"):
        sink = chargebee.sink(name)
        payload = map_sink(name, RECORDS[name], refs)
        made = write(sink, f"itl-{name}", payload)
        refs[{"subscriptions": "subscription", "invoices": "invoice"}.get(name, name)] = made
        if name == "invoices":
            write(sink, "u", {**payload, "status": "open", "po_number": "PO 8"}, made)
        elif name in ("customers", "subscriptions"):
            write(sink, "u", payload, made)
    drive_schedules_and_deletions(control, chargebee, refs)
    write(chargebee.sink("subscriptions"), "c", {"status": "cancelled"}, refs["subscription"])
    other = write(chargebee.sink("invoices"), "itl-2", map_sink("invoices", RECORDS["invoices"], refs))
    write(chargebee.sink("invoices"), "v", {"status": "void"}, other)
    for spec in chargebee.manifest.streams:
        _, checkpoint = read_all(chargebee.stream(spec.name), page_size=1)
        read_all(chargebee.stream(spec.name), checkpoint)


def drive_schedules_and_deletions(control, chargebee, refs):
    schedules = chargebee.sink("schedules")
    for number in (1, 2):
        values = {"subscription_id": refs["subscription"], "date": f"2027-0{number}-01", "amount": euros(9000 * number)}
        made = write(schedules, f"itl-s{number}", values)
    write(schedules, "u", {"subscription_id": refs["subscription"], "date": "2027-05-01", "amount": euros(9000)}, made)
    read_all(chargebee.stream("schedules"))
    schedules.delete(made)
    chargebee.sink("usages").delete(refs["usages"])
    chargebee.sink("payments").delete(refs["payments"])
    chargebee.sink("customers").delete(add_customer(control))


def write(sink, key, payload, external_id=None):
    (result,) = sink.write([WriteRequest(key=key, payload=payload, external_id=external_id)])
    assert result.error is None, result.error
    return result.record.external_id


def names_of(declared):
    return declared if isinstance(declared, set) else set(get_type_hints(declared))


def test_every_parameter_is_declared(server, figures):
    drive(server)
    unknown, seen = [], set()
    for exchange in server.exchanges("chargebee"):
        call = f"{exchange.method} {exchange.path}"
        # The more precise pattern is the longer one.
        pattern = max((known for known in DECLARED if re.fullmatch(known, call)), key=len, default=None)
        if pattern is None:
            continue
        seen.add(pattern)
        for name, value in nested(exchange.query or exchange.body.decode()).items():
            parts = set(value) if isinstance(value, dict) else set()
            known = name in names_of(DECLARED[pattern])
            if not known or (parts and not parts <= names_of(PARTS[name])):
                unknown.append(f"{call}: {name} {parts}")

    figures.append(
        f"chargebee: {len(server.exchanges('chargebee'))} requests, parameters as the official client declares them"
    )
    assert unknown == []
    assert seen == set(DECLARED)


@pytest.fixture
def client(server, monkeypatch):
    server.control("chargebee", "sdk").reset()
    connect(server, "sdk")
    monkeypatch.setattr(ChargebeeClass, "verify_ca_certs", False)
    found = Chargebee(api_key=KEY, site="sdk", protocol="http")
    found.env.api_endpoint = f"{server.base_url('chargebee', 'sdk')}/api/v2"
    return found


def test_the_sdk_walks_from_customer_to_payment(client):
    customer = client.Customer.create(Customer.CreateParams(company="Initech", email="a@b.test")).customer
    charges = [{"amount": 48747, "description": "Consulting"}, {"amount": 2020, "description": "Travel"}]
    invoice = client.Invoice.create_for_charge_items_and_charges(
        {"customer_id": customer.id, "currency_code": "EUR", "charges": charges}
    ).invoice
    paid = client.Invoice.record_payment(
        invoice.id, {"transaction": {"amount": 50767, "payment_method": "bank_transfer"}}
    )

    assert (invoice.total, [entry.description for entry in invoice.line_items]) == (50767, ["Consulting", "Travel"])
    assert (paid.invoice.status, paid.transaction.amount, paid.invoice.amount_due) == ("paid", 50767, 0)


def test_the_sdk_pages_and_filters(client):
    for number in range(5):
        client.Customer.create(Customer.CreateParams(company=f"Customer {number}"))

    first = client.Customer.list({"limit": 3, "sort_by": {"asc": "updated_at"}})
    rest = client.Customer.list({"limit": 3, "offset": first.next_offset, "sort_by": {"asc": "updated_at"}})

    names = [entry.customer.company for page in (first, rest) for entry in page.list]
    assert (names, rest.next_offset) == ([f"Customer {number}" for number in range(5)], None)


def test_the_sdk_repeats_under_one_key_and_understands_refusals(client):
    key = {"chargebee-idempotency-key": "same"}
    first = client.Customer.create(Customer.CreateParams(company="A"), key)

    assert client.Customer.create(Customer.CreateParams(company="A"), key).customer.id == first.customer.id
    with pytest.raises(InvalidRequestError) as caught:
        client.Invoice.retrieve("missing")
    assert (caught.value.api_error_code, caught.value.http_status_code) == ("resource_not_found", 404)
