"""Each template of the library: deployed, run, its outcome exactly, and a second pass that writes nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import StaffMembership, User
from apps.canonical.models import CanonicalRecord
from apps.connectors import registry
from apps.connectors.models import Connection
from apps.connectors.services import create_connection
from apps.flows.models import Flow, IntegrationTemplateVersion
from apps.flows.services import deploy_integration
from apps.notifications.models import OutgoingMail
from apps.sync.models import ApprovalRequest, RecordFailure, RuleNotice, RunStatus
from apps.sync.services import approve
from tests.factories.library import load_library
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import VENDORS, vendor
from tests.sync.library_vendors import LIBRARY_VENDORS


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture(autouse=True)
def library_vendors(fake_vendors: None, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**registry.connectors(), **LIBRARY_VENDORS}
    monkeypatch.setattr(registry, "connectors", lambda: known)


@pytest.fixture
def put(environment, systems, owner_actor, now):
    """Deploys a template with every role played by its fake vendor; returns its flow."""
    load_library()
    extra = {"planning": "delivery", "reporting": "erp"}

    def deployed(key: str, **settings: Any) -> Flow:
        version = IntegrationTemplateVersion.objects.get(template__key=key)
        bindings = {role: _bound(role) for role in version.definition["roles"]}
        integration = deploy_integration(
            actor=owner_actor, now=now, environment=environment, name="", template_version=version, bindings=bindings,
            settings=settings,
        )  # fmt: skip
        return flow_of(integration)

    def _bound(role: str) -> Connection:
        if role not in extra:
            return systems[role]
        return create_connection(
            actor=owner_actor, now=now, environment=environment, vendor=f"fake_{extra[role]}", name=role.title(),
            settings={"account": role}, secrets={},
        )  # fmt: skip

    return deployed


def run_clean(flow: Flow, now: datetime) -> None:
    """It succeeds, and doing it again writes nothing."""
    found = run_flow(flow, now)
    problems = list(RecordFailure.objects.filter(status="open").values_list("object_name", "message"))
    assert (found.status, found.error_message, problems) == (RunStatus.SUCCEEDED, "", [])
    before = writes()
    run_flow(flow, now)
    assert writes() == before


def writes() -> dict[str, int]:
    return {name: held.write_count for name, held in VENDORS.items()}


def seed_project() -> None:
    erp, delivery = vendor("erp"), vendor("delivery")
    erp.put("parties", "p1", name="Vulcan Industries", tax_id="DE 123")
    erp.put("projects", "e1", name="Forge rollout", code="FORGE", party="p1", status="open")
    erp.put("employees", "m1", name="Anna", email="anna@example.com", status="active")
    delivery.put("users", "u1", name="Anna", email="anna@example.com", status="active")
    delivery.put("boards", "b1", name="Forge", code="forge", status="open", budget=eur(1000000))


def bills() -> list[list[tuple[str, str, int]]]:
    """[(description, quantity, amount)] of every bill."""
    return [
        [(line["description"], line["quantity"], line["amount"]["amount"]) for line in bill["lines"]]
        for bill in vendor("billing").all("bills")
    ]


def test_milestone_billing(put, now):
    seed_project()
    delivery = vendor("delivery")
    delivery.put("milestones", "s1", name="Design", status="done", board="b1", amount=eur(250000))
    delivery.put("milestones", "s2", name="Go-live", status="done", board="b1")
    delivery.put("milestones", "s3", name="Training", status="done", board="b1")
    delivery.put("milestones", "s4", name="Later", status="open", board="b1")
    flow = put("milestone-billing", prices="go-live = 5000.00", share="10", invoice_status="open")
    run_clean(flow, now)

    assert bills() == [
        [("Milestone: Design", "1", 250000), ("Milestone: Go-live", "1", 500000), ("Milestone: Training", "1", 100000)]
    ]
    bill = vendor("billing").all("bills")[0]
    assert (bill["total"], bill["status"], bill["due_date"]) == (eur(850000), "open", "2026-12-02")
    assert vendor("billing").all("clients")[0]["name"] == "Vulcan Industries"

    delivery.put("milestones", "s4", status="done", amount=eur(100))
    run_clean(flow, now)
    assert bills()[1:] == [[("Milestone: Later", "1", 100)]]


def test_a_milestone_without_a_price_is_named_and_heals(put, now):
    seed_project()
    vendor("delivery").put("milestones", "s1", name="Design", status="done", board="b1")
    flow = put("milestone-billing")
    run_flow(flow, now)

    failure = RecordFailure.objects.get()
    assert (failure.object_name, failure.message) == (
        "unbilled milestones", "There is no price for the milestone Design."
    )  # fmt: skip
    vendor("delivery").put("milestones", "s1", amount=eur(700))
    run_flow(flow, now)
    failure.refresh_from_db()
    assert (failure.status, bills()) == ("resolved", [[("Milestone: Design", "1", 700)]])


def test_expense_to_invoice(put, now):
    delivery = vendor("delivery")
    delivery.put("clients", "c1", name="Vulcan Industries", email="office@vulcan.example")
    delivery.put("boards", "b1", name="Forge", code="forge", status="open", client="c1")
    delivery.put("users", "u1", name="Anna", email="anna@example.com", status="active")
    for key, fields in {
        "x1": {"amount": eur(5990), "description": "Train", "status": "approved", "billable": True},
        "x2": {"amount": eur(12345), "category": "Hotel", "status": "approved", "billable": True},
        "x3": {"amount": eur(100), "description": "Lunch", "status": "approved", "billable": False},
        "x4": {"amount": eur(100), "description": "Taxi", "status": "submitted", "billable": True},
    }.items():
        delivery.put("expenses", key, spent_date="2026-10-20", board="b1", user="u1", **fields)
    run_clean(put("expense-to-invoice", markup="10"), now)

    assert bills() == [[("2026-10-20 Hotel (Anna)", "1", 13580), ("2026-10-20 Train (Anna)", "1", 6589)]]
    assert vendor("billing").all("bills")[0]["status"] == "draft"


def test_retainers_and_subscriptions(put, now):
    crm, billing = vendor("crm"), vendor("billing")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    crm.put("deals", "d1", name="Retainer 2026", stage="won", amount=eur(150000), company="c1", close_date="2026-11-01")
    crm.put("deals", "d2", name="Forge rollout", stage="won", amount=eur(500000), company="c1")
    flow = put("retainers-and-subscriptions")
    run_clean(flow, now)

    plan = billing.all("plans")[0]
    assert len(billing.all("plans")) == 1
    assert (plan["name"], plan["amount"], plan["interval"], plan["start_date"]) == (
        "Retainer 2026", eur(150000), "month", "2026-11-01"
    )  # fmt: skip
    contract = CanonicalRecord.objects.get(entity="contract")
    assert (contract.data["billing_method"], contract.state) == ("retainer", "active")

    billing.put(
        "bills", "i1", number="INV-1", status="open", currency="EUR", total=eur(150000), amount_paid=eur(50000),
        amount_due=eur(100000), account=plan["client"], plan=plan["id"], issue_date="2026-11-01",
    )  # fmt: skip
    billing.put("plans", plan["id"], status="cancelled")
    run_clean(flow, now)
    deal = crm.objects["deals"]["d1"]
    assert (deal["payment_status"], deal["invoice_number"], deal["paid_amount"]) == ("part_paid", "INV-1", eur(50000))
    contract.refresh_from_db()
    assert contract.state == "ended"


def test_resource_and_assignment_sync(put, now):
    seed_project()
    planning = vendor("planning")
    planning.put("boards", "q1", name="Forge plan", code="FORGE", status="open")
    planning.put("users", "v1", name="Anna", email="anna@example.com", status="active")
    planning.put("users", "v2", name="Ben", email="ben@example.com", status="active")
    vendor("delivery").put("users", "u2", name="Ben", email="ben@example.com", status="active")
    for key, user in (("t1", "v1"), ("t2", "v1"), ("t3", "v2")):
        planning.put("issues", key, name=f"Task {key}", status="open", board="q1", user=user)
    run_clean(put("resource-and-assignment-sync"), now)

    members = {(member["board"], member["user"]) for member in vendor("delivery").all("members")}
    assert members == {("b1", "u1"), ("b1", "u2")}
    assert sorted(e["email"] for e in vendor("erp").all("employees")) == ["anna@example.com", "ben@example.com"]


def test_quote_to_contract(put, owner_actor, now):
    crm = vendor("crm")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    quote = {"name": "Forge", "currency": "EUR", "total": eur(1000000), "company": "c1"}
    crm.put("quotes", "q1", status="accepted", **quote)
    crm.put("quotes", "q2", status="sent", **quote)
    flow = put("quote-to-contract")
    run_clean(flow, now)

    assert [(p["name"], p["status"]) for p in vendor("erp").all("projects")] == [("Forge", "open")]
    assert CanonicalRecord.objects.get(entity="contract").data["value"] == eur(1000000)
    assert bills() == []
    request = ApprovalRequest.objects.get()
    assert request.shown == {"reference": "Deposit Forge", "total": eur(300000), "due_date": "2026-11-16"}

    approve(actor=owner_actor, now=now, approval=request)
    run_clean(flow, now)
    assert bills() == [[("Deposit 30 % – Forge", "1", 300000)]]


def test_collections_risk(put, now):
    user = User.objects.create(email="fin@example.com", name="Fin", created_at=now)
    StaffMembership.objects.create(user=user, role="finance", created_at=now)
    billing = vendor("billing")
    billing.put("clients", "k1", name="Vulcan Industries", email="ap@vulcan.example")
    vendor("crm").put("companies", "c1", name="Vulcan Industries", email="ap@vulcan.example")
    vendor("crm").put("companies", "c2", name="Quiet Ltd")
    for key, due, left in (("i1", "2026-10-20", 5000), ("i2", "2026-10-31", 7000), ("i3", "2026-10-01", 0)):
        billing.put(
            "bills", key, number=f"INV-{key}", status="open" if left else "paid", currency="EUR", total=eur(9000),
            amount_paid=eur(9000 - left), amount_due=eur(left), account="k1", issue_date="2026-09-20", due_date=due,
        )  # fmt: skip
    flow = put("collections-risk")
    run_clean(flow, now)
    assert [(n.subject, n.text) for n in RuleNotice.objects.all()] == [
        ("Overdue: INV-i1", "13 days past 2026-10-20, 50.00 EUR open.")
    ]

    assert flags() == {"Vulcan Industries": ("overdue", eur(5000)), "Quiet Ltd": (None, None)}

    run_clean(flow, now + timedelta(days=2))
    run_clean(flow, now + timedelta(days=3))
    assert flags()["Vulcan Industries"] == ("overdue", eur(12000))
    assert [n.subject for n in RuleNotice.objects.order_by("created_at", "id")] == [
        "Overdue: INV-i1",
        "Overdue: INV-i2",
    ]
    assert OutgoingMail.objects.filter(kind="sync.notice", recipient="fin@example.com").count() == 2

    for key in ("i1", "i2"):
        billing.put("bills", key, status="paid", amount_due=eur(0), amount_paid=eur(9000))
    run_clean(flow, now + timedelta(days=4))
    assert flags()["Vulcan Industries"] == ("none", None)


def flags() -> dict[str, tuple[str | None, dict[str, Any] | None]]:
    return {c["name"]: (c.get("payment_risk"), c.get("overdue_amount")) for c in vendor("crm").all("companies")}


def test_renewal_readiness(put, now):
    billing = vendor("billing")
    billing.put("clients", "k1", name="Vulcan Industries", domain="vulcan.example")
    plan = {"status": "active", "amount": eur(1200000), "client": "k1"}
    billing.put("plans", "s1", name="Support", interval="year", next_billing_date="2026-12-24", **plan)
    billing.put("plans", "s2", name="Far away", interval="year", next_billing_date="2027-06-01", **plan)
    billing.put("plans", "s3", name="Monthly", interval="month", next_billing_date="2026-11-10", **plan)
    flow = put("renewal-readiness")
    run_clean(flow, now)

    assert [(d["name"], d["stage"], d["amount"], d["close_date"]) for d in vendor("crm").all("deals")] == [
        ("Renewal 2026-12-24: Support", "open", eur(1200000), "2026-12-24")
    ]
    assert [notice.subject for notice in RuleNotice.objects.all()] == ["Renewal of Support"]
    later = datetime.combine(date(2027, 4, 10), now.timetz())
    run_clean(flow, later)
    assert len(vendor("crm").all("deals")) == 2


def test_utilisation_and_forecast(put, now):
    seed_project()
    vendor("crm").put("deals", "d1", name="Anvil", stage="open", amount=eur(900000), close_date="2027-01-15")
    vendor("crm").put("deals", "d2", name="Small", stage="open", amount=eur(100))
    vendor("crm").put("deals", "d3", name="Abroad", stage="open", amount={"amount": 49000, "currency": "JPY"})
    delivery = vendor("delivery")
    for key, seconds, status in (("h1", 5400, "approved"), ("h2", 1800, "approved"), ("h3", 3600, "draft")):
        delivery.put(
            "hours", key, work_date="2026-10-05", duration_seconds=seconds, status=status, billable=True, board="b1",
            user="u1",
        )  # fmt: skip
    flow = put("utilisation-and-forecast", from_amount="500.00")
    run_clean(flow, now)

    def figures() -> list[tuple[str, str]]:
        return [(figure["usage_date"], figure["quantity"]) for figure in vendor("reporting").all("figures")]

    assert figures() == [("2026-10-05", "2")]
    planned = CanonicalRecord.objects.filter(entity="project", state="planned").order_by("title")
    assert [(project.title, project.data["budget"]) for project in planned] == [
        ("Planned: Abroad", {"amount": 49000, "currency": "JPY"}), ("Planned: Anvil", eur(900000)),
    ]  # fmt: skip

    delivery.put("hours", "h3", status="approved")
    run_clean(flow, now)
    assert figures() == [("2026-10-05", "3")]
