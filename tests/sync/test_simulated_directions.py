"""The templates that close the five directions over simulated vendors, in their wire formats."""

from __future__ import annotations

from typing import Any

from apps.canonical.models import CanonicalRecord
from apps.events.models import OutboxEvent
from apps.flows.models import Flow
from apps.provisioning.demo.work import decimal_of, tryton_day
from apps.sync.models import RecordFailure, SyncRun
from tests.sync.test_simulated_library import Deployed, at, put, run_twice, today
from tests.sync.test_simulated_systems import run

__all__ = ["at", "put"]
ANNA = {"login": "anna", "firstname": "Anna", "lastname": "Smith", "mail": "anna@example.com"}


def run_quietly(flow: Flow) -> None:
    """The second time nothing is written. (Odoo is asked by POST as well: calls tell nothing there.)"""
    run(flow)
    run(flow)
    last = SyncRun.objects.order_by("-id")[0]
    assert (last.created_count, last.updated_count, last.failed_count) == (0, 0, 0)


def problems() -> list[tuple[str, str]]:
    return list(RecordFailure.objects.values_list("object_name", "message"))


def book(at: Any, hours: float) -> int:
    """Work of Anna on a project that Tryton accounts for; returns the delivery project."""
    party = at["tryton"].create("parties", {"name": "Vulcan Industries"})["id"]
    at["tryton"].create("projects", {"name": "Forge rollout", "party": party})
    at["tryton"].create("employees", {"name": "Anna Smith", "email": "anna@example.com"})
    user = at["redmine"].create("users", ANNA)["id"]
    project: int = at["redmine"].create("projects", {"name": "Forge rollout", "identifier": "forge"})["id"]
    entry = {"project_id": project, "user": user, "spent_on": today(-3), "comments": "Concept", "hours": hours}
    at["redmine"].create("time_entries", entry)
    return project


def test_time_and_milestones_earn_revenue_once(put: Deployed, at: Any) -> None:
    project = book(at, 2.5)
    at["redmine"].create("versions", {"project_id": project, "name": "Go-live", "status": "closed"})
    settings = {"default_rate": "120.00", "prices": "Go-live = 1250.00", "cut_off": "at once"}

    run_twice(put("revenue-recognition", settings, delivery="redmine", erp="tryton", billing="xero"))

    assert problems() == []
    earned = {e.title: e.data["total"]["amount"] for e in CanonicalRecord.objects.filter(entity="revenue")}
    assert earned == {"Work: Forge rollout": 30_000, "Milestones: Forge rollout": 125_000}
    assert OutboxEvent.objects.filter(type="revenue.recognizable").count() == 2


def test_hours_are_counted_by_the_meter_once(put: Deployed, at: Any) -> None:
    harvest = at["harvest"]
    client = harvest.create("clients", {"name": "Vulcan Industries", "currency": "EUR"})["id"]
    plan = {"is_billable": True, "bill_by": "Tasks", "budget_by": "none"}
    project = harvest.create("projects", {"name": "Forge rollout", "client_id": client, **plan})["id"]
    user = harvest.create("users", {"first_name": "Anna", "last_name": "Smith", "email": "anna@example.com"})["id"]
    task = harvest.create("tasks", {"name": "Concept"})["id"]
    harvest.create("task_assignments", {"project_id": project, "task_id": task})
    entry = {"project_id": project, "task_id": task, "user_id": user, "spent_date": today(-3)}
    harvest.create("time_entries", {**entry, "hours": 2.5, "approval_status": "approved"})
    harvest.create("time_entries", {**entry, "hours": 1.0, "approval_status": "submitted"})

    settings = {"meter": "support_hours"}
    run_twice(put("usage-billing", settings, delivery="harvest", erp="tryton", billing="stripe_billing"))

    assert problems() == []
    (event,) = at["stripe_billing"].objects("meter_event")
    (customer,) = at["stripe_billing"].objects("customers")
    assert (event["value"], event["customer"], customer["name"]) == ("2.5", customer["id"], "Vulcan Industries")


