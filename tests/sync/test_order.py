"""Order per record: whatever fails, is retried or replayed, no system is given an older state after a newer one."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta

import pytest

from apps.connectors.sdk.errors import RateLimited, RecordRejected, TransientError
from apps.core.clock import moved_clock
from apps.flows.services import go_live
from apps.sync.engine import read
from apps.sync.engine.crashpoints import POINTS
from apps.sync.models import RecordFailure, RunStatus
from apps.sync.services import reap_runs, retry_failures, run_due_flow
from tests.sync import fake_vendor
from tests.sync.conftest import call_beside, flow_of
from tests.sync.fake_vendor import vendor

COMPANIES, ROUNDS = 6, 14


class Killed(BaseException):
    """What a SIGKILL leaves: nothing of the worker's own runs after it."""


@pytest.fixture
def flow(deploy, owner_actor, now, monkeypatch):
    monkeypatch.setattr(read, "TOGETHER", 1)
    integration = deploy("two-way-accounts")
    go_live(actor=owner_actor, now=now, integration=integration)
    return flow_of(integration)


@pytest.fixture
def written(monkeypatch):
    """{domain: versions of its name as the ERP was given them, in order}."""
    found = defaultdict(list)
    original = fake_vendor.FakeSink._write

    def write(self, request):
        if self.kind == "parties" and request.payload.get("domain"):
            found[request.payload["domain"]].append(int(request.payload["name"].split(" v")[1]))
        return original(self, request)

    monkeypatch.setattr(fake_vendor.FakeSink, "_write", write)
    return found


def trouble(chance, versions):
    """Something goes wrong with the next calls."""
    kind = chance.choice(["before", "after", "read", "limit", "refuse", "none"])
    erp = vendor("erp")
    if kind == "before":
        erp.fail_before.append(TransientError("reset"))
    elif kind == "after":
        erp.fail_after.append(TransientError("timeout"))
    elif kind == "read":
        vendor("crm").read_failures.append(TransientError("502"))
    elif kind == "limit":
        erp.fail_before.append(RateLimited("Slow", retry_after=60))
    elif kind == "refuse":
        number = chance.randrange(COMPANIES)
        erp.refusals[f"Firm {number} v{versions[number]}"] = RecordRejected("Refused.")


def edit(chance, versions):
    for number in chance.sample(range(COMPANIES), 3):
        versions[number] += 1
        name = f"Firm {number} v{versions[number]}"
        vendor("crm").put("companies", f"c{number}", name=name, domain=f"firm{number}.example")


def run_dying(flow, at, chance, monkeypatch):
    """One worker takes the flow, and perhaps dies at a crash point; another comes after it."""
    point, left = chance.choice([*POINTS, None, None]), [chance.randrange(1, 3)]

    def crash(name):
        if name == point:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    with monkeypatch.context() as patched, moved_clock(at):
        for module in ("page", "write"):
            patched.setattr(f"apps.sync.engine.{module}.crash_here", crash)
        try:
            return run_due_flow(flow_id=flow.pk, now=at)
        except Killed:
            return None


@pytest.mark.parametrize("seed", range(6))
def test_no_older_state_follows_a_newer_one(flow, owner_actor, now, written, monkeypatch, seed):
    if seed % 2:
        call_beside(monkeypatch, 3)
    chance, versions, at = random.Random(seed), [0] * COMPANIES, now
    for _ in range(ROUNDS):
        edit(chance, versions)
        trouble(chance, versions)
        run_dying(flow, at, chance, monkeypatch)
        at += timedelta(minutes=4)
        reap_runs(now=at)
        if chance.random() < 0.4:
            vendor("erp").refusals.clear()
            dead = list(RecordFailure.objects.filter(status="open").values_list("pk", flat=True))
            if dead:
                retry_failures(actor=owner_actor, now=at, failure_ids=dead)
    settle(flow, owner_actor, at)

    touched = {f"firm{n}.example": version for n, version in enumerate(versions) if version}
    assert {domain: found[-1] for domain, found in written.items()} == touched
    assert [found for found in written.values() if found != sorted(found)] == []
    assert sorted(p["name"] for p in vendor("erp").all("parties")) == sorted(
        f"Firm {n} v{version}" for n, version in enumerate(versions) if version
    )


def settle(flow, actor, at):
    """The trouble is over; what is left goes through."""
    for held in (vendor("erp").refusals, vendor("erp").fail_before, vendor("erp").fail_after):
        held.clear()
    vendor("crm").read_failures.clear()
    for _ in range(8):
        at += timedelta(minutes=16)
        reap_runs(now=at)
        dead = list(RecordFailure.objects.filter(status="open").values_list("pk", flat=True))
        if dead:
            retry_failures(actor=actor, now=at, failure_ids=dead)
        with moved_clock(at):
            run = run_due_flow(flow_id=flow.pk, now=at)
        if run.status == RunStatus.SUCCEEDED and not dead:
            return
    raise AssertionError(f"{run.status} {run.held_by} {run.error_message}")
