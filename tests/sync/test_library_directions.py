"""The templates that close the five directions: structure and progress, pipeline, installments, usage, revenue, payments."""

from __future__ import annotations

from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.core.ids import encode_id
from apps.events.models import OutboxEvent
from apps.events.registry import find_event_type
from apps.flows.services import change_settings
from apps.sync.models import RecordFailure
from apps.sync.selectors import explain_failure
from tests.sync.conftest import run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.test_library import eur, library_vendors, put, run_clean, seed_project

__all__ = ["library_vendors", "put"]


def book_hours(key: str, seconds: int, day: str, board: str = "b1") -> None:
    vendor("delivery").put(
        "hours", key, work_date=day, duration_seconds=seconds, status="approved", billable=True, board=board, user="u1",
        description=key,
    )  # fmt: skip


def test_revenue_is_told_to_the_books_once_a_month_is_over(put, now):
    seed_project()
    book_hours("h1", 5400, "2026-10-20")
    book_hours("h2", 1800, "2026-10-31")
    book_hours("h3", 7200, "2026-11-01")  # of the month that is still open
    flow = put("revenue-recognition", default_rate="100.00", rate_card="anna@example.com = 120.00")
    run_clean(flow, now)

    entry = CanonicalRecord.objects.get(entity="revenue")
    assert (entry.title, entry.data["total"], entry.data["earned_on"]) == (
        "Work: Forge rollout",
        eur(24000),
        "2026-10-31",
    )
    assert (entry.data["period_start"], entry.data["period_end"]) == ("2026-10-01", "2026-10-31")
    assert [(line["description"], line["quantity"]) for line in entry.data["lines"]] == [("Anna", "2")]
    journal = vendor("billing").all("journals")[0]
    assert (journal["total"], journal["period_end"]) == (eur(24000), "2026-10-31")
    assert vendor("billing").all("clients")[0]["name"] == "Vulcan Industries"

    run_clean(flow, now.replace(month=12))
    assert [entry["total"] for entry in vendor("billing").all("journals")] == [eur(24000), eur(24000)]


def test_whoever_listens_is_told_amount_period_and_project(put, now):
    seed_project()
    vendor("delivery").put("milestones", "s1", name="Design", status="done", board="b1", amount=eur(250000))
    run_clean(put("revenue-recognition"), now)

    told = OutboxEvent.objects.get(type="revenue.recognizable")
    project = CanonicalRecord.objects.get(entity="project")
    event_type = find_event_type("revenue.recognizable")
    assert event_type is not None
    assert {name: value for name, value in event_type.data_of(told.payload).items() if name != "record_id"} == {
        "title": "Milestones: Forge rollout", "project_id": encode_id("rec", project.pk), "amount": eur(250000),
        "earned_on": "2026-11-02", "period_start": "2026-11-01", "period_end": "2026-11-30", "is_production": True,
    }  # fmt: skip


def test_a_project_at_a_fixed_price_earns_by_its_milestones_alone(put, now):
    seed_project()
    book_hours("h1", 3600, "2026-10-20")
    delivery = vendor("delivery")
    delivery.put("milestones", "s1", name="Design", status="done", board="b1", amount=eur(250000))
    delivery.put("milestones", "s2", name="Later", status="open", board="b1", amount=eur(100))
    run_clean(put("revenue-recognition", default_rate="100.00", fixed_price="forge"), now)

    assert [entry["name"] for entry in vendor("billing").all("journals")] == ["Milestones: Forge rollout"]


