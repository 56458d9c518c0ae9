"""The templates about subscriptions, risk, people and figures over simulated vendors, in their wire formats."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.canonical.models import CanonicalRecord
from apps.connectors.models import Connection, ConnectionStatus
from apps.connectors.services.credentials import store_secrets
from apps.flows.models import Flow, IntegrationTemplateVersion
from apps.flows.services import deploy_integration, publish_mappings, save_mapping
from sandbox.asana.vendor import WORKSPACE
from sandbox.testing import AccountControl, RunningSandbox
from tests.factories.library import load_library
from tests.sync.conftest import flow_of
from tests.sync.test_simulated_systems import run, write_calls

TOKEN = {"access_token": "good-token-1234567890"}
KEY = {"api_key": "test_0123456789"}
SECRETS = {"asana": TOKEN, "xero": TOKEN, "salesforce": TOKEN, "harvest": TOKEN}
SETTINGS: dict[str, dict[str, Any]] = {
    "chargebee": {"item_price": "consulting-EUR-Monthly"}, "asana": {"workspace": WORKSPACE},
    "xero": {"sales_account": "200"}, "redmine": {"role": "Developer"},
    "harvest": {"account_id": "12345"}, "odoo": {"product": "CONSULT"}, "stripe_billing": {"product": "prod_1"}, "salesforce": {"currency": "EUR", "open_stage": "Prospecting", "won_stage": "Closed Won", "lost_stage": "Closed Lost"},
}  # fmt: skip
_accounts = itertools.count(1)
Deployed = Callable[..., Flow]


@pytest.fixture
def at(sandbox: RunningSandbox) -> dict[str, AccountControl]:
    """The systems, opened when first asked for."""

    class Controls(dict[str, AccountControl]):
        account = f"library{next(_accounts)}"

        def __missing__(self, vendor: str) -> AccountControl:
            self[vendor] = sandbox.control(vendor, self.account)
            self[vendor].credentials(**SECRETS.get(vendor, KEY))
            return self[vendor]

    return Controls()


@pytest.fixture
def put(
    at: Any, partner: object, sandbox: RunningSandbox, environment: Any, owner_actor: Any, now: datetime
) -> Deployed:
    """Deploys a template over vendors by role; returns its flow."""
    load_library()

    def connect(vendor: str) -> Connection:
        assert at[vendor]
        base = {"base_url": sandbox.base_url(vendor, at.account)}
        connection = Connection.objects.create(
            customer_id=environment.customer_id, environment=environment, vendor=vendor, name=vendor.title(),
            settings={**base, **SETTINGS.get(vendor, {})}, status=ConnectionStatus.ACTIVE,
            webhook_token=f"{at.account}-{vendor}", created_at=now,
        )  # fmt: skip
        expires_at = datetime.now(UTC) + timedelta(hours=1) if vendor == "xero" else None
        store_secrets(connection=connection, secrets=SECRETS.get(vendor, KEY), now=now, expires_at=expires_at)
        return connection

    def deployed(key: str, settings: dict[str, Any] | None = None, **roles: str) -> Flow:
        version = IntegrationTemplateVersion.objects.get(template__key=key)
        return flow_of(
            deploy_integration(
                actor=owner_actor, now=now, environment=environment, name="", template_version=version,
                bindings={role: connect(vendor) for role, vendor in roles.items()}, settings=settings or {},
            )
        )  # fmt: skip

    return deployed


def run_twice(flow: Flow) -> None:
    """The second time nothing is written."""
    run(flow)
    before = write_calls()
    run(flow)
    assert write_calls() == before


def today(days: int = 0) -> str:
    found: date = datetime.now(UTC).date() + timedelta(days=days)
    return found.isoformat()


def test_a_retainer_becomes_a_subscription_and_the_deal_shows_what_was_billed(put: Deployed, at: Any) -> None:
    company = at["hubspot"].create("companies", {"name": "Vulcan Industries", "domain": "vulcan.example"})["id"]
    deal = {"dealstage": "closedwon", "amount": "1500", "closedate": today(), "associations": {"companies": [company]}}
    at["hubspot"].create("deals", {"dealname": "Retainer Forge", **deal})
    at["hubspot"].create("deals", {"dealname": "Once only", **deal})

    flow = put("retainers-and-subscriptions", crm="hubspot", billing="chargebee")
    run_twice(flow)

    (made,) = at["chargebee"].objects("subscriptions")
    assert (made["subscription_items"][0]["unit_price"], made["status"]) == (150_000, "active")
    charge = {"amount": 150_000, "description": "Retainer"}
    invoice = at["chargebee"].create("invoices", {"customer_id": made["customer_id"], "charges": [charge]})
    at["chargebee"].update("invoices", invoice["id"], {"subscription_id": made["id"]})
    at["chargebee"].update("invoices", invoice["id"], {"pay": 150_000})
    run(flow)
    shown = {d["properties"]["dealname"]: d["properties"].get("payment_status") for d in at["hubspot"].objects("deals")}
    assert shown == {"Retainer Forge": "paid", "Once only": None}


def test_a_renewal_is_a_deal_before_it_is_due(put: Deployed, at: Any) -> None:
    customer = at["chargebee"].create("customers", {"company": "Vulcan Industries", "email": "ap@vulcan.example"})["id"]
    items = [{"item_price_id": "consulting-EUR-Yearly", "quantity": 2, "unit_price": 5000}]
    made = at["chargebee"].create("subscriptions", {"customer_id": customer, "subscription_items": items})
    at["chargebee"].update("subscriptions", made["id"], {"billing_period_unit": "year"})

    run_twice(put("renewal-readiness", {}, crm="hubspot", billing="chargebee"))

    (deal,) = at["hubspot"].objects("deals")
    assert deal["properties"]["dealname"].startswith("Renewal ")
    assert (
        float(deal["properties"]["amount"]),
        [c["properties"]["name"] for c in at["hubspot"].objects("companies")],
    ) == (
        100.0,
        ["Vulcan Industries"],
    )


def test_an_overdue_invoice_is_flagged_on_the_company_in_the_field_that_was_chosen(
    put: Deployed, at: Any, owner_actor: Any, now: datetime
) -> None:
    at["hubspot"].create("companies", {"name": "Vulcan Industries", "domain": "vulcan.example"})
    contact = at["xero"].create("contacts", {"Name": "Vulcan Industries", "EmailAddress": "ap@vulcan.example"})
    bill = {
        "Type": "ACCREC", "Status": "AUTHORISED", "Contact": {"ContactID": contact["ContactID"]},
        "Date": today(-40), "DueDate": today(-10), "CurrencyCode": "EUR",
        "LineItems": [{"Description": "Work", "Quantity": 1, "UnitAmount": 250, "AccountCode": "200"}],
    }  # fmt: skip
    invoice = at["xero"].create("invoices", bill)
    flow = put("collections-risk", crm="hubspot", billing="xero")
    run_twice(flow)
    assert description(at) is None

    flagged = 'record.payment_risk == "overdue" ? "Overdue: " + decimal(record.overdue_amount) : ""'
    save_mapping(
        actor=owner_actor, now=now, integration=flow.integration, place=("crm", "write", "companies"),
        fields={"description": flagged},
    )  # fmt: skip
    publish_mappings(actor=owner_actor, now=now, integration=flow.integration, note="Flag", accepted=True)
    flow = flow_of(flow.integration)
    run_twice(flow)
    assert description(at).startswith("Overdue: ")

    at["xero"].update("invoices", invoice["InvoiceID"], {"Status": "PAID"})
    run(flow)
    assert not description(at)


def description(at: Any) -> Any:
    (company,) = at["hubspot"].objects("companies")
    return company["properties"].get("description")


def test_whoever_has_a_task_may_book_time_on_its_project(put: Deployed, at: Any) -> None:
    anna = {"name": "Anna Smith", "email": "anna@example.com"}
    at["tryton"].create("employees", anna)
    person = at["asana"].create("users", anna)["gid"]
    project = at["asana"].create("projects", {"name": "Forge rollout"})["gid"]
    at["asana"].create("tasks", {"name": "Concept", "projects": [project], "assignee": person})
    at["redmine"].create(
        "users", {"login": "anna", "firstname": "Anna", "lastname": "Smith", "mail": "anna@example.com"}
    )

    run_twice(put("resource-and-assignment-sync", planning="asana", delivery="redmine", erp="tryton"))

    (member,) = at["redmine"].objects("memberships")
    assert member["user"]["name"] == "Anna Smith"
    assert [p["name"] for p in at["redmine"].objects("projects")] == ["Forge rollout"]
    assert len(at["tryton"].objects("employees")) == 1


def test_booked_hours_and_open_deals_become_figures(put: Deployed, at: Any) -> None:
    at["hubspot"].create("deals", {"dealname": "Anvil", "amount": "9000", "dealstage": "contractsent"})
    anna = {"login": "anna", "firstname": "Anna", "lastname": "Smith", "mail": "anna@example.com"}
    user = at["redmine"].create("users", anna)["id"]
    project = at["redmine"].create("projects", {"name": "Forge rollout", "identifier": "forge"})["id"]
    day = today(-3)
    booked = {"project_id": project, "user": user, "spent_on": day, "comments": "Work"}
    for hours in (1.5, 0.5):
        at["redmine"].create("time_entries", {**booked, "hours": hours})

    run_twice(put("utilisation-and-forecast", crm="hubspot", delivery="redmine", reporting="tryton"))

    (usage,) = CanonicalRecord.objects.filter(entity="usage_record")
    assert (usage.data["usage_date"], usage.data["quantity"], usage.data["unit"]) == (day, "2", "hour")
    (planned,) = CanonicalRecord.objects.filter(entity="project", title="Planned: Anvil")
    assert planned.data["budget"] == {"amount": 900_000, "currency": "EUR"}
