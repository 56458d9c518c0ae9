"""The last stream's creates go out page by page, committed as sent along with their page; a crash loses and doubles none."""

from __future__ import annotations

from typing import Any

import pytest

from apps.canonical.models import CanonicalRecord, CrossReference
from apps.connectors.sdk.errors import RecordRejected, TransientError
from apps.flows.models import Flow, IntegrationTemplate, IntegrationTemplateVersion
from apps.sync.engine import read, recover, waiting
from apps.sync.engine.claim import forget_heartbeat
from apps.sync.models import RecordFailure, RecordLog, RunStatus, SyncRun, WriteIntent
from tests.sync import conftest
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import FakeSink, vendor
from tests.sync.test_crashes import Killed, mortal, run_through

__all__ = ["mortal"]
COUNT = 25
TEMPLATE: dict[str, Any] = {
    "key": "one-way", "version": "1.0.0", "name": "One way", "summary": "", "documentation": "",
    "roles": {"crm": {"domain": "crm", "label": "CRM", "help": ""}, "erp": {"domain": "erp", "label": "ERP", "help": ""}},
    "settings": [],
    "flows": [
        {
            "key": "one-way", "name": "One way", "description": "", "schedule_seconds": 300,
            "reads": [{"role": "crm", "entity": "account"}], "rules": [{"on": "account", "write": {"role": "erp"}}],
        }
    ],
}  # fmt: skip


@pytest.fixture
def flow(deploy: Any, now: Any, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """Pages of ten records; the ERP takes ten at a time."""
    template = IntegrationTemplate.objects.create(key="one-way", name="One way")
    IntegrationTemplateVersion.objects.create(template=template, number="1.0.0", definition=TEMPLATE, released_at=now)
    monkeypatch.setitem(conftest.ROLES, "one-way", ("crm", "erp"))
    monkeypatch.setattr("apps.sync.engine.execute.PAGE_SIZE", 10)
    monkeypatch.setattr(read, "TOGETHER", 10)
    monkeypatch.setattr(waiting, "pause", lambda seconds: None)
    for number in range(COUNT):
        vendor("crm").put("companies", f"c{number}", name=name_of(number), domain=f"{name_of(number).lower()}.example")
    return flow_of(deploy("one-way"))


def name_of(number: int) -> str:
    return f"{'Bdfgklmnprstvz'[number % 14]}{'aeiou'[number // 14]}xton"


def arrived() -> list[str]:
    return sorted(party["name"] for party in vendor("erp").all("parties"))


ALL = sorted(map(name_of, range(COUNT)))


def assert_each_arrived_once() -> None:
    assert arrived() == ALL
    assert len(vendor("erp").created) == COUNT
    assert WriteIntent.objects.count() == 0
    assert CanonicalRecord.objects.count() == COUNT
    assert CrossReference.objects.count() == 2 * COUNT
    told = RecordLog.objects.values_list("direction", "action")
    assert sorted(told) == [("read", "created")] * COUNT + [("write", "created")] * COUNT


def test_a_page_arrives_before_the_next_is_taken(flow, mortal, now):
    mortal("page_read", 2)

    with pytest.raises(Killed):
        run_flow(flow, now)

    assert arrived() == ALL_OF_FIRST_PAGE


ALL_OF_FIRST_PAGE = sorted(map(name_of, range(10)))


@pytest.mark.parametrize("time", [1, 2, 3])
@pytest.mark.parametrize(
    "point", ["page_written", "page_committed", "intents_sent", "vendor_called", "confirm_written", "confirmed"]
)
def test_killed_once(flow, mortal, now, point, time):
    mortal(point, time)

    assert run_through(flow, now) == 1

    assert_each_arrived_once()


def test_what_was_told_before_a_second_death_is_not_asked_again(flow, mortal, now, monkeypatch):
    mortal("vendor_called", 1)
    with pytest.raises(Killed):
        run_flow(flow, now)
    forget_heartbeat(SyncRun.objects.get(status=RunStatus.RUNNING).pk)
    monkeypatch.setattr(recover, "TOGETHER_SECONDS", 0)
    told: list[str] = []

    def die_while_asking(self: Any, key: str) -> Any:
        if len(told) == 4:
            raise Killed
        told.append(key)
        return resolve(self, key)

    resolve = FakeSink.resolve
    monkeypatch.setattr(FakeSink, "resolve", die_while_asking)
    with pytest.raises(Killed):
        run_flow(flow, now)
    monkeypatch.setattr(FakeSink, "resolve", resolve)

    assert WriteIntent.objects.filter(status="sent").count() == 6
    forget_heartbeat(SyncRun.objects.get(status=RunStatus.RUNNING).pk)
    assert run_through(flow, now) == 0
    assert_each_arrived_once()


def test_a_failing_call_is_settled_after_reading(flow, now):
    vendor("erp").fail_after.append(TransientError("The answer was lost."))

    run = run_flow(flow, now)

    assert (run.status, run.created_count) == (RunStatus.SUCCEEDED, 2 * COUNT)
    assert_each_arrived_once()


def test_a_refusal_goes_to_the_error_desk(flow, now):
    vendor("erp").refusals[name_of(3)] = RecordRejected("Not this one.", code="no")

    run = run_flow(flow, now)

    assert run.status == RunStatus.PARTIAL
    assert arrived() == [name for name in ALL if name != name_of(3)]
    failure = RecordFailure.objects.get()
    assert (failure.record_title, failure.code) == (name_of(3), "no")


def test_an_edit_meanwhile_is_sent_after_the_create(flow, now, monkeypatch):
    """A person's edit between the page and its confirmation: the confirmation plans the newer state."""
    from apps.sync.engine.write import Sender

    send = Sender.send_at_once
    edited: list[int] = []

    def edit_first(self: Sender, intents: list[Any]) -> None:
        if intents and not edited:
            edited.append(1)
            record = CanonicalRecord.objects.get(pk=intents[0].record_id)
            data = {**record.data, "phone": "+49 30 1"}
            CanonicalRecord.objects.filter(pk=record.pk).update(data=data, version=record.version + 1)
        send(self, intents)

    monkeypatch.setattr(Sender, "send_at_once", edit_first)

    assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    phones = [party.get("phone") for party in vendor("erp").all("parties") if party.get("phone")]
    assert phones == ["+49 30 1"]
    assert WriteIntent.objects.count() == 0
