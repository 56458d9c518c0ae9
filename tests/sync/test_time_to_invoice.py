from __future__ import annotations

from decimal import Decimal

from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.core.money import round_half_up
from apps.events.models import OutboxEvent
from apps.sync.models import RecordFailure, RunStatus
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

SETTINGS = {"default_rate": "100.00", "rate_card": "anna@example.com = 120.10"}


def seed_time() -> None:
    erp, delivery = vendor("erp"), vendor("delivery")
    erp.put("parties", "p1", name="Vulcan Industries", tax_id="DE 123")
    erp.put("projects", "e1", name="Forge rollout", code="FORGE", party="p1", status="open")
    erp.put("employees", "m1", name="Anna", email="anna@example.com", status="active")
    erp.put("employees", "m2", name="Ben", email="ben@example.com", status="active")
    delivery.put("users", "u1", name="Anna", email="Anna@example.com", status="active")
    delivery.put("users", "u2", name="Ben", email="ben@example.com", status="active")
    delivery.put("boards", "b1", name="Forge", code="forge", status="open")
    delivery.put("issues", "i1", name="Kick-off", status="open", board="b1")
    book("h1", 5400, "u1")
    book("h2", 1234, "u1")
    book("h3", 3600, "u2")
    book("h4", 3600, "u2", status="submitted")
    book("h5", 3600, "u2", billable=False)


def book(entry: str, seconds: int, user: str, *, status: str = "approved", billable: bool = True) -> None:
    vendor("delivery").put(
        "hours", entry, work_date="2026-10-05", duration_seconds=seconds, status=status, billable=billable, board="b1",
        issue="i1", user=user,
    )  # fmt: skip


def test_it_works(deploy, now):
    seed_time()
    run = run_flow(flow_of(deploy("time-to-invoice", SETTINGS)), now)

    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    bills, clients = vendor("billing").all("bills"), vendor("billing").all("clients")
    assert [client["name"] for client in clients] == ["Vulcan Industries"]
    assert len(bills) == 1
    assert bills[0]["lines"] == [
        {
            "description": "Kick-off – Anna", "quantity": "1.8428",
            "unit_price": {"amount": 12010, "currency": "EUR"}, "amount": {"amount": 22132, "currency": "EUR"},
        },
        {
            "description": "Kick-off – Ben", "quantity": "1",
            "unit_price": {"amount": 10000, "currency": "EUR"}, "amount": {"amount": 10000, "currency": "EUR"},
        },
    ]  # fmt: skip
    assert bills[0]["total"] == {"amount": 32132, "currency": "EUR"}
    assert (bills[0]["account"], bills[0]["status"]) == (clients[0]["id"], "open")
    assert (bills[0]["issue_date"], bills[0]["due_date"]) == ("2026-11-02", "2026-12-02")


def test_time_reaches_the_timesheets_under_the_same_people(deploy, now):
    seed_time()
    run_flow(flow_of(deploy("time-to-invoice", SETTINGS)), now)

    sheets = {(s["employee"], s["project"], s["duration_seconds"]) for s in vendor("erp").all("timesheets")}
    assert sheets == {("m1", "e1", 5400), ("m1", "e1", 1234), ("m2", "e1", 3600), ("m2", "e1", 3600)}
    assert [task["name"] for task in vendor("erp").all("tasks")] == ["Kick-off"]


def test_time_is_never_invoiced_twice(deploy, now):
    seed_time()
    flow = flow_of(deploy("time-to-invoice", SETTINGS))
    for _ in range(3):
        run_flow(flow, now)

    assert len(vendor("billing").all("bills")) == 1
    assert CanonicalLink.objects.filter(name="invoice").count() == 3
    assert CanonicalRecord.objects.filter(entity="invoice").count() == 1


def test_later_time_gets_an_invoice_of_its_own(deploy, now):
    seed_time()
    flow = flow_of(deploy("time-to-invoice", SETTINGS))
    run_flow(flow, now)

    book("h4", 3600, "u2", status="approved")
    run_flow(flow, now)

    assert [bill["total"]["amount"] for bill in vendor("billing").all("bills")] == [32132, 10000]


def test_totals_are_the_sum_of_rounded_lines(deploy, now):
    seed_time()
    run_flow(flow_of(deploy("time-to-invoice", SETTINGS)), now)

    invoice = CanonicalRecord.objects.get(entity="invoice").data
    lines = [round_half_up(Decimal(line["quantity"]) * line["unit_price"]["amount"]) for line in invoice["lines"]]
    assert [line["amount"]["amount"] for line in invoice["lines"]] == lines
    assert invoice["total"]["amount"] == invoice["subtotal"]["amount"] == sum(lines)


def test_the_billing_system_gives_the_number(deploy, now):
    seed_time()
    run_flow(flow_of(deploy("time-to-invoice", SETTINGS)), now)

    bill = vendor("billing").all("bills")[0]
    invoice = CanonicalRecord.objects.get(entity="invoice")
    assert (invoice.number, invoice.state) == (bill["number"], "open")
    assert OutboxEvent.objects.filter(type="invoice.released").count() == 1
    assert OutboxEvent.objects.filter(type="time_entry.approved").count() == 4


def test_a_missing_rate_is_named_and_heals(deploy, now):
    seed_time()
    integration = deploy("time-to-invoice", {"rate_card": "anna@example.com = 120.10"})
    flow = flow_of(integration)
    run_flow(flow, now)
    failure = RecordFailure.objects.get(object_name="unbilled time")
    assert (failure.status, failure.message) == ("open", "There is no hourly rate for Ben (ben@example.com).")
    assert vendor("billing").all("bills") == []

    integration.settings = {**integration.settings, "default_rate": {"amount": 10000, "currency": "EUR"}}
    integration.save()
    run_flow(flow_of(integration), now)

    failure.refresh_from_db()
    assert failure.status == "resolved"
    assert [bill["total"]["amount"] for bill in vendor("billing").all("bills")] == [32132]


def test_an_erp_can_bill_as_well(deploy, systems, now):
    seed_time()
    run = run_flow(flow_of(deploy("time-to-invoice", SETTINGS, billing=systems["erp"])), now)

    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    assert [(bill["account"], bill["total"]["amount"]) for bill in vendor("erp").all("invoices")] == [("p1", 32132)]
    assert len(vendor("erp").all("parties")) == 1
