"""Triggers, filters, calls, approvals, notices and dated rules, as the engine carries them out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.core.planes import current_schema
from apps.dispatch.models import WorkItem
from apps.events.relaying import relay_outbox
from apps.flows.models import Flow
from apps.flows.services import go_live
from apps.sync.models import RecordFailure, RunStatus, SyncRun
from apps.sync.services import (
    UnableToStartRun,
    note_change,
    run_due_flow,
    start_run,
)
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import EUR, READS, deal, vendor


def due_at(flow: Flow) -> Any:
    return WorkItem.objects.filter(schema=current_schema(), kind="sync.flow", key=str(flow.pk)).values_list(
        "due_at", flat=True
    ).first()  # fmt: skip


# Triggers


def test_a_calendar_flow_waits_for_its_time(deploy_flow, owner_actor, now):
    integration = deploy_flow(triggers=[{"cron": "0 6 1 * *"}], reads=READS)
    go_live(actor=owner_actor, now=now, integration=integration)
    flow = flow_of(integration)

    assert (flow.schedule_seconds, due_at(flow).isoformat()) == (31 * 86400, "2026-12-01T06:00:00+00:00")
    run_due_flow(flow_id=flow.pk, now=now)
    assert due_at(flow) > now
    with pytest.raises(UnableToStartRun, match=r"starts by itself only: by the calendar \(0 6 1 \* \*\)"):
        start_run(actor=owner_actor, now=now, flow=flow_of(integration))


def test_a_fact_starts_the_flows_that_listen(deploy_flow, owner_actor, now):
    deal()
    listener = deploy_flow(
        "listener", triggers=[{"event": "opportunity.won"}], rules=[{"on": "account", "write": {"role": "erp"}}]
    )
    other = deploy_flow("other", triggers=[{"event": "invoice.released"}])
    reader = deploy_flow("reader", triggers=[{"every": 300}], reads=READS)
    for integration in (listener, other, reader):
        go_live(actor=owner_actor, now=now, integration=integration)
    relay_outbox(now=now)
    WorkItem.objects.all().delete()

    run_flow(flow_of(reader), now)
    relay_outbox(now=now)

    assert [(run.flow.key, run.trigger) for run in SyncRun.objects.filter(status=RunStatus.QUEUED)] == [
        ("listener", "event")
    ]
    assert due_at(flow_of(listener)) is not None
    assert due_at(flow_of(other)) is None
    finished = run_due_flow(flow_id=flow_of(listener).pk, now=now)
    assert (finished.status, due_at(flow_of(listener))) == (RunStatus.SUCCEEDED, None)
    assert [party["name"] for party in vendor("erp").all("parties")] == ["Vulcan Industries"]


def test_a_vendor_starts_only_flows_that_wait_for_its_role(deploy_flow, systems, owner_actor, now):
    told = deploy_flow("told", triggers=[{"every": 300}, {"webhook": "crm"}], reads=READS)
    deaf = deploy_flow("deaf", triggers=[{"every": 300}], reads=READS)
    for integration in (told, deaf):
        go_live(actor=owner_actor, now=now, integration=integration)

    assert note_change(connection_id=systems["crm"].pk, streams=["deals"], now=now) == 1
    assert list(SyncRun.objects.values_list("flow__key", "trigger")) == [("told", "webhook")]


# Filter


def test_a_filter_keeps_out_what_was_never_taken_over(deploy_flow, now):
    deal("open")
    vendor("crm").put("deals", "d2", name="Anvil", stage="won", amount=EUR)
    reads = [READS[0], {**READS[1], "filter": 'record.stage == "won"'}]
    flow = flow_of(deploy_flow(reads=reads))

    run = run_flow(flow, now)
    assert list(CanonicalRecord.objects.filter(entity="opportunity").values_list("title", flat=True)) == ["Anvil"]
    assert (run.read_count, run.skipped_count) == (3, 1)

    vendor("crm").put("deals", "d1", stage="won")
    vendor("crm").put("deals", "d2", stage="lost")
    run_flow(flow, now)
    assert dict(CanonicalRecord.objects.filter(entity="opportunity").values_list("title", "state")) == {
        "Anvil": "lost", "Forge rollout": "won",
    }  # fmt: skip


def test_a_filter_that_fails_is_told(deploy_flow, now):
    deal()
    flow = flow_of(deploy_flow(reads=[READS[0], {**READS[1], "filter": 'record.close_date > "2026"'}]))
    run_flow(flow, now)

    failure = RecordFailure.objects.get()
    assert (failure.direction, failure.object_name, failure.code) == ("read", "deals", "filter")


# Calls


CALL = {
    "on": "opportunity", "when": 'record.stage == "won"',
    "call": {
        "service": "provision_project",
        "inputs": {"opportunity": "refs.opportunity", "name": 'record.name + " 2026"', "start_date": "today"},
    },
}  # fmt: skip


def test_a_rule_calls_a_business_service_once(deploy_flow, now):
    deal()
    rule = {**CALL, "call": {**CALL["call"], "inputs": {**CALL["call"]["inputs"], "account": "refs.account"}}}
    del rule["call"]["inputs"]["opportunity"]
    write = {"on": "project", "write": {"role": "erp", "ensure": ["account"]}}
    flow = flow_of(deploy_flow(reads=READS, rules=[rule, write]))

    for _ in range(2):
        run_flow(flow, now)

    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout 2026"]
    project = CanonicalRecord.objects.get(entity="project")
    assert (project.data["start_date"], project.state) == ("2026-11-02", "open")


def test_an_input_that_is_wrong_sticks_to_its_record(deploy_flow, now):
    deal()
    rule = {"on": "opportunity", "call": {"service": "update_resource", "inputs": {"email": '"nobody@example.com"'}}}
    flow = flow_of(deploy_flow(reads=READS, rules=[rule]))
    run = run_flow(flow, now)

    assert run.status == RunStatus.PARTIAL
    failure = RecordFailure.objects.get()
    assert (failure.record_title, failure.message) == ("Forge rollout", "There is nobody with this e-mail address.")


# The calendar


def test_rules_that_look_at_the_calendar_are_worked_off_every_day(deploy_flow, now):
    deal(close_date="2026-11-03")
    rule = {
        "on": "opportunity", "when": "days_between(record.close_date, today) > 0",
        "derive": "task", "as": "late", "fields": {"name": '"Late since " + record.close_date', "status": '"open"'},
    }  # fmt: skip
    flow = flow_of(deploy_flow(reads=READS, rules=[rule]))
    for days in (0, 1):
        run_flow(flow, now + timedelta(days=days))
    assert CanonicalRecord.objects.filter(entity="task").count() == 0

    run_flow(flow, now + timedelta(days=2))
    assert CanonicalRecord.objects.get(entity="task").title == "Late since 2026-11-03"


def test_one_derived_record_for_each_combination(deploy_flow, now):
    deal()
    vendor("crm").put("deals", "d2", name="Forge, second part", stage="won", amount=EUR, company="c1")
    vendor("crm").put("deals", "d3", name="Without a company", stage="won", amount=EUR)
    rule = {
        "on": "opportunity", "derive": "contract", "as": "frame", "per": ["account"],
        "fields": {"name": '"Frame"', "status": '"active"'}, "refs": {"account": "account"},
    }  # fmt: skip
    run_flow(flow_of(deploy_flow(reads=READS, rules=[rule])), now)

    contract = CanonicalRecord.objects.get(entity="contract")
    assert CanonicalLink.objects.get(source=contract).target.title == "Vulcan Industries"
