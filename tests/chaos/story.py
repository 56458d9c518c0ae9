"""One customer's story under attack: what its people do, what each system must hold at the end, how work is resumed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.billing.models import UsageEvent
from apps.canonical.models import CanonicalLink, CanonicalRecord, CrossReference
from apps.core.clock import moved_clock
from apps.dispatch.services import schedule
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.sync.models import RecordFailure, RecordLog, RunStatus, SyncRun, WriteIntent
from tests.chain import Chain, SimulatedSystems
from tests.chaos.workers import KILLED, Workers

SCHEMA = "p_chaos"
# Longer than a worker's lease and the reaper's patience.
LATER = timedelta(minutes=11)
MAX_ATTEMPTS = 25
COMPANIES = ("Alpha Works", "Beta Mills")
HOURS = ("1.5", "0.35", "4")
# 5.85 hours at 100.00 and the fifth of tax that Xero's sales account adds.
SUBTOTAL, TOTAL = 585.0, 702.0

Attack = Callable[[Workers, datetime], int]


class ChaosStory:
    """`attack` sends one worker to work, and perhaps kills it."""

    def __init__(self, chain: Chain, vendors: SimulatedSystems, workers: Workers, now: datetime) -> None:
        self.chain, self.vendors, self.workers, self.now = chain, vendors, workers, now
        self.faults: dict[str, list[dict[str, Any]]] = {}

    def play(self, attacks: dict[str, Attack]) -> int:
        """The whole story, each flow under its attack; returns the number of kills."""
        before = self.workers.kills
        for key, act in (
            ("opportunity-to-project", self.win), ("time-to-invoice", self.book), ("payment-status", self.pay),
        ):  # fmt: skip
            act()
            self.finish(key, attacks.get(key, peaceful))
        return self.workers.kills - before

    def finish(self, key: str, attack: Attack) -> None:
        """A run of the flow, asked for and carried to its end, however often its workers die."""
        flow_id = self.chain.flow(key).pk
        self.pass_time(timedelta(hours=1))
        schedule(kind=FLOW_DUE_KIND, key=str(flow_id), due_at=self.now)
        self.faults = {}
        for _ in range(MAX_ATTEMPTS):
            code = attack(self.workers, self.now)
            if code != KILLED and self._is_done(flow_id):
                return
            self.pass_time(LATER)
        raise AssertionError(f"{key} did not end within {MAX_ATTEMPTS} attempts")

    def _is_done(self, flow_id: UUID) -> bool:
        run = SyncRun.objects.filter(flow_id=flow_id).order_by("-queued_at", "-id").first()
        return (
            run is not None and run.status == RunStatus.SUCCEEDED and run.queued_at >= self.now - MAX_ATTEMPTS * LATER
        )

    def pass_time(self, span: timedelta) -> None:
        self.now += span
        self.vendors.set_clocks(self.now)

    def break_call(self, vendor: str, fault: dict[str, Any]) -> None:
        """One fault more for this vendor."""
        self.faults.setdefault(vendor, []).append(fault)
        self.vendors.controls()[vendor].faults(self.faults[vendor])
        self.workers.faults += 1

    def win(self) -> None:
        companies = self.vendors.hubspot.create(
            "companies", [{"name": name, "domain": f"{name[:4].lower()}.example"} for name in COMPANIES]
        )
        for company, name in zip(companies, COMPANIES, strict=True):
            deal = {"dealname": f"{name} rollout", "amount": "5000.00", "dealstage": "closedwon"}
            self.vendors.hubspot.create("deals", {**deal, "associations": {"companies": [company["id"]]}})
        self.vendors.tryton.create("employees", {"name": "Anna Berg", "email": "anna@chaos.example"})

    def book(self) -> None:
        anna = self.vendors.redmine.create(
            "users", {"firstname": "Anna", "lastname": "Berg", "mail": "anna@chaos.example"}
        )
        for issue, hours in itertools.product(self.vendors.redmine.objects("issues"), HOURS):
            entry = {"user": anna["id"], "issue_id": issue["id"], "hours": hours, "spent_on": "2026-11-02"}
            self.vendors.redmine.create("time_entries", {**entry, "comments": f"{hours} h", "approved": True})

    def pay(self) -> None:
        for invoice in self.vendors.xero.objects("invoices"):
            self.vendors.xero.update("invoices", invoice["InvoiceID"], {"Status": "PAID"})


def peaceful(workers: Workers, now: datetime) -> int:
    return workers.work(SCHEMA, now)


def assert_exactly_once(story: ChaosStory) -> None:
    assert picture(story.vendors) == EXPECTED
    assert_tables_agree(story)
    story.vendors.forget_requests()
    for key in story.chain.integrations:
        story.pass_time(timedelta(hours=1))
        with moved_clock(story.now):
            run = story.chain.run(key, story.now)
        assert (run.status, run.created_count, run.updated_count) == (RunStatus.SUCCEEDED, 0, 0)
    assert story.vendors.writes() == []


def picture(vendors: SimulatedSystems) -> dict[str, Any]:
    """What the vendors themselves hold, in words instead of ids."""
    parties = {party["id"]: party["name"] for party in vendors.tryton.objects("parties")}
    return {
        "parties": sorted(name for name in parties.values() if name in COMPANIES),
        "projects": sorted((p["name"], parties[p["party"]]) for p in vendors.tryton.objects("projects")),
        "tasks": sorted(task["name"] for task in vendors.tryton.objects("tasks")),
        "timesheets": sorted(line["duration"]["seconds"] for line in vendors.tryton.objects("timesheet_lines")),
        "boards": sorted(project["name"] for project in vendors.redmine.objects("projects")),
        "issues": sorted((i["subject"], i["project"]["name"]) for i in vendors.redmine.objects("issues")),
        "contacts": sorted(contact["Name"] for contact in vendors.xero.objects("contacts")),
        "invoices": sorted(
            (i["Contact"]["Name"], i["SubTotal"], i["Total"], i["AmountPaid"], i["Status"])
            for i in vendors.xero.objects("invoices")
        ),
        "deals": sorted(
            tuple(deal["properties"][name] for name in ("dealname", "payment_status", "invoiced_amount", "paid_amount"))
            for deal in vendors.hubspot.objects("deals")
        ),
    }  # fmt: skip


EXPECTED = {
    "parties": sorted(COMPANIES),
    "projects": [(f"{name} rollout", name) for name in COMPANIES],
    "tasks": ["Kick-off"] * 2,
    "timesheets": [1260, 1260, 5400, 5400, 14400, 14400],
    "boards": [f"{name} rollout" for name in COMPANIES],
    "issues": [("Kick-off", f"{name} rollout") for name in COMPANIES],
    "contacts": sorted(COMPANIES),
    "invoices": [(name, SUBTOTAL, TOTAL, TOTAL, "PAID") for name in COMPANIES],
    "deals": [(f"{name} rollout", "paid", "585.00", "585.00") for name in COMPANIES],
}


def assert_tables_agree(story: ChaosStory) -> None:
    """Our own account of the story: model, references, intents, log and usage tell the same."""
    environment = story.chain.environment
    own = {"environment": environment}
    counts = {
        entity: CanonicalRecord.objects.filter(environment=environment, entity=entity).count()
        for entity in ("opportunity", "project", "task", "time_entry", "invoice", "payment")
    }
    assert counts == {"opportunity": 2, "project": 2, "task": 2, "time_entry": 6, "invoice": 2, "payment": 2}
    billed = CanonicalLink.objects.filter(source__environment=environment, source__entity="time_entry", name="invoice")
    assert billed.count() == 6
    assert references(story) == objects(story.vendors)
    assert not WriteIntent.objects.filter(**own).exists()
    logged = RecordLog.objects.filter(environment_id=environment.pk, direction="write")
    made = logged.filter(action="created").values_list("connection_id", "object_name", "record_id")
    assert made.distinct().count() == made.count()
    subject = f"customer:{environment.customer_id}"
    assert sum(event.quantity for event in UsageEvent.objects.filter(subject_key=subject)) == logged.count()
    assert not RecordFailure.objects.filter(**own, status="open").exists()


def references(story: ChaosStory) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for vendor, name, external_id in CrossReference.objects.filter(
        connection__environment=story.chain.environment
    ).values_list("connection__vendor", "object_name", "external_id"):
        found.setdefault(f"{vendor}.{name}", set()).add(external_id)
    return {name: ids for name, ids in found.items() if name in _KINDS}


_KINDS = {
    "tryton.projects": "id", "tryton.tasks": "id", "tryton.timesheet_lines": "id", "redmine.projects": "id",
    "redmine.issues": "id", "redmine.time_entries": "id", "xero.contacts": "ContactID", "xero.invoices": "InvoiceID",
    "xero.payments": "PaymentID", "hubspot.deals": "id",
}  # fmt: skip


def objects(vendors: SimulatedSystems) -> dict[str, set[str]]:
    controls = vendors.controls()
    return {
        name: {str(item[key]) for item in controls[name.split(".")[0]].objects(name.split(".")[1])}
        for name, key in _KINDS.items()
    }
