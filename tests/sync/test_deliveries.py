"""From a vendor's notice to the run in one step; what cannot run at once is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.core.clock import moved_clock
from apps.core.planes import current_schema
from apps.dispatch.intake import Delivery, take_in
from apps.dispatch.models import WorkItem
from apps.dispatch.services import claim_due
from apps.events.models import InboxEvent, OutboxEvent
from apps.flows.services import go_live
from apps.sync.models import SyncRun
from apps.sync.services import run_on_deliveries
from tests.sync.conftest import flow_of
from tests.sync.fake_vendor import vendor
from tests.sync.test_opportunity_to_project import seed_won_deal


@pytest.fixture
def live(deploy, owner_actor, now):
    def make(key: str) -> Any:
        integration = deploy(key)
        go_live(actor=owner_actor, now=now, integration=integration)
        return flow_of(integration)

    return make


def later(flow, now):
    """A flow that has run and is due again in five minutes."""
    WorkItem.objects.filter(key=str(flow.pk)).update(due_at=now + timedelta(minutes=5))
    return flow


def notice(connection, now, *numbers: int, stream: str = "deals") -> None:
    deliveries = [Delivery(connection.subject_key, f"evt-{n}", {"stream": stream, "external_id": ""}) for n in numbers]
    take_in(deliveries=deliveries, kind="connectors.webhook", now=now)


def hear(connection, now):
    with moved_clock(now):
        return run_on_deliveries(key=connection.subject_key, now=now)


def item(flow) -> WorkItem:
    return WorkItem.objects.get(schema=current_schema(), kind="sync.flow", key=str(flow.pk))


def test_a_notice_runs_the_flow_at_once(live, systems, now):
    seed_won_deal()
    flow = later(live("opportunity-to-project"), now)
    notice(systems["crm"], now, 1, 2, 3)

    run = hear(systems["crm"], now)

    assert (run.flow_id, run.trigger, run.status) == (flow.pk, "webhook", "succeeded")
    assert len(vendor("erp").all("projects")) == 1
    assert InboxEvent.objects.filter(handled_at=None).count() == 0
    assert not WorkItem.objects.filter(kind="connectors.webhook").exists()
    assert (item(flow).due_at, item(flow).lease_until) == (now + timedelta(minutes=5), None)
    assert not OutboxEvent.objects.filter(type="connectors.webhook.received").exists()


def test_of_several_flows_one_runs_and_the_others_are_due(live, systems, now):
    flows = {f.pk: later(f, now) for f in (live("opportunity-to-project"), live("two-way-accounts"))}
    notice(systems["crm"], now, 1, stream="companies")

    run = hear(systems["crm"], now)

    (other,) = [flow for flow in flows.values() if flow.pk != run.flow_id]
    assert SyncRun.objects.get(flow=other).status == "queued"
    assert (item(other).due_at, item(other).lease_until) == (now, None)


def test_a_flow_that_is_running_is_wanted_again(live, systems, now):
    flow = live("opportunity-to-project")
    assert [claimed.key for claimed in claim_due(now=now, only=["sync.flow"])] == [str(flow.pk)]
    notice(systems["crm"], now, 1)

    assert hear(systems["crm"], now) is None

    assert item(flow).wanted_at == now
    assert InboxEvent.objects.filter(handled_at=None).count() == 0


def test_a_worker_that_dies_leaves_the_flow_due(live, systems, now, monkeypatch):
    flow = later(live("opportunity-to-project"), now)
    notice(systems["crm"], now, 1)
    monkeypatch.setattr("apps.sync.services.changes.run_due_flow", lambda **_: None)

    hear(systems["crm"], now)

    assert claim_due(now=now, only=["sync.flow"]) == []
    assert [claimed.key for claimed in claim_due(now=now + timedelta(minutes=1), only=["sync.flow"])] == [str(flow.pk)]


def test_a_stream_that_nobody_reads_runs_nothing(live, systems, now):
    later(live("opportunity-to-project"), now)
    notice(systems["crm"], now, 1, stream="tickets")

    assert hear(systems["crm"], now) is None
    assert SyncRun.objects.count() == 0
