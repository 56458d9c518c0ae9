"""The main job with a real ERP and a real delivery system: won deal to project to time to invoice to payment.

HubSpot is simulated; Tryton and Redmine are the servers themselves, worked at by their people over their own protocols.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.customers.models import Environment, EnvironmentKind
from apps.customers.services import create_customer
from apps.sync.models import RunStatus, SyncRun, VendorCall
from sandbox.testing import RunningSandbox, running_sandbox
from tests.chain import Chain, SimulatedSystems, System, is_write
from tests.real.servers import RealServer
from tests.real.servers.redmine_user import RedmineUsers
from tests.real.servers.tryton_user import TrytonUser

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]

FLOWS = ("opportunity-to-project", "time-to-invoice", "payment-status")
SETTINGS = {
    "time-to-invoice": {"default_rate": "100.00", "rate_card": "dana@northwind.example = 120.10", "payment_days": 14}
}
TRYTON_MODELS = (
    "party.party", "party.contact_mechanism", "party.identifier", "project.work", "timesheet.work", "timesheet.line",
    "account.invoice", "account.invoice.line", "account.move", "account.move.line",
)  # fmt: skip
REDMINE_LISTS = ("projects.json?status=1|5", "issues.json?status_id=*", "time_entries.json?", "users.json?status=")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


class Story:
    def __init__(self, chain: Chain, hubspot: SimulatedSystems, tryton: RealServer, redmine: RealServer) -> None:
        self.chain, self.hubspot = chain, hubspot.hubspot
        self.erp, self.team = TrytonUser(tryton), RedmineUsers(redmine)

    def run(self, key: str) -> SyncRun:
        run = self.chain.run(key, datetime.now(UTC))
        assert (run.status, run.error_message, run.failed_count) == (RunStatus.SUCCEEDED, "", 0)
        return run

    def deal(self) -> tuple[str | None, ...]:
        (deal,) = self.hubspot.objects("deals")
        names = ("payment_status", "invoice_number", "invoiced_amount", "paid_amount")
        return tuple(deal["properties"].get(name) for name in names)

    def tryton(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.erp.rpc(f"model.{model}.search_read", domain, 0, None, None, list(fields))
        return found

    def stamps(self) -> dict[str, Any]:
        """When each record of either server was last touched, by whoever did it."""
        touched: dict[str, Any] = {
            model: sorted(str(row) for row in self.tryton(model, [], "create_date", "write_date"))
            for model in TRYTON_MODELS
        }
        for path in REDMINE_LISTS:
            listed = self.team.call("GET", f"/{path}&limit=100")
            rows = next(value for value in listed.values() if isinstance(value, list))
            touched[path] = sorted((row["id"], row["updated_on"]) for row in rows)
        return touched


@pytest.fixture
def story(
    partner: object, owner_actor: Actor, sandbox: RunningSandbox, tryton_server: RealServer, redmine_server: RealServer
) -> Story:
    now = datetime.now(UTC)
    customer = create_customer(actor=owner_actor, now=now, name="Northwind", currency="EUR")
    environment = Environment.objects.get(customer=customer, kind=EnvironmentKind.PRODUCTION)
    chain, simulated = Chain(owner_actor, environment), SimulatedSystems(sandbox, "northwind")
    tryton = System(
        vendor="tryton", settings={"base_url": tryton_server.base_url}, secrets=tryton_server.credentials
    )  # fmt: skip
    redmine = System(
        vendor="redmine", secrets=redmine_server.credentials,
        settings={"base_url": redmine_server.base_url, "approval_field": redmine_server.facts["approval_field"]},
    )  # fmt: skip
    systems = {"crm": simulated.system("hubspot"), "erp": tryton, "billing": tryton, "delivery": redmine}
    with moved_clock(now):
        chain.connect(systems, now)
        for key in FLOWS:
            chain.deploy(key, now, SETTINGS.get(key))
    return Story(chain, simulated, tryton_server, redmine_server)


def win(story: Story) -> tuple[int, int]:
    """Wins the deal; returns the ids of the Tryton project and of the Redmine issue that came of it."""
    company = story.hubspot.create("companies", {"name": "Vulcan Industries", "domain": "vulcan.example"})
    story.hubspot.create(
        "deals",
        {
            "dealname": "Vulcan rollout", "amount": "5000.00", "dealstage": "closedwon", "closedate": "2026-11-01",
            "associations": {"companies": [company["id"]]},
        },
    )  # fmt: skip
    story.run("opportunity-to-project")

    parties = story.tryton("party.party", [["name", "=", "Vulcan Industries"]], "id")
    works = story.tryton("project.work", [["type", "=", "project"], ["party.name", "=", "Vulcan Industries"]], "name")
    assert ([len(parties)], [work["name"] for work in works]) == ([1], ["Vulcan rollout"])
    projects = [p for p in story.team.call("GET", "/projects.json")["projects"] if p["name"] == "Vulcan rollout"]
    assert len(projects) == 1
    issues = story.team.call("GET", f"/issues.json?project_id={projects[0]['id']}")["issues"]
    assert [issue["subject"] for issue in issues] == ["Kick-off"]
    return works[0]["id"], issues[0]["id"]


def book(story: Story, project: int, issue: int) -> dict[str, Any]:
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


def test_a_won_deal_ends_as_a_paid_invoice_and_a_second_pass_writes_nothing(story: Story) -> None:
    project, issue = win(story)
    invoice = book(story, project, issue)
    story.run("payment-status")
    assert story.deal() == ("invoiced", invoice["number"], "622.19", "0.00")

    story.erp.pay_invoice(invoice["id"], Decimal("622.19"))
    story.run("payment-status")
    assert story.deal() == ("paid", invoice["number"], "622.19", "622.19")

    for key in FLOWS:  # what one flow wrote is news to the others, once
        story.run(key)
    assert_a_pass_writes_nothing(story)


def assert_a_pass_writes_nothing(story: Story) -> None:
    story.hubspot.clear_requests()
    before, calls = story.stamps(), VendorCall.objects.count()

    runs = [story.run(key) for key in FLOWS]

    assert [(run.created_count, run.updated_count) for run in runs] == [(0, 0)] * 3
    assert story.stamps() == before
    made = VendorCall.objects.order_by("id")[calls:]
    assert len(made) > 10
    assert [f"{call.method} {call.path}" for call in made if is_write(call.method, call.path)] == []
    assert [r["path"] for r in story.hubspot.requests() if is_write(r["method"], r["path"])] == []
