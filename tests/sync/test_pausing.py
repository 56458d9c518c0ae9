"""Pausing in the middle of a run loses nothing: it stops after its page and goes on from its checkpoint."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.canonical.models import CanonicalRecord
from apps.connectors.services import pause_connection, resume_connection
from apps.core.clock import moved_clock
from apps.dispatch.models import WorkItem
from apps.events.models import OutboxEvent
from apps.flows.services import (
    UnableToChangeIntegration,
    go_live,
    pause_flow,
    pause_integration,
    resume_flow,
    resume_integration,
    retire_integration,
)
from apps.sync import receivers
from apps.sync.engine import read
from apps.sync.models import HeldBy, RunStatus, SyncRun
from apps.sync.services import UnableToStartRun, cancel_run, run_due_flow, start_run
from tests.conftest import NOW
from tests.sync import fake_vendor
from tests.sync.conftest import flow_of
from tests.sync.fake_vendor import vendor
from tests.sync.test_running import due

COMPANIES = 95
HEARD = {
    "flows.flow.started": receivers.on_flows_started,
    "flows.flow.stopped": receivers.on_flows_stopped,
    "connectors.connection.status_changed": receivers.on_connection_status_changed,
}


@pytest.fixture
def flow(deploy, owner_actor, now, monkeypatch):
    monkeypatch.setattr(read, "TOGETHER", 1)  # every page of ten by itself
    for number in range(COMPANIES):
        vendor("crm").put("companies", f"c{number}", name=f"Company {number}", domain=f"c{number}.example")
    for number in range(COMPANIES):
        vendor("crm").put("deals", f"d{number}", name=f"Deal {number}", stage="won", company=f"c{number}")
    integration = deploy("opportunity-to-project")
    go_live(actor=owner_actor, now=now, integration=integration)
    hear()
    return flow_of(integration)


def hear():
    """What the outbox would hand to the receivers."""
    for event in OutboxEvent.objects.filter(type__in=HEARD).order_by("id"):
        with moved_clock(NOW):
            HEARD[event.type](event)
    OutboxEvent.objects.filter(type__in=HEARD).delete()


def on_page(monkeypatch, number, act):
    """Acts, once, while the given page of companies is under way."""
    original, waiting = fake_vendor.FakeStream.read, [True]

    def reading(self, *, checkpoint, page_size=100):
        for count, page in enumerate(original(self, checkpoint=checkpoint, page_size=page_size)):
            if self.kind == "companies" and count == number and waiting:
                waiting.clear()
                act()
            yield page

    monkeypatch.setattr(fake_vendor.FakeStream, "read", reading)


def run_due(flow, at):
    with moved_clock(at):
        return run_due_flow(flow_id=flow.pk, now=at)


def everything_once():
    return (
        sorted(p["name"] for p in vendor("erp").all("parties")) == sorted(f"Company {n}" for n in range(COMPANIES))
        and sorted(p["name"] for p in vendor("erp").all("projects")) == sorted(f"Deal {n}" for n in range(COMPANIES))
    )  # fmt: skip


def stop_flow(actor, now, flow, systems):
    pause_flow(actor=actor, now=now, flow=flow)


def stop_integration(actor, now, flow, systems):
    pause_integration(actor=actor, now=now, integration=flow.integration)


def stop_connection(actor, now, flow, systems):
    pause_connection(actor=actor, now=now, connection=systems["crm"])


def go_flow(actor, now, flow, systems):
    resume_flow(actor=actor, now=now, flow=flow)


def go_integration(actor, now, flow, systems):
    resume_integration(actor=actor, now=now, integration=flow.integration)


def go_connection(actor, now, flow, systems):
    resume_connection(actor=actor, now=now, connection=systems["crm"])


@pytest.mark.parametrize(
    ("stop", "go"),
    [(stop_flow, go_flow), (stop_integration, go_integration), (stop_connection, go_connection)],
    ids=["flow", "integration", "connection"],
)
def test_a_run_stops_after_its_page_and_goes_on_from_there(flow, systems, owner_actor, now, monkeypatch, stop, go):
    def pause():
        stop(owner_actor, now, flow, systems)
        hear()

    on_page(monkeypatch, 3, pause)

    run = run_due(flow, now)

    assert (run.status, run.held_by, run.state_label, run.read_count) == (RunStatus.QUEUED, HeldBy.PAUSE, "Paused", 40)
    assert CanonicalRecord.objects.filter(entity="account").count() == 40
    assert not WorkItem.objects.filter(kind="sync.flow", key=str(flow.pk)).exists()
    with pytest.raises(UnableToStartRun):
        start_run(actor=owner_actor, now=now, flow=flow_of(flow.integration))

    go(owner_actor, now, flow, systems)
    hear()
    assert due(flow).due_at == now
    done = run_due(flow, now)

    assert (done.pk, done.status, done.held_by) == (run.pk, RunStatus.SUCCEEDED, "")
    # Every company and every deal was read once, over both halves.
    assert done.read_count == 2 * COMPANIES
    assert everything_once()
    assert vendor("erp").write_count == 2 * COMPANIES


def test_resumed_before_the_run_noticed_it_goes_on_at_once(flow, systems, owner_actor, now, monkeypatch):
    def flicker():
        pause_flow(actor=owner_actor, now=now, flow=flow)
        hear()
        resume_flow(actor=owner_actor, now=now, flow=flow)  # heard of only later

    on_page(monkeypatch, 3, flicker)

    run = run_due(flow, now)

    assert run.held_by == HeldBy.PAUSE
    assert due(flow).due_at == now
    assert run_due(flow, now).status == RunStatus.SUCCEEDED
    hear()
    assert everything_once()


def test_late_news_of_a_pause_that_is_over_changes_nothing(flow, owner_actor, now):
    pause_flow(actor=owner_actor, now=now, flow=flow)
    resume_flow(actor=owner_actor, now=now, flow=flow)
    queued = start_run(actor=owner_actor, now=now, flow=flow_of(flow.integration))

    hear()

    queued.refresh_from_db()
    assert queued.held_by == ""


def test_a_flow_paused_by_itself_stays_so_when_the_integration_resumes(flow, owner_actor, now):
    pause_flow(actor=owner_actor, now=now, flow=flow)
    with pytest.raises(UnableToChangeIntegration):
        pause_flow(actor=owner_actor, now=now, flow=flow)
    pause_integration(actor=owner_actor, now=now, integration=flow.integration)
    resume_integration(actor=owner_actor, now=now, integration=flow.integration)
    flow.refresh_from_db()

    assert (flow.is_enabled, flow.paused_reason) == (False, "Paused by Olive Owner.")
    assert resume_flow(actor=owner_actor, now=now, flow=flow).paused_at is None
    flow.refresh_from_db()
    assert flow.is_enabled


def test_a_paused_run_can_be_canceled_and_a_retired_flow_leaves_none(flow, owner_actor, now, monkeypatch):
    def pause():
        pause_flow(actor=owner_actor, now=now, flow=flow)
        hear()

    on_page(monkeypatch, 1, pause)
    run = run_due(flow, now)

    canceled = cancel_run(actor=owner_actor, now=now, run=run)
    assert (canceled.status, canceled.held_by) == (RunStatus.CANCELED, "")

    resume_flow(actor=owner_actor, now=now, flow=flow)
    start_run(actor=owner_actor, now=now, flow=flow_of(flow.integration))
    retire_integration(actor=owner_actor, now=now, integration=flow.integration)
    hear()
    assert set(SyncRun.objects.values_list("status", flat=True)) == {"canceled"}


def test_a_cancel_in_the_middle_stops_after_the_page(flow, owner_actor, now, monkeypatch):
    def cancel():
        cancel_run(actor=owner_actor, now=now, run=SyncRun.objects.get())

    on_page(monkeypatch, 2, cancel)

    run = run_due(flow, now)

    assert (run.status, run.read_count) == (RunStatus.CANCELED, 30)
    assert run_due(flow, now + timedelta(minutes=5)).status == RunStatus.SUCCEEDED
    assert everything_once()
