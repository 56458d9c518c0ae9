"""When flows run: due items, starts by people, webhooks, cancellation, dead workers; and what a dry run shows."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.canonical.models import CanonicalRecord
from apps.core.actor import Actor, ActorKind
from apps.core.clock import moved_clock
from apps.core.errors import NotVisible
from apps.core.planes import current_schema
from apps.dispatch.models import WorkItem
from apps.events.models import OutboxEvent
from apps.events.registry import consumers_of
from apps.flows.services import go_live, pause_integration
from apps.sync import receivers
from apps.sync.engine.claim import claim_run
from apps.sync.models import RunStatus, RunStep, SyncRun, WriteIntent
from apps.sync.selectors import list_runs, run_progress
from apps.sync.services import UnableToStartRun, cancel_run, dry_run, note_change, reap_runs, run_due_flow, start_run
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import FakeConnector, vendor
from tests.sync.test_opportunity_to_project import seed_won_deal


@pytest.fixture
def integration(deploy):
    seed_won_deal()
    return deploy("opportunity-to-project")


@pytest.fixture
def flow(integration, owner_actor, now):
    go_live(actor=owner_actor, now=now, integration=integration)
    return flow_of(integration)


def due(flow):
    return WorkItem.objects.get(schema=current_schema(), kind="sync.flow", key=str(flow.pk))


def run_due(flow, at):
    with moved_clock(at):
        return run_due_flow(flow_id=flow.pk, now=at)


def test_a_live_flow_is_due_at_once_and_then_by_schedule(flow, now):
    assert due(flow).due_at == now

    run = run_due(flow, now)

    assert (run.status, run.trigger) == (RunStatus.SUCCEEDED, "schedule")
    assert due(flow).due_at == now + timedelta(seconds=300)
    flow.refresh_from_db()
    assert flow.in_step_until == now


def test_going_live_starts_one_run_however_late_the_news_of_it_comes(flow, now):
    run_due(flow, now)

    with moved_clock(now):
        receivers.on_flows_started(OutboxEvent.objects.get(type="flows.flow.started"))

    assert due(flow).due_at == now + timedelta(seconds=300)


def test_a_paused_integration_does_not_run(flow, integration, owner_actor, now):
    pause_integration(actor=owner_actor, now=now, integration=integration)

    assert run_due(flow, now) is None
    assert SyncRun.objects.count() == 0
    with pytest.raises(UnableToStartRun):
        start_run(actor=owner_actor, now=now, flow=flow_of(integration))


def test_a_person_starts_one_run_however_often_they_click(flow, owner_actor, now):
    first = start_run(actor=owner_actor, now=now, flow=flow)
    second = start_run(actor=owner_actor, now=now, flow=flow)

    assert first.pk == second.pk
    run = run_due(flow, now)
    assert (run.pk, run.trigger, run.triggered_by_label) == (first.pk, "manual", "Olive Owner")


def test_a_webhook_makes_the_reading_flows_due(flow, systems, now):
    run_due(flow, now)

    assert note_change(connection_id=systems["crm"].pk, streams=["deals"], now=now) == 1
    assert note_change(connection_id=systems["crm"].pk, streams=["tickets"], now=now) == 0
    assert note_change(connection_id=systems["billing"].pk, streams=[], now=now) == 0
    assert due(flow).due_at == now
    assert run_due(flow, now).trigger == "webhook"
    assert "sync.note_change" in consumers_of("connectors.webhook.received")


def test_canceling_ends_a_queued_run_and_stops_a_running_one(flow, owner_actor, now):
    queued = start_run(actor=owner_actor, now=now, flow=flow)
    assert cancel_run(actor=owner_actor, now=now, run=queued).status == RunStatus.CANCELED

    running = start_run(actor=owner_actor, now=now, flow=flow)
    SyncRun.objects.filter(pk=running.pk).update(cancel_requested_at=now)
    run = run_due(flow, now)
    assert (run.pk, run.status) == (running.pk, RunStatus.CANCELED)
    assert CanonicalRecord.objects.filter(entity="opportunity").count() == 0
    assert run_due(flow, now).status == RunStatus.SUCCEEDED


def test_only_one_worker_holds_a_run_and_a_dead_one_is_replaced(flow, owner_actor, now):
    run = start_run(actor=owner_actor, now=now, flow=flow)
    assert claim_run(run.pk, now) == 1
    assert claim_run(run.pk, now) is None
    assert run_due(flow, now).status == RunStatus.RUNNING
    assert due(flow).due_at == now + timedelta(minutes=3)

    assert reap_runs(now=now + timedelta(minutes=2)) == 0
    later = now + timedelta(minutes=4)
    assert reap_runs(now=later) == 1
    finished = run_due(flow, later)
    assert (finished.pk, finished.status, finished.attempts) == (run.pk, RunStatus.SUCCEEDED, 2)


def test_a_worker_that_lost_its_claim_writes_nothing(flow, owner_actor, now, monkeypatch):
    run = start_run(actor=owner_actor, now=now, flow=flow)
    original = vendor("crm").all

    def taken_over(kind):
        SyncRun.objects.filter(pk=run.pk).update(attempts=9)
        return original(kind)

    monkeypatch.setattr(vendor("crm"), "all", taken_over)
    found = run_due(flow, now)

    assert found.status == RunStatus.RUNNING
    assert CanonicalRecord.objects.count() == 0


def test_the_timeline_says_what_was_done(flow, owner_actor, now):
    run = run_due(flow, now)

    assert list(RunStep.objects.filter(run=run).order_by("position").values_list("label", "status", "counts")) == [
        ("Reading parties from ERP", "succeeded", {"read": 0}),
        ("Reading companies from CRM", "succeeded", {"read": 2}),
        ("Reading people from CRM", "succeeded", {"read": 1}),
        ("Reading deals from CRM", "succeeded", {"read": 2}),
        ("Writing", "succeeded", {"batches": 4}),
    ]
    progress = run_progress(list_runs(owner_actor).get(), now)
    assert (progress.is_active, progress.read_count, progress.current_step) == (False, 5, "Writing")
    assert run.call_count == 8


def test_a_run_gives_up_what_it_opened(flow, owner_actor, now, monkeypatch):
    opened: list[FakeConnector] = []
    closed: list[FakeConnector] = []
    make = FakeConnector.__init__
    monkeypatch.setattr(FakeConnector, "__init__", lambda self, *given: (opened.append(self), make(self, *given))[1])
    monkeypatch.setattr(FakeConnector, "close", lambda self: closed.append(self))
    seed_won_deal()

    run_flow(flow, now)

    assert len(opened) == 3
    assert sorted(map(id, closed)) == sorted(map(id, opened))


def test_a_dry_run_shows_everything_and_keeps_nothing(integration, owner_actor, now):
    result = dry_run(actor=owner_actor, now=now, integration=integration, limit=10)

    assert (result.create_count, result.update_count) == (4, 0)
    shown = {(c.action, c.system, c.object_label, c.title) for c in result.flows[0].changes}
    assert shown == {
        ("create", "ERP", "Parties", "Vulcan Industries"), ("create", "ERP", "Projects", "Forge rollout"),
        ("create", "DELIVERY", "Boards", "Forge rollout"), ("create", "DELIVERY", "Issues", "Kick-off"),
    }  # fmt: skip
    party = next(c for c in result.flows[0].changes if c.object_label == "Parties")
    assert party.diff == {"name": [None, "Vulcan Industries"], "domain": [None, "vulcan.example"]}
    assert result.flows[0].problems == []
    assert (CanonicalRecord.objects.count(), WriteIntent.objects.count(), SyncRun.objects.count()) == (0, 0, 0)
    assert vendor("erp").write_count == vendor("delivery").write_count == 0


def test_a_dry_run_counts_records_of_one_name_each(integration, owner_actor, now):
    vendor("crm").put("deals", "d3", name="Forge rollout", stage="won", company="c1")

    result = dry_run(actor=owner_actor, now=now, integration=integration, limit=10)

    counted = Counter((c.object_label, c.title) for c in result.flows[0].changes)
    assert counted == {
        ("Parties", "Vulcan Industries"): 1, ("Projects", "Forge rollout"): 2, ("Boards", "Forge rollout"): 2,
        ("Issues", "Kick-off"): 2,
    }  # fmt: skip
    assert result.create_count == 7


def test_a_dry_run_names_problems(integration, owner_actor, now):
    vendor("crm").put("deals", "d3", name="Orphan", stage="won")
    vendor("crm").put("deals", "d4", name="Odd", stage="perhaps")

    problems = dry_run(actor=owner_actor, now=now, integration=integration, limit=10).flows[0].problems

    assert [(p.system, p.title) for p in problems] == [("ERP", "Orphan"), ("CRM", "Opportunity d4")]


def test_others_see_nothing_and_start_nothing(flow, now):
    run_flow(flow, now)
    stranger = Actor(ActorKind.USER, "x", "X", frozenset({"runs.start", "runs.view"}), scope=frozenset({uuid4()}))

    assert list_runs(stranger).count() == 0
    with pytest.raises(NotVisible):
        start_run(actor=stranger, now=now, flow=flow)
    assert SyncRun.objects.count() == 1
