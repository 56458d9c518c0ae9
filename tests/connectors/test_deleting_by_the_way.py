"""Deleting takes nothing along that nobody asked for, and what only seems deleted is told from what is."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.types import WriteRequest
from tests.connectors.chargebee import support as chargebee
from tests.connectors.connectwise.harness import ConnectWiseHarness
from tests.connectors.harvest.harness import HarvestHarness
from tests.connectors.jira.harness import JiraHarness
from tests.connectors.odoo.harness import OdooHarness
from tests.connectors.quickbooks import support as quickbooks
from tests.connectors.stripe_billing import support as stripe


@pytest.mark.parametrize("vendor", [stripe, chargebee], ids=["stripe", "chargebee"])
def test_a_customer_with_a_subscription_stays(sandbox, vendor):
    name = "stripe_billing" if vendor is stripe else "chargebee"
    control = sandbox.control(name, "by-the-way")
    control.reset()
    customers = vendor.connect(sandbox, "by-the-way").sink("customers")
    customer = vendor.add_customer(control)
    subscription = vendor.add_subscription(control, customer)

    with pytest.raises(RecordRejected, match="has subscriptions"):
        customers.delete(customer)
    assert customers.get(customer) is not None

    vendor.connect(sandbox, "by-the-way").sink("subscriptions").delete(subscription)
    if vendor is stripe:
        customers.delete(customer)
        assert customers.get(customer) is None
        return
    # Chargebee would delete what is canceled and billed as well.
    with pytest.raises(RecordRejected, match="deleted for good"):
        customers.delete(customer)
    assert vendor.connect(sandbox, "by-the-way").stream("subscriptions").get(subscription) is not None


def test_a_billed_customer_stays_and_an_unused_one_goes_later(sandbox):
    control = sandbox.control("chargebee", "billed")
    control.reset()
    connector = chargebee.connect(sandbox, "billed")
    billed, unused = chargebee.add_customer(control), chargebee.add_customer(control)
    invoice = chargebee.add_invoice(control, billed)
    customers = connector.sink("customers")

    with pytest.raises(RecordRejected, match="has invoices"):
        customers.delete(billed)
    assert connector.stream("invoices").get(invoice) is not None

    shown = customers.get(unused)
    customers.stream.get = lambda external_id: shown
    customers.delete(unused)
    del customers.stream.get
    assert customers.get(unused) is None
    (call,) = [found for found in control.requests() if found["path"].endswith("/delete")]
    assert "delete_payment_method=false" in str(call)


def test_a_paid_invoice_stays(sandbox):
    control = sandbox.control("chargebee", "paid")
    control.reset()
    invoices = chargebee.connect(sandbox, "paid").sink("invoices")
    invoice = chargebee.add_invoice(control, chargebee.add_customer(control))
    control.update("invoices", invoice, {"pay": 10_000})

    with pytest.raises(RecordRejected):
        invoices.delete(invoice)
    assert invoices.get(invoice).data["status"] == "paid"


def test_a_deleted_payment_leaves_its_invoice_open(sandbox):
    control = sandbox.control("chargebee", "undone")
    control.reset()
    connector = chargebee.connect(sandbox, "undone")
    invoice = chargebee.add_invoice(control, chargebee.add_customer(control), 10_000)
    values = {"invoice_id": invoice, "amount": chargebee.euros(10_000), "paid_date": "2026-11-20"}
    (paid,) = connector.sink("payments").write([WriteRequest(key="k-1", payload=values)])

    connector.sink("payments").delete(paid.record.external_id)

    held = connector.stream("invoices").get(invoice).data
    assert (held["status"], held["due"]["amount"]) == ("payment_due", 10_000)


def test_quickbooks_keeps_who_owes(sandbox):
    """Also where our own look came too early: the API refuses."""
    control = sandbox.control("quickbooks", "owing")
    control.reset()
    connector = quickbooks.connect(sandbox, "owing")
    customer = quickbooks.add_customer(control)
    quickbooks.add_invoice(control, customer)

    with pytest.raises(RecordRejected, match="non-zero balance"):
        connector.sink("customers").delete(customer)
    assert connector.stream("customers").get(customer).data["Active"] is True


def test_what_a_customer_owes_is_not_booked_away(sandbox):
    control = sandbox.control("quickbooks", "by-the-way")
    control.reset()
    connector = quickbooks.connect(sandbox, "by-the-way")
    customer = quickbooks.add_customer(control)
    sink = connector.sink("customers")
    find_all = sink.stream.find_all
    sink.stream.find_all = lambda ids: {key: {**item, "Balance": 585} for key, item in find_all(ids).items()}

    with pytest.raises(RecordRejected, match="open balance"):
        sink.delete(customer)
    assert connector.stream("customers").get(customer).data["Active"] is True


def test_an_invoice_that_was_paid_in_part_is_not_voided(sandbox):
    control = sandbox.control("quickbooks", "part-paid")
    control.reset()
    connector = quickbooks.connect(sandbox, "part-paid")
    customer = quickbooks.add_customer(control)
    invoice = quickbooks.add_invoice(control, customer)["Id"]
    payment = quickbooks.pay(control, customer, (invoice, 10))["Id"]

    with pytest.raises(RecordRejected, match="has payments"):
        connector.sink("invoices").delete(invoice)

    connector.sink("payments").delete(payment)
    connector.sink("invoices").delete(invoice)
    assert connector.stream("payments").get(payment) is None
    assert connector.stream("invoices").get(invoice).data["Status"] == "void"


def test_somebody_who_saved_in_between_is_asked_again(sandbox):
    control = sandbox.control("quickbooks", "stale")
    control.reset()
    connector = quickbooks.connect(sandbox, "stale")
    customer = quickbooks.add_customer(control)
    sink = connector.sink("customers")
    find_all, notes = sink.stream.find_all, iter(["Saved meanwhile"])

    def slow_find_all(ids):
        found = find_all(ids)
        if note := next(notes, None):
            control.update("customers", customer, {"Notes": note})
        return found

    sink.stream.find_all = slow_find_all
    sink.delete(customer)

    held = connector.stream("customers").get(customer).data
    assert (held["Active"], held["Notes"]) == (False, "Saved meanwhile")


def test_an_archived_project_keeps_its_time(sandbox):
    harness = HarvestHarness(sandbox)
    entry = harness.seed_one("time_entries")
    project = str(harness.known("projects"))

    harness.connector().sink("projects").delete(project)

    assert harness.connector().stream("projects").get(project).data["is_active"] is False
    assert harness.connector().stream("time_entries").get(entry) is not None


def test_a_ticket_with_time_on_it_stays(sandbox):
    harness = ConnectWiseHarness(sandbox)
    harness.seed_one("time_entries")
    task = str(harness.known("tasks"))

    with pytest.raises(RecordRejected, match="time entries"):
        harness.connector().sink("tasks").delete(task)
    assert harness.connector().stream("tasks").get(task) is not None
    assert len(harness.control.objects("time_entries")) == 1


def test_a_project_goes_to_the_recycle_bin(sandbox):
    harness = JiraHarness(sandbox)
    project = harness.seed_one("projects")

    harness.connector().sink("projects").delete(project)

    (held,) = harness.control.objects("projects")
    assert (held["id"], held["deleted"]) == (project, True)


def test_a_sold_quote_stays_sold(sandbox):
    harness = OdooHarness(sandbox)
    quote = harness.seed("quotes", 1)[0]
    harness.control.update("quotes", quote, {"state": "sale"})

    with pytest.raises(RecordRejected, match="sales order"):
        harness.connector().sink("quotes").delete(quote)
    assert harness.connector().stream("quotes").get(quote).data["state"] == "sale"


def test_a_person_who_left_is_archived_with_their_time(sandbox):
    harness = OdooHarness(sandbox)
    entry = harness.seed("timesheets", 1)[0]
    person = str(harness.one("employees"))

    harness.connector().sink("employees").delete(person)

    assert harness.connector().stream("employees").get(person).data["active"] is False
    assert harness.connector().stream("timesheets").get(entry) is not None