def test_time_without_a_rate_waits_by_name_until_it_has_one(put, owner_actor, now):
    seed_project()
    book_hours("h1", 3600, "2026-10-20")
    flow = put("revenue-recognition")
    run_flow(flow, now)

    failure = RecordFailure.objects.get()
    assert (failure.object_name, failure.message) == (
        "unvalued approved time", "There is no hourly rate for Anna (anna@example.com)."
    )  # fmt: skip
    assert (failure.error_class, explain_failure(failure).cause) == ("business_rule", failure.message)
    assert not OutboxEvent.objects.filter(type="revenue.recognizable").exists()

    integration = flow.integration
    change_settings(
        actor=owner_actor, now=now, integration=integration, name=integration.name,
        settings={**integration.settings, "default_rate": "100.00"},
    )  # fmt: skip
    flow.refresh_from_db()
    run_clean(flow, now)
    assert [entry["total"] for entry in vendor("billing").all("journals")] == [eur(10000)]


def test_structure_goes_to_delivery_and_progress_comes_back(put, now):
    erp, delivery = vendor("erp"), vendor("delivery")
    erp.put("parties", "p1", name="Vulcan Industries", tax_id="DE 123")
    erp.put("employees", "m1", name="Anna", email="anna@example.com", status="active")
    erp.put("projects", "e1", name="Forge rollout", party="p1", status="open")
    erp.put("projects", "e2", name="Long over", party="p1", status="closed")
    erp.put("tasks", "t1", name="Concept", status="open", project="e1")
    erp.put("stages", "s1", name="Go-live", status="open", due_date="2026-12-01", project="e1")
    delivery.put("users", "u1", name="Anna", email="anna@example.com", status="active")
    flow = put("project-structure")
    run_clean(flow, now)

    board = delivery.all("boards")[0]
    assert [b["name"] for b in delivery.all("boards")] == ["Forge rollout"]
    assert [(t["name"], t["board"]) for t in delivery.all("issues")] == [("Concept", board["id"])]
    assert [(m["name"], m["due_date"]) for m in delivery.all("milestones")] == [("Go-live", "2026-12-01")]

    delivery.put("issues", delivery.all("issues")[0]["id"], status="done")
    delivery.put("milestones", delivery.all("milestones")[0]["id"], status="done", completed_date="2026-11-30")
    delivery.put("boards", board["id"], status="on_hold")
    for key, status in (("x1", "approved"), ("x2", "submitted")):
        delivery.put(
            "expenses", key, spent_date="2026-11-02", amount=eur(5990), description=key, status=status, billable=True,
            board=board["id"], user="u1",
        )  # fmt: skip
    run_clean(flow, now)
    stage = erp.objects["stages"]["s1"]
    assert (erp.objects["tasks"]["t1"]["status"], stage["status"], stage["completed_date"]) == (
        "done",
        "done",
        "2026-11-30",
    )
    assert erp.objects["projects"]["e1"]["status"] == "on_hold"
    assert [(cost["description"], cost["employee"]) for cost in erp.all("costs")] == [("x1", "m1")]


def test_deals_and_quotes_stand_in_the_erp(put, now):
    crm = vendor("crm")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    crm.put("deals", "d1", name="Forge", stage="open", amount=eur(900000), company="c1")
    crm.put("deals", "d2", name="Small", stage="open", amount=eur(100), company="c1")
    crm.put("deals", "d3", name="Abroad", stage="open", amount={"amount": 49000, "currency": "JPY"}, company="c1")
    crm.put("quotes", "q1", name="Offer 1", status="sent", currency="EUR", total=eur(900000), company="c1")
    crm.put("quotes", "q2", name="Offer 2", status="draft", currency="EUR", total=eur(1), company="c1")
    flow = put("pipeline-to-erp", from_amount="500.00")
    run_clean(flow, now)

    erp = vendor("erp")
    party = erp.all("parties")[0]
    assert [(lead["name"], lead["stage"], lead["party"]) for lead in erp.all("leads")] == [
        ("Forge", "open", party["id"]), ("Abroad", "open", party["id"]),
    ]  # fmt: skip
    assert [(offer["name"], offer["status"]) for offer in erp.all("offers")] == [("Offer 1", "sent")]

    crm.put("deals", "d1", stage="won")
    crm.put("quotes", "q1", status="accepted")
    run_clean(flow, now)
    assert (erp.all("leads")[0]["stage"], erp.all("offers")[0]["status"]) == ("won", "accepted")