def test_structure_and_progress_between_odoo_and_redmine(put: Deployed, at: Any) -> None:
    company = at["odoo"].create("companies", {"name": "Vulcan Industries"})["id"]
    project = at["odoo"].create("projects", {"name": "Forge rollout", "partner_id": company})["id"]
    at["odoo"].create("tasks", {"name": "Concept", "project_id": project, "allocated_hours": 8})
    at["odoo"].create("milestones", {"name": "Go-live", "project_id": project, "deadline": today(30)})
    flow = put("project-structure", erp="odoo", delivery="redmine")
    run_quietly(flow)

    assert problems() == []
    (issue,), (version,) = at["redmine"].objects("issues"), at["redmine"].objects("versions")
    assert (issue["subject"], version["name"], version["due_date"]) == ("Concept", "Go-live", today(30))

    at["redmine"].update("versions", version["id"], {"status": "closed"})
    run(flow)
    (milestone,) = at["odoo"].objects("milestones")
    assert (milestone["is_reached"], problems()) == (True, [])


def test_deals_of_hubspot_stand_in_odoo(put: Deployed, at: Any) -> None:
    company = at["hubspot"].create("companies", {"name": "Vulcan Industries", "domain": "vulcan.example"})["id"]
    deal = {
        "dealname": "Anvil",
        "amount": "9000",
        "dealstage": "contractsent",
        "associations": {"companies": [company]},
    }
    at["hubspot"].create("deals", deal)

    run_quietly(put("pipeline-to-erp", crm="hubspot", erp="odoo"))

    assert problems() == []
    (lead,) = at["odoo"].objects("opportunities")
    assert (lead["name"], float(lead["expected_revenue"])) == ("Anvil", 9000.0)


def test_installments_of_salesforce_are_billed_in_xero(put: Deployed, at: Any) -> None:
    crm = at["salesforce"]
    company = crm.create("Account", {"Name": "Vulcan Industries"})["Id"]
    deal = {"Name": "Forge", "StageName": "Closed Won", "CloseDate": today(-20), "AccountId": company}
    line = crm.create("OpportunityLineItem", {"OpportunityId": crm.create("Opportunity", deal)["Id"]})["Id"]
    for days, text in ((-5, "First third"), (40, "Second third")):
        part = {
            "OpportunityLineItemId": line,
            "ScheduleDate": today(days),
            "Revenue": 1000,
            "Description": text,
            "Type": "Revenue",
        }
        crm.create("OpportunityLineItemSchedule", part)

    run_twice(put("installment-billing", {}, crm="salesforce", billing="xero"))

    assert problems() == []
    (invoice,) = at["xero"].objects("invoices")
    assert [row["Description"] for row in invoice["LineItems"]] == [f"First third ({today(-5)})"]
    assert (float(invoice["SubTotal"]), invoice["Status"]) == (1000.0, "DRAFT")


def test_invoices_of_xero_stand_in_tryton(put: Deployed, at: Any) -> None:
    contact = at["xero"].create("contacts", {"Name": "Vulcan Industries", "EmailAddress": "ap@vulcan.example"})
    lines = [{"Description": "Work", "Quantity": 1, "UnitAmount": 250, "AccountCode": "200"}]
    bill = {
        "Type": "ACCREC", "Contact": {"ContactID": contact["ContactID"]}, "Date": today(-10), "DueDate": today(20),
        "CurrencyCode": "EUR", "LineAmountTypes": "NoTax", "LineItems": lines,
    }  # fmt: skip
    at["xero"].create("invoices", {**bill, "Status": "AUTHORISED"})
    at["xero"].create("invoices", {**bill, "Status": "DRAFT"})

    run_twice(put("payments-to-erp", {}, billing="xero", erp="tryton"))

    assert problems() == []
    tryton = at["tryton"]
    (invoice,) = tryton.objects("invoices")
    lines = [line for line in tryton.objects("account.invoice.line") if line["invoice"] == invoice["id"]]
    parties = [party["id"] for party in tryton.objects("parties") if party["name"] == "Vulcan Industries"]
    assert (tryton_day(invoice), invoice["state"], [invoice["party"]]) == (today(-10), "posted", parties)
    assert [(line["quantity"], decimal_of(line["unit_price"])) for line in lines] == [(1, 250.0)]
