"""The process dies at any step, any number of times: afterwards every object stands at its vendor exactly once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.flows.models import Flow
from apps.sync.engine import crashpoints
from apps.sync.engine.claim import forget_heartbeat
from apps.sync.models import RecordLog, RunStatus, SyncRun, WriteIntent
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import VENDORS, vendor
from tests.sync.test_payment_status import money

KEYS = ("opportunity-to-project", "time-to-invoice", "payment-status")
SETTINGS = {"time-to-invoice": {"default_rate": "100.00"}}


class Killed(BaseException):
    """What the kernel would do, as far as one process can play it."""


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> Any:
    def die() -> None:
        raise Killed

    monkeypatch.setattr(crashpoints, "kill", die)

    def at(point: str, time: int = 1) -> None:
        crashpoints._reached.clear()
        monkeypatch.setenv(crashpoints.VARIABLE, f"{point}:{time}")

    return at


@pytest.fixture
def flows(deploy: Any) -> list[Flow]:
    return [flow_of(deploy(key, SETTINGS.get(key))) for key in KEYS]


def seed() -> None:
    crm, erp, delivery = vendor("crm"), vendor("erp"), vendor("delivery")
    for number in range(3):
        crm.put("companies", f"c{number}", name=f"Company {number}", domain=f"c{number}.example")
        crm.put("deals", f"d{number}", name=f"Deal {number}", stage="won", company=f"c{number}", payment_status="none")
    erp.put("employees", "m1", name="Anna", email="anna@example.com", status="active")
    delivery.put("users", "u1", name="Anna", email="anna@example.com", status="active")


def book_time() -> None:
    delivery = vendor("delivery")
    for number, board in enumerate(sorted(delivery.all("boards"), key=lambda item: item["name"])):
        for day in range(3):
            delivery.put(
                "hours", f"h{number}{day}", work_date=f"2026-10-0{day + 1}", duration_seconds=3600 + number,
                status="approved", billable=True, board=board["id"], user="u1",
            )  # fmt: skip


def pay() -> None:
    billing = vendor("billing")
    for number, bill in enumerate(sorted(billing.all("bills"), key=lambda item: item["total"]["amount"])):
        if not bill.get("paid_by"):
            billing.put("bills", bill["id"], status="paid", amount_paid=bill["total"], amount_due=money(0), paid_by="x")
            billing.put("receipts", f"r{number}", amount=bill["total"], paid_date="2026-11-01", bill=bill["id"])


def run_through(flow: Flow, now: Any) -> int:
    """Runs the flow until it ends, however often its worker is killed; returns how often that was."""
    kills = 0
    while True:
        try:
            run = run_flow(flow, now)
        except Killed:
            kills += 1
            forget_heartbeat(SyncRun.objects.get(status=RunStatus.RUNNING).pk)
            continue
        assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
        return kills


def whole_story(flows: list[Flow], now: Any) -> int:
    seed()
    kills = run_through(flows[0], now)
    book_time()
    kills += run_through(flows[1], now)
    pay()
    return kills + run_through(flows[2], now)


def picture() -> dict[str, Any]:
    """What every vendor holds, in words instead of ids."""
    erp, delivery, billing = vendor("erp"), vendor("delivery"), vendor("billing")
    party = {item["id"]: item["name"] for item in erp.all("parties")}
    client = {item["id"]: item["name"] for item in billing.all("clients")}
    board = {item["id"]: item["name"] for item in delivery.all("boards")}
    project = {item["id"]: item["name"] for item in erp.all("projects")}
    return {
        "parties": sorted(party.values()),
        "projects": sorted((item["name"], party[item["party"]]) for item in erp.all("projects")),
        "boards": sorted(board.values()),
        "issues": sorted((item["name"], board[item["board"]]) for item in delivery.all("issues")),
        "timesheets": sorted(
            (project[s["project"]], s["work_date"], s["duration_seconds"]) for s in erp.all("timesheets")
        ),
        "bills": sorted((client[bill["account"]], bill["total"]["amount"]) for bill in billing.all("bills")),
        "deals": sorted((d["name"], d["payment_status"], d["paid_amount"]["amount"]) for d in vendor("crm").all("deals")),
    }  # fmt: skip


EXPECTED = {
    "parties": ["Company 0", "Company 1", "Company 2"],
    "projects": [("Deal 0", "Company 0"), ("Deal 1", "Company 1"), ("Deal 2", "Company 2")],
    "boards": ["Deal 0", "Deal 1", "Deal 2"],
    "issues": [("Kick-off", "Deal 0"), ("Kick-off", "Deal 1"), ("Kick-off", "Deal 2")],
    "timesheets": sorted((f"Deal {n}", f"2026-10-0{d}", 3600 + n) for n in range(3) for d in (1, 2, 3)),
    "bills": [("Company 0", 30000), ("Company 1", 30008), ("Company 2", 30017)],
    "deals": [("Deal 0", "paid", 30000), ("Deal 1", "paid", 30008), ("Deal 2", "paid", 30017)],
}


def assert_exactly_once() -> None:
    assert picture() == EXPECTED
    for held in VENDORS.values():
        assert len(held.created) == len(set(held.created))
    assert WriteIntent.objects.count() == 0
    assert CanonicalRecord.objects.filter(entity="invoice").count() == 3
    assert CanonicalLink.objects.filter(name="invoice", source__entity="time_entry").count() == 9


def test_without_a_crash(flows, now):
    assert whole_story(flows, now) == 0

    assert_exactly_once()
    written = RecordLog.objects.filter(direction="write")
    made = {(log.connection_id, log.object_name, log.record_id) for log in written.filter(action="created")}
    assert len(made) == written.filter(action="created").count() == sum(len(v.created) for v in VENDORS.values())


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize("point", crashpoints.POINTS)
def test_killed_once(flows, mortal, now, point, time):
    mortal(point, time)

    assert whole_story(flows, now) == 1

    assert_exactly_once()


@given(
    deaths=st.lists(st.tuples(st.sampled_from(crashpoints.POINTS), st.integers(1, 6)), min_size=3, max_size=3),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_killed_in_every_flow(flows, mortal, now, deaths):
    VENDORS.clear()
    with transaction.atomic():
        story = [seed, book_time, pay]
        for step, flow, death in zip(story, flows, deaths, strict=True):
            step()
            mortal(*death)
            run_through(flow, now)

        assert_exactly_once()
        transaction.set_rollback(True)
