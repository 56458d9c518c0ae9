from __future__ import annotations

from apps.billing.models import UsageEvent
from apps.canonical.models import CanonicalRecord, CrossReference
from apps.events.models import OutboxEvent
from apps.sync.models import RecordLog, RunStatus, WriteIntent
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor


def seed_won_deal() -> None:
    crm = vendor("crm")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    crm.put("companies", "c2", name="Idle Inc", domain="idle.example")
    crm.put("people", "p1", name="Vera Vulcan", email="vera@vulcan.example", company="c1")
    crm.put("deals", "d1", name="Forge rollout", stage="won", company="c1", close_date="2026-10-01")
    crm.put("deals", "d2", name="Maybe", stage="open", company="c2")


def test_it_works(deploy, now):
    seed_won_deal()
    flow = flow_of(deploy("opportunity-to-project"))

    run = run_flow(flow, now)

    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    parties, projects = vendor("erp").all("parties"), vendor("erp").all("projects")
    assert [party["name"] for party in parties] == ["Vulcan Industries"]
    assert [(p["name"], p["status"], p["party"]) for p in projects] == [("Forge rollout", "open", parties[0]["id"])]
    boards, issues = vendor("delivery").all("boards"), vendor("delivery").all("issues")
    assert [board["name"] for board in boards] == ["Forge rollout"]
    assert [(issue["name"], issue["board"]) for issue in issues] == [("Kick-off", boards[0]["id"])]
    assert (run.read_count, run.created_count, run.failed_count) == (5, 9, 0)


def test_a_second_pass_writes_nothing(deploy, now):
    seed_won_deal()
    flow = flow_of(deploy("opportunity-to-project"))
    run_flow(flow, now)
    before = (vendor("erp").write_count, vendor("delivery").write_count, RecordLog.objects.count())

    runs = [run_flow(flow, now) for _ in range(2)]

    assert [run.status for run in runs] == [RunStatus.SUCCEEDED] * 2
    assert (vendor("erp").write_count, vendor("delivery").write_count) == before[:2] == (2, 2)
    assert WriteIntent.objects.filter(status="planned").count() == 0
    assert (runs[1].read_count, runs[1].created_count, runs[1].updated_count) == (0, 0, 0)


def test_the_model_knows_every_system(deploy, now):
    seed_won_deal()
    run_flow(flow_of(deploy("opportunity-to-project")), now)

    project = CanonicalRecord.objects.get(entity="project")
    assert set(CrossReference.objects.filter(record=project).values_list("connection__name", "object_name")) == {
        ("ERP", "projects"), ("DELIVERY", "boards"),
    }  # fmt: skip
    assert dict(project.links.values_list("name", "target__title")) == {
        "account": "Vulcan Industries", "opportunity": "Forge rollout",
    }  # fmt: skip
    events = OutboxEvent.objects.values_list("type", flat=True)
    assert sorted(events) == [
        "connectors.connection.status_changed", "connectors.connection.status_changed",
        "connectors.connection.status_changed", "connectors.connection.status_changed",
        "opportunity.won", "project.provisioned", "project.provisioned", "sync.run.finished",
    ]  # fmt: skip
    told = {event.type: event.payload for event in OutboxEvent.objects.all()}
    deal = CanonicalRecord.objects.get(entity="opportunity", title="Forge rollout")
    assert told["opportunity.won"] == {"record_id": str(deal.pk), "title": "Forge rollout", "is_production": True}
    assert sum(event.quantity for event in UsageEvent.objects.all()) == 4
