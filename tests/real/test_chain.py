"""The main job on real servers alone: won deal to project to time to invoice to payment, and back to the deal.

BottleCRM, Tryton and Redmine are the servers themselves, worked at by their people over their own protocols. The same job
with simulated vendors in these places is in tests/sync and tests/functional.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.customers.models import Environment, EnvironmentKind
from apps.customers.services import create_customer
from apps.sync.models import RunStatus, SyncRun, VendorCall
from tests.chain import Chain, System, is_write
from tests.real.servers import RealServer
from tests.real.servers.bottlecrm import stamps_of
from tests.real.servers.redmine_user import RedmineUsers
from tests.real.servers.tryton_user import TrytonUser
from tests.real.test_conformance_bottlecrm import RealBottle

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]

FLOWS = ("opportunity-to-project", "time-to-invoice", "payment-status", "two-way-accounts")
SETTINGS = {
    "time-to-invoice": {"default_rate": "100.00", "rate_card": "dana@northwind.example = 120.10", "payment_days": 14}
}
TRYTON_MODELS = (
    "party.party", "party.contact_mechanism", "party.identifier", "project.work", "timesheet.work", "timesheet.line",
    "account.invoice", "account.invoice.line", "account.move", "account.move.line",
)  # fmt: skip
REDMINE_LISTS = ("projects.json?status=1|5", "issues.json?status_id=*", "time_entries.json?", "users.json?status=")


class Story:
    def __init__(self, chain: Chain, bottle: RealServer, tryton: RealServer, redmine: RealServer) -> None:
        self.chain, self.bottle = chain, bottle
        self.sales, self.erp, self.team = RealBottle(bottle), TrytonUser(tryton), RedmineUsers(redmine)

    def run(self, key: str) -> SyncRun:
        run = self.chain.run(key, datetime.now(UTC))
        assert (run.status, run.error_message, run.failed_count) == (RunStatus.SUCCEEDED, "", 0)
        return run

    def deal(self) -> tuple[Any, ...]:
        """What sales sees of the one deal there is."""
        (deal,) = self.sales.call("GET", "/api/opportunities/")["opportunities"]
        names = ("payment_status", "invoice_number", "invoiced_amount", "paid_amount")
        return tuple(deal["custom_fields"].get(name) for name in names)

    def account(self, name: str) -> dict[str, Any]:
        listed = self.sales.call("GET", "/api/accounts/?limit=100")["active_accounts"]["open_accounts"]
        (found,) = [row for row in listed if row["name"] == name]
        return dict(found)

    def tryton(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.erp.rpc(f"model.{model}.search_read", domain, 0, None, None, list(fields))
        return found

    def stamps(self) -> dict[str, Any]:
        """When each record of each server was last touched, by whoever did it."""
        touched: dict[str, Any] = {
            model: sorted(str(row) for row in self.tryton(model, [], "create_date", "write_date"))
            for model in TRYTON_MODELS
        }
        for path in REDMINE_LISTS:
            listed = self.team.call("GET", f"/{path}&limit=100")
            rows = next(value for value in listed.values() if isinstance(value, list))
            touched[path] = sorted((row["id"], row["updated_on"]) for row in rows)
        return touched | stamps_of(self.bottle)


@pytest.fixture
def story(
    partner: object,
    owner_actor: Actor,
    bottlecrm_server: RealServer,
    tryton_server: RealServer,
    redmine_server: RealServer,
) -> Story:
    now = datetime.now(UTC)
    customer = create_customer(actor=owner_actor, now=now, name="Northwind", currency="EUR")
    environment = Environment.objects.get(customer=customer, kind=EnvironmentKind.PRODUCTION)
    chain = Chain(owner_actor, environment)
    # An organization of its own: the other one is full of what tests of the connector left there.
    bottle = replace(bottlecrm_server, credentials={"api_key": bottlecrm_server.facts["northwind_api_key"]})
    crm, erp = (
        System(vendor=server.name, settings={"base_url": server.base_url}, secrets=server.credentials)
        for server in (bottle, tryton_server)
    )
    delivery = System(
        vendor="redmine", secrets=redmine_server.credentials,
        settings={"base_url": redmine_server.base_url, "approval_field": redmine_server.facts["approval_field"]},
    )  # fmt: skip
    with moved_clock(now):
        chain.connect({"crm": crm, "erp": erp, "billing": erp, "delivery": delivery}, now)
        for key in FLOWS:
            chain.deploy(key, now, SETTINGS.get(key))
    return Story(chain, bottle, tryton_server, redmine_server)


def win(story: Story) -> int:
    """Wins the deal; returns the id of the Redmine issue that came of it."""
    account = story.sales.make("accounts", {"name": "Vulcan Industries", "website": "https://vulcan.example"})
    deal = {"name": "Vulcan rollout", "amount": "5000.00", "currency": "EUR", "closed_on": "2026-11-01"}
    made = story.sales.make("opportunities", {**deal, "account": account})
    story.run("opportunity-to-project")
    assert story.tryton("party.party", [["name", "=", "Vulcan Industries"]], "id") == []
    story.sales.change_record("opportunities", made, {"stage": "CLOSED_WON"})
    story.run("opportunity-to-project")

    parties = story.tryton("party.party", [["name", "=", "Vulcan Industries"]], "id")
    works = story.tryton("project.work", [["type", "=", "project"], ["party.name", "=", "Vulcan Industries"]], "name")
    assert ([len(parties)], [work["name"] for work in works]) == ([1], ["Vulcan rollout"])
    projects = [p for p in story.team.call("GET", "/projects.json")["projects"] if p["name"] == "Vulcan rollout"]
    assert len(projects) == 1
    issues = story.team.call("GET", f"/issues.json?project_id={projects[0]['id']}")["issues"]
    assert [issue["subject"] for issue in issues] == ["Kick-off"]
    return int(issues[0]["id"])


def book(story: Story, issue: int) -> dict[str, Any]:
    """Two people enter time in Redmine and have it approved; returns the invoice in Tryton that came of it."""
    redmine_project = story.team.call("GET", f"/issues/{issue}.json")["issue"]["project"]["id"]
    for person in ("dana", "omar"):
        story.team.join(person, redmine_project)
    for person, hours in (("dana", 1.5), ("dana", 0.35), ("omar", 4.0), ("omar", 8.0)):
        entry = story.team.log_time(person, issue=str(issue), day="2026-11-20", hours=hours, comments=f"{hours} hours")
        if hours != 8.0:
            story.team.approve(entry)
    story.run("time-to-invoice")

    lines = story.tryton(
        "timesheet.line", [["date", "=", {"__class__": "date", "year": 2026, "month": 11, "day": 20}]], "duration"
    )
    assert sorted(line["duration"]["seconds"] for line in lines) == [1260.0, 5400.0, 14400.0]
    (invoice,) = story.tryton(
        "account.invoice", [["party.name", "=", "Vulcan Industries"]], "number", "state", "total_amount", "lines"
    )
    assert (invoice["state"], invoice["total_amount"]["decimal"]) == ("posted", "622.19")
    found = story.tryton("account.invoice.line", [["id", "in", invoice["lines"]]], "description", "quantity", "amount")
    # 1.85 × 120.10 is a tie: we round half up, Tryton by itself to even.
    assert sorted((row["description"], row["quantity"], row["amount"]["decimal"]) for row in found) == [
        ("Kick-off – Dana Reyes", 1.85, "222.19"), ("Kick-off – Omar Haddad", 4.0, "400.00"),
    ]  # fmt: skip
    return invoice


def pay(story: Story, invoice: dict[str, Any]) -> None:
    """In two parts; the deal shows each."""
    shown = (invoice["number"], 622.19)
    story.run("payment-status")
    assert story.deal() == ("invoiced", *shown, 0)

    for amount, status, paid in (("22.19", "part_paid", 22.19), ("600.00", "paid", 622.19)):
        story.erp.pay_invoice(invoice["id"], Decimal(amount))
        story.run("payment-status")
        assert story.deal() == (status, *shown, paid)


def exchange_accounts(story: Story) -> None:
    """A new company on either side reaches the other, and so does an edit of the one that was there."""
    forge = story.erp.make_parties(name="Forge Works", email="office@forge.example")
    story.sales.make("accounts", {"name": "Anvil Group", "website": "https://anvil.example", "phone": "+4930111222"})
    story.sales.change_record("accounts", story.account("Vulcan Industries")["id"], {"phone": "+4930123456"})
    story.run("two-way-accounts")
    assert story.account("Forge Works")["email"] == "office@forge.example"
    assert phones(story, "Anvil Group", "Vulcan Industries") == ["+4930111222", "+4930123456"]

    story.erp.write("party.party", forge, {"name": "Forge Holding"})
    story.run("two-way-accounts")
    assert story.account("Forge Holding")["email"] == "office@forge.example"


def phones(story: Story, *names: str) -> list[str]:
    """Of the one party of each name."""
    found = [story.tryton("party.party", [["name", "=", name]], "phone") for name in names]
    return [row["phone"] for (row,) in found]


def test_a_won_deal_ends_as_a_paid_invoice_and_a_second_pass_writes_nothing(story: Story) -> None:
    issue = win(story)
    invoice = book(story, issue)
    pay(story, invoice)
    exchange_accounts(story)

    for key in FLOWS:  # what one flow wrote is news to the others, once
        story.run(key)
    assert_a_pass_writes_nothing(story)


def assert_a_pass_writes_nothing(story: Story) -> None:
    before, calls = story.stamps(), VendorCall.objects.count()

    runs = [story.run(key) for key in FLOWS]

    assert [(run.created_count, run.updated_count) for run in runs] == [(0, 0)] * len(FLOWS)
    assert story.stamps() == before
    made = VendorCall.objects.order_by("id")[calls:]
    vendors = {connection.pk: connection.vendor for connection in story.chain.connections.values()}
    assert {vendors[call.connection_id] for call in made} == {"bottlecrm", "tryton", "redmine"}
    assert [f"{call.method} {call.path}" for call in made if is_write(call.method, call.path)] == []
