"""The whole chain over the simulated HubSpot, Tryton, Redmine and Xero, in their wire formats."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.connectors.models import Connection, ConnectionStatus
from apps.connectors.services.credentials import store_secrets
from apps.flows.models import Flow
from apps.sync.models import ApprovalRequest, RecordFailure, RunStatus, VendorCall
from apps.sync.services import approve, execute_run
from apps.sync.services.runs import queue_run
from sandbox.testing import AccountControl, RunningSandbox
from tests.sync.conftest import flow_of

SECRETS = {
    "hubspot": {"api_key": "key-1"},
    "tryton": {"api_key": "key-1"},
    "redmine": {"api_key": "key-1"},
    "xero": {"access_token": "token-1"},
    "harvest": {"access_token": "token-1"},
}
SETTINGS = {"xero": {"sales_account": "200"}, "harvest": {"account_id": "12345"}}
_accounts = itertools.count(1)


@pytest.fixture
def controls(sandbox: RunningSandbox) -> dict[str, AccountControl]:
    account = f"chain{next(_accounts)}"
    found = {name: sandbox.control(name, account) for name in SECRETS}
    for name, control in found.items():
        control.credentials(**SECRETS[name])
    return found


@pytest.fixture
def connections(controls: Any, sandbox: RunningSandbox, environment: Any, now: datetime) -> dict[str, Connection]:
    return {name: connect(name, sandbox, controls[name], environment, now) for name in SECRETS}


def connect(name: str, sandbox: RunningSandbox, control: AccountControl, environment: Any, now: datetime) -> Connection:
    account = control._prefix.rpartition("/")[2]
    connection = Connection.objects.create(
        customer_id=environment.customer_id, environment=environment, vendor=name, name=name.title(),
        settings={"base_url": sandbox.base_url(name, account), **SETTINGS.get(name, {})},
        status=ConnectionStatus.ACTIVE, webhook_token=f"{account}-{name}", created_at=now,
    )  # fmt: skip
    expires_at = datetime.now(UTC) + timedelta(hours=1) if name == "xero" else None
    store_secrets(connection=connection, secrets=SECRETS[name], now=now, expires_at=expires_at)
    return connection


@pytest.fixture
def books(controls: dict[str, AccountControl]) -> None:
    """What stands in the systems before we come."""
    company = controls["hubspot"].create("companies", {"name": "Vulcan Industries", "domain": "vulcan.example"})
    controls["hubspot"].create(
        "deals",
        {
            "dealname": "Forge rollout", "amount": "5000", "dealstage": "closedwon", "closedate": "2026-10-01",
            "associations": {"companies": [company["id"]]},
        },
    )  # fmt: skip
    controls["tryton"].create("employees", {"name": "Anna Smith", "email": "anna@example.com"})
    controls["redmine"].create(
        "users", {"login": "anna", "firstname": "Anna", "lastname": "Smith", "mail": "anna@example.com"}
    )


def run(flow: Flow) -> None:
    now = datetime.now(UTC)
    found = execute_run(run_id=queue_run(flow=flow, trigger="manual", label="", now=now).pk)
    problems = list(RecordFailure.objects.filter(status="open").values_list("object_name", "message"))
    assert (found.status, found.error_message, problems) == (RunStatus.SUCCEEDED, "", [])


def book_time(control: AccountControl) -> None:
    project = next(p for p in control.objects("projects") if p["name"] == "Forge rollout")
    issue = next(i for i in control.objects("issues") if i["subject"] == "Kick-off")
    user = next(u for u in control.objects("users") if u["login"] == "anna")
    control.create(
        "time_entries",
        {
            "project_id": project["id"], "issue_id": issue["id"], "user": user["id"], "hours": 2.5,
            "spent_on": "2026-11-20", "comments": "Workshop", "approved": True,
        },
    )  # fmt: skip


# Xero adds its 20 % of tax; deals show what was agreed, without it.
@pytest.mark.parametrize("biller", ["xero", "tryton"])
def test_from_a_won_deal_to_its_payment(deploy, connections, controls, books, biller):
    roles = {"crm": connections["hubspot"], "erp": connections["tryton"], "delivery": connections["redmine"]}
    run(flow_of(deploy("opportunity-to-project", **roles)))
    assert [p["name"] for p in controls["tryton"].objects("projects")] == ["Forge rollout"]

    book_time(controls["redmine"])
    billing = connections[biller]
    settings = {"default_rate": "120.00"}
    invoicing = flow_of(
        deploy("time-to-invoice", settings, erp=roles["erp"], delivery=roles["delivery"], billing=billing)
    )
    run(invoicing)
    invoices = controls[biller].objects("invoices")
    assert len(invoices) == 1
    assert len(controls["tryton"].objects("timesheet_lines")) == 1

    status = flow_of(deploy("payment-status", crm=roles["crm"], billing=billing))
    run(status)
    assert deal(controls)["payment_status"] == "invoiced"
    assert float(deal(controls)["invoiced_amount"]) == 300.0
    pay(controls[biller], biller, invoices[0])
    run(status)
    assert (deal(controls)["payment_status"], float(deal(controls)["paid_amount"])) == ("paid", 300.0)

    before = write_calls()
    for flow in (flow_of(i) for i in {f.integration for f in (invoicing, status)}):
        run(flow)
    assert write_calls() == before


def deal(controls: dict[str, AccountControl]) -> dict[str, Any]:
    properties: dict[str, Any] = controls["hubspot"].objects("deals")[0]["properties"]
    return properties


def pay(control: AccountControl, biller: str, invoice: dict[str, Any]) -> None:
    if biller == "xero":
        control.update("invoices", invoice["InvoiceID"], {"Status": "PAID"})
    else:
        control.create("payments", {"invoice": invoice["id"], "amount": "300.00"})


def write_calls() -> int:
    """Calls that changed something; searches are POSTs too."""
    calls = (
        VendorCall.objects.exclude(method="GET").exclude(path__contains="search").exclude(path__contains="/batch/read")
    )
    return calls.count()


def test_a_milestone_is_billed_over_the_simulated_systems(deploy, connections, controls, books):
    roles = {"erp": connections["tryton"], "delivery": connections["redmine"]}
    run(flow_of(deploy("opportunity-to-project", crm=connections["hubspot"], **roles)))
    project = next(p for p in controls["redmine"].objects("projects") if p["name"] == "Forge rollout")
    version = {"project_id": project["id"], "name": "Go-live", "status": "closed"}
    controls["redmine"].create("versions", version)
    controls["redmine"].create("versions", {**version, "name": "Later", "status": "open"})
    settings = {"prices": "Go-live = 1250.00", "invoice_status": "open"}
    flow = flow_of(deploy("milestone-billing", settings, billing=connections["xero"], **roles))
    run(flow)

    invoice = controls["xero"].objects("invoices")[0]
    assert [line["Description"] for line in invoice["LineItems"]] == ["Milestone: Go-live"]
    assert float(invoice["SubTotal"]) == 1250.0
    before = write_calls()
    run(flow)
    assert (write_calls(), len(controls["xero"].objects("invoices"))) == (before, 1)


def test_expenses_are_billed_over_the_simulated_harvest_and_xero(deploy, connections, controls):
    harvest = controls["harvest"]
    client = harvest.create("clients", {"name": "Vulcan Industries", "currency": "EUR"})["id"]
    plan = {"is_billable": True, "bill_by": "Tasks", "budget_by": "none"}
    project = harvest.create("projects", {"name": "Forge rollout", "client_id": client, **plan})["id"]
    user = harvest.create("users", {"first_name": "Anna", "last_name": "Smith", "email": "anna@example.com"})["id"]
    expense = {"project_id": project, "user_id": user, "spent_date": "2026-10-20", "approval_status": "approved"}
    harvest.create("expenses", {**expense, "total_cost": 59.9, "notes": "Train"})
    harvest.create("expenses", {**expense, "total_cost": 20.0, "notes": "Lunch", "billable": False})
    settings = {"markup": "10", "invoice_status": "open"}
    flow = flow_of(deploy("expense-to-invoice", settings, delivery=connections["harvest"], billing=connections["xero"]))
    run(flow)

    invoice = controls["xero"].objects("invoices")[0]
    assert [line["Description"] for line in invoice["LineItems"]] == ["2026-10-20 Train (Anna Smith)"]
    assert float(invoice["SubTotal"]) == 65.89
    before = write_calls()
    run(flow)
    assert (write_calls(), len(controls["xero"].objects("invoices"))) == (before, 1)


def test_a_quote_becomes_project_and_deposit_over_the_simulated_systems(
    deploy, connections, controls, owner_actor, now
):
    company = controls["hubspot"].create("companies", {"name": "Vulcan Industries", "domain": "vulcan.example"})["id"]
    values = {
        "hs_title": "Forge rollout",
        "hs_sign_status": "ESIGN_COMPLETED",
        "hs_currency": "EUR",
        "hs_quote_amount": "9000",
    }
    controls["hubspot"].create("quotes", {**values, "associations": {"companies": [company]}})
    roles = {"crm": connections["hubspot"], "erp": connections["tryton"], "billing": connections["xero"]}
    flow = flow_of(deploy("quote-to-contract", {"deposit": "20"}, **roles))
    run(flow)
    assert [p["name"] for p in controls["tryton"].objects("projects")] == ["Forge rollout"]
    assert controls["xero"].objects("invoices") == []

    approve(actor=owner_actor, now=now, approval=ApprovalRequest.objects.get())
    run(flow)
    invoice = controls["xero"].objects("invoices")[0]
    assert (float(invoice["SubTotal"]), invoice["Status"]) == (1800.0, "DRAFT")
    before = write_calls()
    run(flow)
    assert write_calls() == before
