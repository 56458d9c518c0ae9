"""Thousands tried again: nobody waits for them, whoever takes over goes on, and every one is counted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core.actor import Actor
from apps.dispatch.models import WorkItem
from apps.flows.models import Flow, Integration
from apps.sync.desk import retry_progress
from apps.sync.models import FailureNote, FailureRetry, RecordFailure, SyncRun
from apps.sync.services import UnableToCancelRetry, cancel_retry, carry_out_retry, retries, start_retry
from tests.factories.askers import owner, owner_actor
from tests.factories.delivery import make_connection, make_customer, make_flow, make_run
from tests.functional.partner.scene import make_failure

__all__ = ["owner", "owner_actor"]


@pytest.fixture
def flow(partner: object) -> Flow:
    return make_flow(make_customer("Northwind"))


@pytest.fixture
def failures(flow: Flow, now: datetime, monkeypatch: pytest.MonkeyPatch) -> list[RecordFailure]:
    """Seven, the oldest first; a worker marks three at a time."""
    monkeypatch.setattr(retries, "BATCH", 3)
    run, system = make_run(flow), make_connection(flow.customer, "tryton")
    return [make_failure(run, system, now, n, first_at=now - timedelta(hours=9 - n)) for n in range(7)]


def ask(actor: Actor, now: datetime) -> FailureRetry:
    return start_retry(actor=actor, now=now, failures=RecordFailure.objects.all(), label="All")


def statuses() -> Counter[str]:
    return Counter(RecordFailure.objects.values_list("status", flat=True))


def test_asking_touches_no_failure(flow: Flow, failures: list[RecordFailure], owner_actor: Actor, now: datetime):
    with CaptureQueriesContext(connection) as asked:
        retry = ask(owner_actor, now)

    assert len(asked) < 15
    assert statuses() == {"open": 7}
    assert retry.failure_ids == [failure.pk for failure in failures]
    assert WorkItem.objects.get(kind="sync.retry").key == str(retry.pk)
    assert (retry_progress(retry).waiting, SyncRun.objects.filter(trigger="retry").count()) == (7, 0)


def test_a_worker_marks_them_in_order_and_their_flow_runs_once(
    flow: Flow, failures: list[RecordFailure], owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    retry = ask(owner_actor, now)
    marked: list[list[str]] = []
    whole = retries.mark_asked

    def note(label, wanted, *rest):
        marked.append(sorted(wanted.values_list("record_title", flat=True)))
        return whole(label, wanted, *rest)

    monkeypatch.setattr(retries, "mark_asked", note)
    carry_out_retry(retry_id=retry.pk, now=lambda: now)

    assert [len(batch) for batch in marked] == [3, 3, 1]
    assert [title for batch in marked for title in batch] == [f"Project {n}" for n in range(7)]
    assert (statuses(), FailureNote.objects.filter(kind="retried").count()) == ({"retrying": 7}, 7)
    assert [run.flow_id for run in SyncRun.objects.filter(trigger="retry")] == [flow.pk]
    assert not WorkItem.objects.filter(kind="sync.retry").exists()
    retry.refresh_from_db()
    assert (retry.asked_at, retry.failure_ids, retry_progress(retry).waiting) == (now, [], 7)


def test_whoever_takes_over_from_a_worker_that_died_goes_on(
    flow: Flow, failures: list[RecordFailure], owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    retry = ask(owner_actor, now)
    with monkeypatch.context() as dying:
        dying.setattr(retries, "extend_lease", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            carry_out_retry(retry_id=retry.pk, now=lambda: now)
    retry.refresh_from_db()
    assert (retry.asked_count, statuses()) == (3, {"retrying": 3, "open": 4})
    assert (retry_progress(retry).waiting, SyncRun.objects.filter(trigger="retry").count()) == (7, 0)

    carry_out_retry(retry_id=retry.pk, now=lambda: now)

    assert statuses() == {"retrying": 7}
    assert FailureNote.objects.filter(kind="retried").count() == 7
    assert SyncRun.objects.filter(trigger="retry").count() == 1
    carry_out_retry(retry_id=retry.pk, now=lambda: now)  # told twice
    assert FailureNote.objects.filter(kind="retried").count() == 7


def test_what_is_settled_or_stopped_by_its_turn_is_passed_over(
    flow: Flow, failures: list[RecordFailure], owner_actor: Actor, now: datetime
):
    retry = ask(owner_actor, now)
    RecordFailure.objects.filter(pk=failures[1].pk).update(status="resolved")
    RecordFailure.objects.filter(pk=failures[5].pk).update(status="ignored")
    paused = make_flow(flow.customer)
    Integration.objects.filter(pk=paused.integration_id).update(status="paused")
    RecordFailure.objects.filter(pk=failures[6].pk).update(flow=paused)

    carry_out_retry(retry_id=retry.pk, now=lambda: now)

    RecordFailure.objects.filter(pk=failures[0].pk).update(status="open")
    RecordFailure.objects.filter(pk=failures[2].pk).update(status="resolved")
    retry.refresh_from_db()
    found = retry_progress(retry)
    assert (found.total, found.passed_over, found.waiting, found.failed, found.resolved) == (7, 3, 2, 1, 1)


def test_canceled_half_way_nothing_more_is_asked_for(
    flow: Flow, failures: list[RecordFailure], owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    retry = ask(owner_actor, now)
    lease = retries.extend_lease

    def cancel_then_go_on(**item):
        lease(**item)
        cancel_retry(actor=owner_actor, now=now, retry=retry)

    monkeypatch.setattr(retries, "extend_lease", cancel_then_go_on)
    carry_out_retry(retry_id=retry.pk, now=lambda: now)

    retry.refresh_from_db()
    assert (statuses(), retry.withdrawn_count, retry_progress(retry).waiting) == ({"open": 7}, 7, 0)
    assert not SyncRun.objects.filter(trigger="retry").exists()
    with pytest.raises(UnableToCancelRetry):
        cancel_retry(actor=owner_actor, now=now, retry=retry)


def test_once_whoever_asked_may_not_any_more_the_rest_stays_on_the_desk(
    flow: Flow,
    failures: list[RecordFailure],
    owner: User,
    owner_actor: Actor,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
):
    retry = ask(owner_actor, now)
    lease = retries.extend_lease

    def leave_then_go_on(**item):
        lease(**item)
        User.objects.filter(pk=owner.pk).update(is_active=False)

    monkeypatch.setattr(retries, "extend_lease", leave_then_go_on)
    carry_out_retry(retry_id=retry.pk, now=lambda: now)

    retry.refresh_from_db()
    assert (statuses(), retry.stop_reason) == ({"retrying": 3, "open": 4}, "Staff owner is not on the team any more.")
    found = retry_progress(retry)
    assert (found.total, found.waiting, found.withdrawn, found.failed) == (7, 3, 4, 0)
    assert (retry.canceled_at, SyncRun.objects.filter(trigger="retry").count()) == (now, 1)
    assert not WorkItem.objects.filter(kind="sync.retry").exists()
