"""How long the log is kept: by class and outcome, to the row; and what a clearing leaves alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.audit.models import AuditEvent
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.dispatch.models import WorkItem
from apps.flows.models import Flow
from apps.sync.models import LogSettings, RecordLog, RecordPayload, RunStep, SyncRun, VendorCall
from apps.sync.retention import DEFAULT_DAYS, days_of
from apps.sync.services import purge_logs, update_log_settings
from apps.sync.services.keeping import SettingsChanged, UnableToKeepLog, find_log_settings, stamp_of
from apps.sync.services.purging import id_at
from tests.factories.delivery import make_customer, make_flow, make_run
from tests.factories.logs import make_call, make_log

DAYS = {
    "payloads": {"success": 10, "failure": 20},
    "records": {"success": 30, "failure": 40},
    "calls": {"success": 5, "failure": 15},
    "runs": {"success": 70, "failure": 80},
}


@pytest.fixture
def flow(partner: object) -> Flow:
    return make_flow(make_customer("Northwind"))


def keep(actor: Actor, now: datetime, **days: dict[str, int]) -> None:
    update_log_settings(actor=actor, now=now, hidden_fields=[], keeps_payloads=True, days={**DAYS, **days})


def test_each_class_and_outcome_goes_in_its_time(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    keep(owner_actor, now)
    run = make_run(flow, at=now)
    for age in (50, 41, 39, 31, 29, 21, 19, 16, 14, 11, 9, 6, 4):
        at = now - timedelta(days=age)
        for action in ("updated", "failed"):
            make_log(flow, at=at, run=run, title=str(age), action=action, diff={"name": [None, "x"]})
        for status in (200, 503):
            make_call(flow, at=at, run=run, path=f"/{age}", status=status)

    counts = purge_logs(now=now)

    def left(action: str) -> list[int]:
        return sorted(int(title) for title in RecordLog.objects.filter(action=action).values_list("title", flat=True))

    def values(action: str) -> list[int]:
        titles = RecordPayload.objects.filter(log__action=action).values_list("log__title", flat=True)
        return sorted(int(title) for title in titles)

    assert left("updated") == [4, 6, 9, 11, 14, 16, 19, 21, 29]
    assert left("failed") == [4, 6, 9, 11, 14, 16, 19, 21, 29, 31, 39]
    assert values("updated") == [4, 6, 9]
    assert values("failed") == [4, 6, 9, 11, 14, 16, 19]
    assert sorted(VendorCall.objects.values_list("path", "status")) == [
        ("/11", 503), ("/14", 503), ("/4", 200), ("/4", 503), ("/6", 503), ("/9", 503),
    ]  # fmt: skip
    assert counts == {
        "payloads.success": 10, "payloads.failure": 6, "records.success": 4, "records.failure": 2, "calls.success": 12,
        "calls.failure": 8, "runs.success": 0, "runs.failure": 0,
    }  # fmt: skip
    assert RecordPayload.objects.count() == 10


def test_a_second_pass_finds_nothing_and_the_next_is_set(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    keep(owner_actor, now)
    make_log(flow, at=now - timedelta(days=50))
    purge_logs(now=now)

    again = purge_logs(now=now)

    assert set(again.values()) == {0}
    item = WorkItem.objects.get(kind="logs.purge", schema="p_acme")
    assert item.due_at == now + timedelta(days=1)
    assert [sum(one["counts"].values()) for one in LogSettings.objects.get().purges] == [0, 1]


def test_a_shorter_time_reaches_what_was_passed_over(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    keep(owner_actor, now)
    make_log(flow, at=now - timedelta(days=20), title="later too old")
    make_log(flow, at=now, title="new")
    purge_logs(now=now)
    keep(owner_actor, now + timedelta(hours=1), records={"success": 15, "failure": 15})

    purge_logs(now=now + timedelta(hours=2))

    assert list(RecordLog.objects.values_list("title", flat=True)) == ["new"]


def test_runs_go_with_their_steps_and_active_ones_stay(flow: Flow, owner_actor: Actor, now: datetime) -> None:
    keep(owner_actor, now)
    old = make_run(flow, at=now - timedelta(days=75))
    RunStep.objects.create(run=old, position=0, label="Read", started_at=now)
    failed = make_run(flow, at=now - timedelta(days=75), status="failed")
    active = make_run(flow, at=now - timedelta(days=75), status="queued", finished_at=None)

    purge_logs(now=now)

    assert set(SyncRun.objects.values_list("pk", flat=True)) == {failed.pk, active.pk}
    assert RunStep.objects.count() == 0


def test_a_partner_that_set_nothing_keeps_to_the_defaults(flow: Flow, now: datetime) -> None:
    kept = make_log(flow, at=now - timedelta(days=DEFAULT_DAYS["records"]["success"] - 1))
    make_log(flow, at=now - timedelta(days=DEFAULT_DAYS["records"]["success"] + 1))

    purge_logs(now=now)
    purge_logs(now=now)

    # Ids rise with time; a fact written late, as here, waits for its neighbors.
    assert kept in RecordLog.objects.all()


def test_the_border_is_found_by_halving(flow: Flow, now: datetime) -> None:
    run = make_run(flow, at=now)
    logs = [make_log(flow, at=now + timedelta(hours=hour), run=run) for hour in range(9)]
    RecordLog.objects.filter(pk=logs[4].pk).delete()

    assert id_at("sync_recordlog", now) == 0 or id_at("sync_recordlog", now) < logs[0].pk
    assert id_at("sync_recordlog", now + timedelta(hours=3, minutes=1)) == logs[3].pk
    assert id_at("sync_recordlog", now + timedelta(hours=4, minutes=1)) == logs[3].pk
    assert id_at("sync_recordlog", now + timedelta(days=1)) == logs[8].pk


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ({"records": {"success": 0, "failure": 10}}, "records_success"),
        ({"runs": {"success": 400, "failure": 60}}, "runs_failure"),
        ({"calls": {"success": 5, "failure": 4000}}, "calls_failure"),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    owner_actor: Actor, partner: object, now: datetime, days: dict[str, dict[str, int]], field: str
) -> None:
    with pytest.raises(UnableToKeepLog) as refused:
        keep(owner_actor, now, **days)

    assert refused.value.field == field
    assert LogSettings.objects.count() == 0


def test_settings_are_audited_and_clearing_starts_at_once(owner_actor: Actor, partner: object, now: datetime) -> None:
    update_log_settings(
        actor=owner_actor, now=now, hidden_fields=["  Email ", "email", ""], keeps_payloads=False, days=DAYS
    )

    kept = LogSettings.objects.get()
    assert (kept.hidden_fields, kept.keeps_payloads, days_of(kept.days)) == (["email"], False, DAYS)
    trail = AuditEvent.objects.get(action="logs.settings_changed")
    assert (trail.before["keeps_payloads"], trail.after["hidden_fields"]) == (True, ["email"])
    assert WorkItem.objects.get(kind="logs.purge", schema="p_acme").due_at == now


def test_only_those_who_look_after_security_may(partner: object, now: datetime) -> None:
    support = Actor(ActorKind.USER, "s", "Sam", frozenset({"runs.view"}), scope=None)

    with pytest.raises(NotPermitted):
        keep(support, now)


def test_nobody_overwrites_what_somebody_else_saved_meanwhile(
    partner: object, owner_actor: Actor, now: datetime
) -> None:
    shown = stamp_of(find_log_settings())
    update_log_settings(actor=owner_actor, now=now, hidden_fields=["email"], seen=shown)

    with pytest.raises(SettingsChanged):
        update_log_settings(actor=owner_actor, now=now, hidden_fields=[], days={"calls": {"success": 9}}, seen=shown)
    saved = update_log_settings(actor=owner_actor, now=now, days={"calls": {"success": 9}})

    assert (saved.hidden_fields, saved.keeps_payloads) == (["email"], True)
    assert saved.days == {**DEFAULT_DAYS, "calls": {"success": 9, "failure": 90}}