def test_an_installment_is_billed_when_it_is_due(put, now):
    crm = vendor("crm")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    crm.put("deals", "d1", name="Forge", stage="won", amount=eur(300000), company="c1")
    for key, day in (("r1", "2026-10-31"), ("r2", "2026-11-09"), ("r3", "2026-12-31")):
        crm.put("installments", key, name=f"Part {key}", due_date=day, amount=eur(100000), deal="d1")
    flow = put("installment-billing", days_before="7", invoice_status="open")
    run_clean(flow, now)

    (bill,) = vendor("billing").all("bills")
    assert [(line["description"], line["amount"]) for line in bill["lines"]] == [
        ("Part r1 (2026-10-31)", eur(100000)), ("Part r2 (2026-11-09)", eur(100000))
    ]  # fmt: skip
    assert (bill["status"], bill["due_date"]) == ("open", "2026-12-02")

    run_clean(flow, now.replace(month=12, day=31))
    assert [bill["total"] for bill in vendor("billing").all("bills")] == [eur(200000), eur(100000)]


def test_approved_hours_are_usage_of_their_customer(put, now):
    seed_project()
    book_hours("h1", 5400, "2026-10-20")
    book_hours("h2", 1800, "2026-10-20")
    vendor("delivery").put(
        "hours", "h3", work_date="2026-10-20", duration_seconds=60, status="draft", billable=True, board="b1", user="u1"
    )
    run_clean(put("usage-billing", meter="support-hours"), now)

    billing = vendor("billing")
    client = billing.all("clients")[0]
    assert client["name"] == "Vulcan Industries"
    assert sorted((u["quantity"], u["usage_date"], u["unit"], u["client"]) for u in billing.all("usage")) == [
        ("0.5", "2026-10-20", "support-hours", client["id"]), ("1.5", "2026-10-20", "support-hours", client["id"]),
    ]  # fmt: skip
    assert CanonicalLink.objects.filter(name="account", source__entity="usage_record").count() == 2


def test_hours_whose_project_has_no_customer_wait_and_go_on_by_themselves(put, now):
    seed_project()
    vendor("erp").put("projects", "e1", party=None)
    book_hours("h1", 5400, "2026-10-20")
    flow = put("usage-billing")
    run_flow(flow, now)
    failure = RecordFailure.objects.get()
    assert (failure.error_class, failure.message) == (
        "missing_reference", "The project it belongs to has no account yet."
    )  # fmt: skip
    assert vendor("billing").all("usage") == []

    vendor("erp").put("projects", "e1", party="p1")
    run_clean(flow, now)
    assert [usage["quantity"] for usage in vendor("billing").all("usage")] == ["1.5"]


def test_released_invoices_and_payments_stand_in_the_erp(put, now):
    billing, erp = vendor("billing"), vendor("erp")
    billing.put("clients", "k1", name="Vulcan Industries", domain="vulcan.example")
    bill = {"currency": "EUR", "total": eur(9000), "amount_paid": eur(0), "amount_due": eur(9000), "account": "k1"}
    billing.put("bills", "i1", number="INV-1", status="open", issue_date="2026-10-20", **bill)
    billing.put("bills", "i2", number="INV-2", status="draft", issue_date="2026-10-20", **bill)
    billing.put("bills", "i3", number="INV-3", status="open", issue_date="2025-12-31", **bill)
    billing.put("receipts", "r1", amount=eur(9000), paid_date="2026-11-01", bill="i1")
    flow = put("payments-to-erp", since="2026-01-01")
    run_clean(flow, now)

    (invoice,) = erp.all("invoices")
    assert (invoice["issue_date"], invoice["total"]) == ("2026-10-20", eur(9000))
    assert [(paid["amount"], paid["invoice"]) for paid in erp.all("payments")] == [(eur(9000), invoice["id"])]
