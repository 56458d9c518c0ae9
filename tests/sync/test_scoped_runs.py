"""Reading something else than what is new: everything again, the days of a period, a single record."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from apps.core.clock import moved_clock
from apps.dispatch.models import WorkItem
from apps.flows.services import go_live, pause_flow
from apps.sync.engine import read
from apps.sync.models import Checkpoint, HeldBy, RunStatus
from apps.sync.services import UnableToStartRun, run_due_flow, start_run
from apps.sync.services.scoped_runs import list_readable, start_backfill, start_record_run, start_refresh
from tests.sync.conftest import flow_of
from tests.sync.fake_vendor import EPOCH, vendor
from tests.sync.test_pausing import hear, on_page

COMPANIES = 45


@pytest.fixture
def flow(deploy, owner_actor, now, monkeypatch):
    monkeypatch.setattr(read, "TOGETHER", 1)
    for number in range(COMPANIES):
        vendor("crm").put("companies", f"c{number}", name=f"Company {number}")
        vendor("crm").put("deals", f"d{number}", name=f"Deal {number}", stage="won", company=f"c{number}")
    integration = deploy("opportunity-to-project")
    go_live(actor=owner_actor, now=now, integration=integration)
    hear()
    return flow_of(integration)


def run_due(flow, at):
    with moved_clock(at):
        return run_due_flow(flow_id=flow.pk, now=at)


def position(systems):
    return Checkpoint.objects.get(connection=systems["crm"], stream="companies").position


def test_a_full_refresh_reads_everything_and_writes_nothing_twice(flow, owner_actor, now):
    assert run_due(flow, now).created_count == 6 * COMPANIES
    start_refresh(actor=owner_actor, now=now, flow=flow)

    run = run_due(flow, now)

    assert (run.status, run.trigger, run.created_count, run.updated_count) == (RunStatus.SUCCEEDED, "refresh", 0, 0)
    assert run.read_count == 3 * COMPANIES  # the ERP shows what was written there
    assert vendor("erp").write_count == 2 * COMPANIES


def test_a_full_refresh_heals_what_was_lost_at_the_target_rules(flow, owner_actor, now):
    run_due(flow, now)
    start_refresh(actor=owner_actor, now=now, flow=flow)

    assert Checkpoint.objects.filter(flow=flow).count() == 0
    with pytest.raises(UnableToStartRun):
        start_refresh(actor=owner_actor, now=now, flow=flow)


def test_a_refresh_that_was_paused_goes_on_where_it_stopped(flow, owner_actor, systems, now, monkeypatch):
    run_due(flow, now)
    start_refresh(actor=owner_actor, now=now, flow=flow)

    def pause():
        pause_flow(actor=owner_actor, now=now, flow=flow)
        hear()

    on_page(monkeypatch, 2, pause)
    paused = run_due(flow, now)
    assert (paused.held_by, position(systems)["after"] > 0) == (HeldBy.PAUSE, True)

    from apps.flows.services import resume_flow

    resume_flow(actor=owner_actor, now=now, flow=flow)
    hear()
    done = run_due(flow, now)
    assert (done.pk, done.status, done.read_count) == (paused.pk, RunStatus.SUCCEEDED, 3 * COMPANIES)


def test_a_backfill_takes_the_days_asked_for_and_moves_no_checkpoint(flow, owner_actor, systems, now):
    first = start_backfill(actor=owner_actor, now=now, flow=flow, first_day=EPOCH.date(), last_day=EPOCH.date())
    # All of it changed in the first minutes of that day, except what is moved to the next one.
    late = int(timedelta(days=1).total_seconds())
    for number in (7, 8):
        vendor("crm").objects["deals"][f"d{number}"]["modified"] = late + number
    done = run_due(flow, now)

    assert (done.pk, done.status, done.trigger) == (first.pk, RunStatus.SUCCEEDED, "backfill")
    assert len(vendor("erp").all("projects")) == COMPANIES - 2
    assert not Checkpoint.objects.filter(flow=flow, stream="companies").exists()

    day = EPOCH.date() + timedelta(days=1)
    start_backfill(actor=owner_actor, now=now, flow=flow, first_day=day, last_day=day)
    run_due(flow, now)
    assert len(vendor("erp").all("projects")) == COMPANIES
    assert run_due(flow, now + timedelta(hours=1)).status == RunStatus.SUCCEEDED
    assert vendor("erp").write_count == 2 * COMPANIES


def test_a_backfill_that_was_paused_goes_on_where_it_stopped(flow, owner_actor, now, monkeypatch):
    start_backfill(actor=owner_actor, now=now, flow=flow, first_day=EPOCH.date(), last_day=EPOCH.date())

    def pause():
        pause_flow(actor=owner_actor, now=now, flow=flow)
        hear()

    on_page(monkeypatch, 3, pause)
    paused = run_due(flow, now)
    assert (paused.held_by, paused.read_count) == (HeldBy.PAUSE, 40)

    from apps.flows.services import resume_flow

    resume_flow(actor=owner_actor, now=now, flow=flow)
    hear()
    done = run_due(flow, now)
    assert (done.status, done.read_count, vendor("erp").write_count) == (
        RunStatus.SUCCEEDED, 2 * COMPANIES, 2 * COMPANIES,
    )  # fmt: skip


def test_one_record_is_brought_into_step_by_its_id(flow, owner_actor, systems, now):
    start_record_run(actor=owner_actor, now=now, flow=flow, source="crm:deals", external_id=" d3 ")

    run = run_due(flow, now)

    assert (run.status, run.trigger) == (RunStatus.SUCCEEDED, "record")
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Deal 3"]
    assert [p["name"] for p in vendor("erp").all("parties")] == ["Company 3"]
    assert not Checkpoint.objects.filter(flow=flow, stream="deals").exists()
    assert run_due(flow, now + timedelta(hours=1)).status == RunStatus.SUCCEEDED
    assert len(vendor("erp").all("projects")) == COMPANIES


def test_a_record_that_is_not_there_is_read_as_nothing(flow, owner_actor, now):
    start_record_run(actor=owner_actor, now=now, flow=flow, source="crm:deals", external_id="d999")

    assert (run_due(flow, now).read_count, vendor("erp").write_count) == (0, 0)


def test_what_makes_no_sense_is_refused(flow, owner_actor, now):
    day = date(2026, 3, 1)
    asked = {"actor": owner_actor, "now": now, "flow": flow}
    with pytest.raises(UnableToStartRun):
        start_backfill(**asked, first_day=day, last_day=day - timedelta(days=1))
    with pytest.raises(UnableToStartRun):
        start_backfill(**asked, first_day=now.date() + timedelta(days=1), last_day=now.date() + timedelta(days=2))
    with pytest.raises(UnableToStartRun):
        start_record_run(**asked, source="crm:tickets", external_id="1")
    with pytest.raises(UnableToStartRun):
        start_record_run(**asked, source="crm:deals", external_id=" ")
    start_run(**asked)
    with pytest.raises(UnableToStartRun):
        start_record_run(**asked, source="crm:deals", external_id="d1")
    assert WorkItem.objects.filter(kind="sync.flow", key=str(flow.pk)).count() == 1
    assert ("crm:deals", "Deals in CRM") in list_readable(flow)
