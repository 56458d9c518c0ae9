"""The main job, from the won deal to the paid invoice, over four simulated systems that speak their vendors' protocols."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from apps.billing.models import UsageEvent
from apps.canonical.models import CanonicalRecord, CrossReference
from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.customers.models import Environment, EnvironmentKind
from apps.customers.services import create_customer
from apps.sync.models import RecordFailure, RecordLog, RunStatus, SyncRun, WriteIntent
from apps.sync.services import retry_failure
from sandbox.testing import RunningSandbox, running_sandbox
from tests.chain import INVOICING, Chain, SimulatedSystems

_accounts = itertools.count(1)
FLOWS = ("opportunity-to-project", "time-to-invoice", "payment-status")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def vendors(sandbox: RunningSandbox, now: datetime) -> SimulatedSystems:
    systems = SimulatedSystems(sandbox, f"vulcan{next(_accounts)}")
    systems.set_clocks(now)
    return systems


@pytest.fixture
def chain(partner: object, owner_actor: Actor, vendors: SimulatedSystems, now: datetime) -> Chain:
    customer = create_customer(actor=owner_actor, now=now, name="Vulcan Industries", currency="EUR")
    environment = Environment.objects.get(customer=customer, kind=EnvironmentKind.PRODUCTION)
    chain = Chain(owner_actor, environment)
    with moved_clock(now):
        chain.connect(vendors.systems(), now)
        for key in FLOWS:
            chain.deploy(key, now, INVOICING if key == "time-to-invoice" else None)
    return chain


class Story:
    """The days of the customer; every step of a person is followed by the run it causes."""

    def __init__(self, chain: Chain, vendors: SimulatedSystems, now: datetime) -> None:
        self.chain, self.vendors, self.now = chain, vendors, now

    def pass_time(self) -> None:
        self.now += timedelta(hours=1)
        self.vendors.set_clocks(self.now)

    def run(self, key: str) -> SyncRun:
        self.pass_time()
        return self.chain.run(key, self.now)

    def win_deal(self) -> SyncRun:
        company = self.vendors.hubspot.create("companies", {"name": "Forge & Sons", "domain": "forge.example"})
        self.vendors.hubspot.create(
            "deals",
            {
                "dealname": "Forge rollout", "amount": "5000.00", "dealstage": "closedwon", "closedate": "2026-11-01",
                "associations": {"companies": [company["id"]]},
            },
        )  # fmt: skip
        self.vendors.tryton.create("employees", {"name": "Anna Berg", "email": "anna@example.com"})
        self.vendors.tryton.create("employees", {"name": "Ben Cole", "email": "ben@example.com"})
        return self.run("opportunity-to-project")

    def join(self) -> dict[str, int]:
        return {
            first: self.vendors.redmine.create(
                "users", {"firstname": first, "lastname": last, "mail": f"{first.lower()}@example.com"}
            )["id"]
            for first, last in (("Anna", "Berg"), ("Ben", "Cole"))
        }

    def book_time(self) -> SyncRun:
        people = self.join()
        issue = self.vendors.redmine.objects("issues")[0]["id"]
        for person, hours, approved in (
            ("Anna", "1.5", True),
            ("Anna", "0.35", True),
            ("Ben", "4", True),
            ("Ben", "8", False),
        ):
            self.vendors.redmine.create(
                "time_entries",
                {
                    "user": people[person], "issue_id": issue, "hours": hours, "spent_on": "2026-11-02",
                    "comments": f"{hours} hours of work", "approved": approved,
                },
            )  # fmt: skip
        return self.run("time-to-invoice")

    def pay(self) -> SyncRun:
        invoice = self.vendors.xero.objects("invoices")[0]
        self.pass_time()
        self.vendors.xero.update("invoices", invoice["InvoiceID"], {"Status": "PAID"})
        return self.run("payment-status")


@pytest.fixture
def story(chain: Chain, vendors: SimulatedSystems, now: datetime) -> Story:
    return Story(chain, vendors, now)


def outcome(run: SyncRun) -> tuple[str, str, int]:
    return run.status, run.error_message, run.failed_count


SUCCEEDED = (RunStatus.SUCCEEDED, "", 0)
# 1.5 h and 0.35 h at 120.10, 4 h at 100.00; Xero's sales account adds a fifth in tax.
NET, TOTAL = 622.19, 746.63


def test_a_won_deal_becomes_a_project_in_both_systems(story: Story, vendors: SimulatedSystems) -> None:
    assert outcome(story.win_deal()) == SUCCEEDED

    parties = [party["name"] for party in vendors.tryton.objects("parties")]
    assert parties.count("Forge & Sons") == 1
    party = next(p for p in vendors.tryton.objects("parties") if p["name"] == "Forge & Sons")
    assert [(p["name"], p["party"]) for p in vendors.tryton.objects("projects")] == [("Forge rollout", party["id"])]
    projects = vendors.redmine.objects("projects")
    assert [project["name"] for project in projects] == ["Forge rollout"]
    assert [(i["subject"], i["project"]["id"]) for i in vendors.redmine.objects("issues")] == [
        ("Kick-off", projects[0]["id"])
    ]


def test_approved_time_becomes_timesheets_and_one_invoice(story: Story, vendors: SimulatedSystems) -> None:
    story.win_deal()

    assert outcome(story.book_time()) == SUCCEEDED

    seconds = sorted(line["duration"]["seconds"] for line in vendors.tryton.objects("timesheet_lines"))
    assert seconds == [1260, 5400, 14400]
    (invoice,) = vendors.xero.objects("invoices")
    lines = [
        (line["Description"], line["Quantity"], line["UnitAmount"], line["LineAmount"]) for line in invoice["LineItems"]
    ]
    assert lines == [("Kick-off – Anna Berg", 1.85, 120.1, 222.19), ("Kick-off – Ben Cole", 4.0, 100.0, 400.0)]
    assert (invoice["SubTotal"], invoice["Total"], invoice["AmountDue"]) == (NET, TOTAL, TOTAL)
    assert (invoice["Status"], invoice["DueDateString"][:10]) == ("AUTHORISED", "2026-11-16")
    assert [c["Name"] for c in vendors.xero.objects("contacts")] == ["Forge & Sons"]


def test_sales_sees_the_payment(story: Story, vendors: SimulatedSystems) -> None:
    story.win_deal()
    story.book_time()
    assert outcome(story.run("payment-status")) == SUCCEEDED
    number = vendors.xero.objects("invoices")[0]["InvoiceNumber"]
    assert deal(vendors) == ("invoiced", number, "622.19", "0.00")

    assert outcome(story.pay()) == SUCCEEDED

    assert deal(vendors) == ("paid", number, "622.19", "622.19")
    assert vendors.xero.objects("payments")[0]["Amount"] == TOTAL


def deal(vendors: SimulatedSystems) -> tuple[str, ...]:
    properties = vendors.hubspot.objects("deals")[0]["properties"]
    return tuple(properties[name] for name in ("payment_status", "invoice_number", "invoiced_amount", "paid_amount"))


def test_a_second_pass_writes_nothing_anywhere(story: Story, vendors: SimulatedSystems) -> None:
    story.win_deal()
    story.book_time()
    story.pay()
    for key in FLOWS:  # what one flow wrote is news to the others, once
        story.run(key)
    logged, usage = RecordLog.objects.count(), UsageEvent.objects.count()
    vendors.forget_requests()

    runs = [story.run(key) for key in FLOWS]

    assert [outcome(run) for run in runs] == [SUCCEEDED] * 3
    assert vendors.writes() == []
    assert [(run.created_count, run.updated_count) for run in runs] == [(0, 0)] * 3
    assert (RecordLog.objects.count(), UsageEvent.objects.count()) == (logged, usage)


def test_our_own_tables_agree(story: Story) -> None:
    story.win_deal()
    story.book_time()
    story.pay()

    assert WriteIntent.objects.count() == 0
    written = RecordLog.objects.filter(direction="write")
    assert written.count() == sum(int(e.quantity) for e in UsageEvent.objects.all()) > 0
    project = CanonicalRecord.objects.get(entity="project")
    assert set(CrossReference.objects.filter(record=project).values_list("connection__vendor", "object_name")) == {
        ("tryton", "projects"), ("redmine", "projects"),
    }  # fmt: skip
    invoice = CanonicalRecord.objects.get(entity="invoice")
    assert invoice.data["total"] == invoice.data["amount_paid"] == {"amount": 74663, "currency": "EUR"}
    assert invoice.data["amount_due"] == {"amount": 0, "currency": "EUR"}


def test_a_refused_record_waits_for_a_person_and_is_repaired(
    story: Story, vendors: SimulatedSystems, owner_actor: Actor
) -> None:
    """A person whom the ERP does not know yet: their time waits, all other time goes on."""
    story.win_deal()
    story.vendors.redmine.create("users", {"firstname": "Cora", "lastname": "Dahl", "mail": "cora@example.com"})
    cora = next(user for user in vendors.redmine.objects("users") if user["firstname"] == "Cora")
    issue = vendors.redmine.objects("issues")[0]["id"]
    entry = {"issue_id": issue, "hours": "2", "spent_on": "2026-11-02", "comments": "Review", "approved": True}
    vendors.redmine.create("time_entries", {"user": cora["id"], **entry})
    run = story.book_time()

    assert (run.status, run.failed_count) == (RunStatus.PARTIAL, 1)
    failure = RecordFailure.objects.get(status="open")
    assert (failure.error_class, failure.object_name) == ("missing_reference", "timesheet_lines")
    assert len(vendors.tryton.objects("timesheet_lines")) == 3

    vendors.tryton.create("employees", {"name": "Cora Dahl", "email": "cora@example.com"})
    with moved_clock(story.now):
        retry_failure(actor=owner_actor, now=story.now, failure=failure)
    repaired = story.run("time-to-invoice")

    assert outcome(repaired) == SUCCEEDED
    failure.refresh_from_db()
    assert failure.status == "resolved"
    assert sorted(line["duration"]["seconds"] for line in vendors.tryton.objects("timesheet_lines")) == [
        1260, 5400, 7200, 14400,
    ]  # fmt: skip
