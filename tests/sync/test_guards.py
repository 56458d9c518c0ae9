"""A run that outgrows every expectation stops, keeps what it did and asks; "continue anyway" lets it end."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from apps.connectors.sdk.errors import RecordRejected
from apps.core.actor import Actor, ActorKind
from apps.core.clock import moved_clock
from apps.core.errors import NotVisible
from apps.core.planes import public_plane
from apps.flows.services import go_live
from apps.sync.engine import guards, read
from apps.sync.models import HeldBy, RunStatus, RunTrigger, SyncRun
from apps.sync.services import (
    UnableToContinue,
    UnableToLimit,
    UnableToStartRun,
    cancel_run,
    continue_run,
    execute_run,
    run_due_flow,
    save_limits,
    start_run,
)
from apps.sync.services.runs import queue_run
from apps.tenants.models import Partner
from tests.sync.conftest import flow_of
from tests.sync.fake_vendor import vendor
from tests.sync.test_pausing import on_page
from tests.sync.test_running import due

COMPANIES = 60


@pytest.fixture
def flow(deploy, owner_actor, now, monkeypatch):
    monkeypatch.setattr(read, "TOGETHER", 1)
    for number in range(COMPANIES):
        vendor("crm").put("companies", f"c{number}", name=f"Company {number}")
        vendor("crm").put("deals", f"d{number}", name=f"Deal {number}", stage="won", company=f"c{number}")
    integration = deploy("opportunity-to-project")
    go_live(actor=owner_actor, now=now, integration=integration)
    return flow_of(integration)


def limit(actor, now, **values):
    return save_limits(actor=actor, now=now, values=values)


def run_due(flow, at):
    with moved_clock(at):
        return run_due_flow(flow_id=flow.pk, now=at)


def test_too_many_records_stop_the_run_until_somebody_says_continue(flow, owner_actor, now):
    limit(owner_actor, now, max_records=40)

    run = run_due(flow, now)

    assert (run.status, run.held_by, run.guard, run.read_count) == (RunStatus.QUEUED, HeldBy.GUARD, "records", 50)
    assert run.error_message == (
        "It has read 50 records; the most a run may read is 40. What it did stays, and nothing is lost."
    )
    # It waits: neither the schedule nor a click starts anything.
    assert run_due(flow, now + timedelta(hours=1)) is None
    with pytest.raises(UnableToStartRun):
        start_run(actor=owner_actor, now=now, flow=flow)
    assert SyncRun.objects.count() == 1

    continue_run(actor=owner_actor, now=now, run=run)
    assert due(flow).due_at == now
    done = run_due(flow, now)

    assert (done.pk, done.status, done.read_count) == (run.pk, RunStatus.SUCCEEDED, 2 * COMPANIES)
    assert vendor("erp").write_count == 2 * COMPANIES
    with pytest.raises(UnableToContinue):
        continue_run(actor=owner_actor, now=now, run=done)


def test_working_too_long_stops_the_run_and_waiting_is_no_work(flow, owner_actor, now, monkeypatch):
    limit(owner_actor, now, max_minutes=10)
    instants = iter([now] * 12 + [now + timedelta(minutes=11)] * 1000)
    monkeypatch.setattr("apps.sync.engine.context.clock.now", lambda: next(instants))

    run = execute_run(run_id=queue_run(flow=flow, trigger=RunTrigger.MANUAL, label="", now=now).pk)

    assert (run.held_by, run.guard, run.worked_seconds) == (HeldBy.GUARD, "duration", 660)
    assert run.error_message.startswith("It has worked for 10 minutes, which is the most a run may take.")


def test_mostly_failures_stop_the_run(flow, owner_actor, now, monkeypatch):
    monkeypatch.setattr(guards, "FAILURES_COUNT_FROM", 20)
    limit(owner_actor, now, max_failed_percent=20)
    for number in range(COMPANIES):
        vendor("erp").refusals[f"Company {number}"] = RecordRejected("Refused.", code="NO")

    run = run_due(flow, now)

    assert (run.held_by, run.guard) == (HeldBy.GUARD, "failures")
    assert "changes failed" in run.error_message
    assert "the most is 20 %" in run.error_message
    assert run_due(flow, now + timedelta(hours=1)) is None
    continue_run(actor=owner_actor, now=now, run=run)
    assert run_due(flow, now).status == RunStatus.PARTIAL


def test_retrying_what_failed_is_no_surprise(flow, owner_actor, now, monkeypatch):
    monkeypatch.setattr(guards, "FAILURES_COUNT_FROM", 20)
    for number in range(COMPANIES):
        vendor("erp").refusals[f"Company {number}"] = RecordRejected("Refused.", code="NO")
    assert run_due(flow, now).status == RunStatus.PARTIAL
    limit(owner_actor, now, max_failed_percent=20)

    with moved_clock(now):
        run = execute_run(run_id=queue_run(flow=flow, trigger=RunTrigger.RETRY, label="", now=now).pk)

    assert (run.status, run.guard) == (RunStatus.PARTIAL, "")


def test_a_stopped_run_can_be_canceled_and_the_schedule_goes_on(flow, owner_actor, now):
    limit(owner_actor, now, max_records=40)
    run = run_due(flow, now)

    assert cancel_run(actor=owner_actor, now=now, run=run).status == RunStatus.CANCELED

    assert due(flow).due_at == now + timedelta(seconds=flow.schedule_seconds)


def test_others_continue_nothing(flow, owner_actor, now):
    limit(owner_actor, now, max_records=40)
    run = run_due(flow, now)
    stranger = Actor(ActorKind.USER, "x", "X", frozenset({"runs.start"}), scope=frozenset({uuid4()}))

    with pytest.raises(NotVisible):
        continue_run(actor=stranger, now=now, run=run)


def test_limits_that_make_no_sense_are_refused(owner_actor, partner, now):
    for values in ({"max_records": 0}, {"max_failed_percent": 101}, {"max_minutes": None}, {"nonsense": 1}):
        with pytest.raises(UnableToLimit):
            limit(owner_actor, now, **values)
    assert limit(owner_actor, now, per_customer=None).per_customer is None


@pytest.mark.parametrize("which", ["per_partner", "per_customer", "per_connection"])
def test_no_more_runs_at_once_than_allowed(flow, deploy, systems, owner_actor, now, monkeypatch, which):
    limit(owner_actor, now, **{which: 1})
    other = flow_of(deploy("two-way-accounts"))
    go_live(actor=owner_actor, now=now, integration=other.integration)
    seen = []
    on_page(monkeypatch, 2, lambda: seen.append(run_due(other, now)))

    first = run_due(flow, now)

    assert first.status == RunStatus.SUCCEEDED
    assert [(run.status, run.held_by, run.call_count) for run in seen] == [(RunStatus.QUEUED, HeldBy.PLACE, 0)]
    assert seen[0].error_message.startswith("1 runs ")
    assert timedelta(seconds=2) <= due(other).due_at - now <= timedelta(seconds=4)
    assert run_due(other, now + timedelta(seconds=5)).status == RunStatus.SUCCEEDED


def test_a_long_run_lets_others_pass_and_loses_nothing(flow, owner_actor, now, monkeypatch):
    monkeypatch.setattr(guards, "TURN_SECONDS", 0)
    monkeypatch.setattr(guards, "time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr(guards, "is_anyone_waiting", lambda queue: True)
    turns = []
    while not turns or turns[-1].status == RunStatus.QUEUED:
        turns.append(run_due(flow, now))
        assert len(turns) < 100

    assert len(turns) > 4
    assert {(run.pk, run.held_by) for run in turns} == {(turns[0].pk, "")}
    # Two are read of each, four are written.
    assert (turns[-1].status, turns[-1].created_count) == (RunStatus.SUCCEEDED, 6 * COMPANIES)
    assert vendor("erp").write_count == 2 * COMPANIES


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (0, "Reading companies from CRM: no record at all; usual are about 60."),
        (10, "Reading companies from CRM: 10 records, 83 % fewer than usual (60)."),
        (50, ""),
    ],
)
def test_a_drop_in_volume_is_told(flow, now, left, expected):
    def compare():
        with moved_clock(now):
            return execute_run(run_id=queue_run(flow=flow, trigger=RunTrigger.RECONCILE, label="", now=now).pk)

    assert compare().warning == ""
    for kind in ("companies", "deals"):
        held = vendor("crm").objects[kind]
        for key in list(held)[left:]:
            del held[key]

    warning = compare().warning
    assert warning.startswith(expected)
    assert bool(warning) == bool(expected)


def test_a_run_of_a_suspended_partner_stops_and_goes_on_when_it_is_resumed(flow, partner, now, monkeypatch):
    def suspend(is_suspended):
        with public_plane():
            Partner.objects.filter(pk=partner.pk).update(status="suspended" if is_suspended else "active")

    monkeypatch.setattr(guards, "LOOK_EVERY", 0)
    on_page(monkeypatch, 2, lambda: suspend(True))

    stopped = run_due(flow, now)
    suspend(False)
    done = run_due(flow, now)

    assert (stopped.status, stopped.held_by, stopped.error_message) == (
        RunStatus.QUEUED, "", "Stopped with all other work. It goes on where it stopped."
    )  # fmt: skip
    assert stopped.read_count < 2 * COMPANIES
    assert (done.pk, done.status, done.read_count) == (stopped.pk, RunStatus.SUCCEEDED, 2 * COMPANIES)
    assert vendor("erp").write_count == 2 * COMPANIES
