"""Working off the error desk: many at once, together with colleagues, and what the engine makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from apps.accounts.services import appoint, create_person
from apps.connectors.sdk.errors import RecordRejected
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.flows.services import pause_integration
from apps.sync.desk import get_retry, is_snoozed, list_notes, retry_progress, snoozed, trend_of
from apps.sync.engine import catch_up
from apps.sync.models import FailureNote, FailureRetry, RecordFailure, RunStatus, SyncRun
from apps.sync.services import (
    UnableToAssign,
    UnableToCancelRetry,
    UnableToComment,
    UnableToIgnore,
    UnableToReopen,
    UnableToRetry,
    UnableToSnooze,
    assign_failures,
    cancel_retry,
    carry_out_retry,
    comment_failure,
    ignore_failures,
    reopen_failures,
    snooze_failures,
    start_retry,
    wake_failures,
)
from tests.factories.askers import owner, owner_actor
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

__all__ = ["owner", "owner_actor"]

NAMES = ["One", "Two", "Three", "Four", "Five"]


@pytest.fixture
def flow(deploy):
    return flow_of(deploy("opportunity-to-project"))


@pytest.fixture
def broken(flow, now):
    """Five won deals whose projects the ERP refuses."""
    vendor("crm").put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    for number, name in enumerate(NAMES):
        vendor("crm").put("deals", f"d{number}", name=name, stage="won", company="c1")
        vendor("erp").refusals[name] = RecordRejected("The project type is not set.", code="TYPE")
    assert run_flow(flow, now).failed_count == 5
    return RecordFailure.objects.order_by("first_at", "id")


def everything():
    return RecordFailure.objects.all()


def stranger() -> Actor:
    return Actor(ActorKind.USER, "x", "Stranger", frozenset({"errors.resolve"}), scope=frozenset({uuid4()}))


def begin(actor: Actor, now) -> FailureRetry:
    """Asked for, and marked by the worker."""
    retry = start_retry(actor=actor, now=now, failures=everything(), label="All")
    carry_out_retry(retry_id=retry.pk, now=lambda: now)
    return retry


def counts(retry: FailureRetry) -> tuple[int, int, int, int, int]:
    retry.refresh_from_db()
    progress = retry_progress(retry)
    return progress.total, progress.resolved, progress.failed, progress.waiting, progress.withdrawn


def test_many_are_retried_as_one_work_counted_exactly_in_order_and_once(flow, broken, owner_actor, now):
    order = list(broken.values_list("record_title", flat=True))
    vendor("erp").refusals = {"Three": vendor("erp").refusals["Three"]}

    retry = start_retry(actor=owner_actor, now=now, failures=everything(), label="Type is not set")

    assert set(everything().values_list("status", flat=True)) == {"open"}
    assert counts(retry) == (5, 0, 0, 5, 0)
    carry_out_retry(retry_id=retry.pk, now=lambda: now)
    assert counts(retry) == (5, 0, 0, 5, 0)
    assert run_flow(flow, now).trigger == "retry"
    assert counts(retry) == (5, 4, 1, 0, 0)
    assert [p["name"] for p in vendor("erp").all("projects")] == [name for name in order if name != "Three"]
    again = begin(owner_actor, now)
    vendor("erp").refusals.clear()
    run_flow(flow, now)
    assert (counts(retry), counts(again)) == ((5, 4, 1, 0, 0), (1, 1, 0, 0, 0))
    assert sorted(p["name"] for p in vendor("erp").all("projects")) == sorted(NAMES)
    with pytest.raises(UnableToRetry, match="settled already"):
        start_retry(actor=owner_actor, now=now, failures=everything(), label="")


def test_what_was_not_tried_yet_is_withdrawn(flow, broken, owner_actor, now, monkeypatch):
    vendor("erp").refusals.clear()
    retry = begin(owner_actor, now)
    monkeypatch.setattr(catch_up, "BATCH", 2)
    whole, tried = catch_up._write_again, []

    def write_then_cancel(context, system, failures):
        whole(context, system, failures)
        tried.extend(f.pk for f in failures)
        RecordFailure.objects.filter(pk__in=tried).update(status="resolved")
        if len(tried) == 2:
            cancel_retry(actor=owner_actor, now=now, retry=retry)

    monkeypatch.setattr(catch_up, "_write_again", write_then_cancel)
    run_flow(flow, now)

    retry.refresh_from_db()
    assert (len(tried), retry.canceled_at, counts(retry)) == (2, now, (5, 2, 0, 0, 3))
    assert len(vendor("erp").all("projects")) == 2
    assert RecordFailure.objects.filter(status="open").count() == 3
    with pytest.raises(UnableToCancelRetry):
        cancel_retry(actor=owner_actor, now=now, retry=retry)


def test_a_retry_of_many_is_its_customers_alone(flow, broken, owner_actor, now):
    with pytest.raises(UnableToRetry):
        start_retry(actor=stranger(), now=now, failures=everything(), label="")
    retry = begin(owner_actor, now)

    assert get_retry(owner_actor, retry.pk) == retry
    with pytest.raises(NotVisible):
        get_retry(stranger(), retry.pk)
    with pytest.raises(NotVisible):
        cancel_retry(actor=stranger(), now=now, retry=retry)
    with pytest.raises(NotPermitted):
        start_retry(actor=Actor(ActorKind.USER, "y", "V"), now=now, failures=everything(), label="")


def test_those_of_a_paused_integration_are_left_out(flow, broken, owner_actor, now):
    SyncRun.objects.update(status=RunStatus.SUCCEEDED)
    type(flow.integration).objects.update(status="live")
    flow.integration.refresh_from_db()
    pause_integration(actor=owner_actor, now=now, integration=flow.integration)

    with pytest.raises(UnableToRetry, match="do not run"):
        start_retry(actor=owner_actor, now=now, failures=everything(), label="")

    assert set(everything().values_list("status", flat=True)) == {"open"}


def test_a_colleague_is_made_responsible_and_comments(broken, owner_actor, now):
    person = create_person(email="sam@acme.example", name="Sam", password="correct horse battery", now=now)
    with pytest.raises(UnableToAssign):
        assign_failures(actor=owner_actor, now=now, failures=everything(), assignee_id=person.pk)
    appoint(user=person, role="support", now=now)

    assert assign_failures(actor=owner_actor, now=now, failures=everything(), assignee_id=person.pk) == 5
    assert assign_failures(actor=stranger(), now=now, failures=everything(), assignee_id=None) == 0

    failure = broken[0]
    comment_failure(actor=owner_actor, now=now, failure=failure, text=" Asked the customer. ")
    with pytest.raises(UnableToComment):
        comment_failure(actor=owner_actor, now=now, failure=failure, text=" ")
    assert (failure.assignee_id, failure.assignee_label) == (person.pk, "Sam")
    notes = list_notes(owner_actor, failure).values_list("kind", "text", "by_label")
    assert list(notes) == [
        ("comment", "Asked the customer.", owner_actor.label), ("assigned", "Sam", owner_actor.label)
    ]  # fmt: skip
    bound = Actor(ActorKind.API_KEY, "k", "Key", scope=frozenset({failure.customer_id}))
    assert list(list_notes(bound, failure)) == []


def test_snoozed_until_a_time_or_until_it_happened_more_often(flow, broken, owner_actor, now):
    first, second = broken[0], broken[1]
    until = now + timedelta(hours=4)
    snooze_failures(actor=owner_actor, now=now, failures=everything().filter(pk=first.pk), until=until)
    snooze_failures(actor=owner_actor, now=now, failures=everything().filter(pk=second.pk), times=1)

    assert set(everything().filter(snoozed(now)).values_list("pk", flat=True)) == {first.pk, second.pk}
    first.refresh_from_db()
    assert (is_snoozed(first, now), is_snoozed(first, until)) == (True, False)
    begin(owner_actor, now)
    run_flow(flow, now)

    assert set(everything().filter(snoozed(now)).values_list("pk", flat=True)) == {first.pk}
    assert everything().filter(snoozed(until)).count() == 0
    wake_failures(actor=owner_actor, now=now, failures=everything())
    assert everything().filter(snoozed(now)).count() == 0
    for given in (
        {},
        {"until": until, "times": 1},
        {"until": now},
        {"until": datetime(9999, 12, 31, tzinfo=UTC)},
        {"times": -1},
    ):
        with pytest.raises(UnableToSnooze):
            snooze_failures(actor=owner_actor, now=now, failures=everything(), **given)


def test_ignored_with_a_reason_and_taken_up_again(flow, broken, owner_actor, now):
    with pytest.raises(UnableToIgnore):
        ignore_failures(actor=owner_actor, now=now, failures=everything(), reason=" ")
    assert ignore_failures(actor=owner_actor, now=now, failures=everything(), reason="Old deals") == 5
    assert set(everything().values_list("status", "ignore_reason")) == {("ignored", "Old deals")}

    assert reopen_failures(actor=owner_actor, now=now, failures=everything()) == 5
    with pytest.raises(UnableToReopen):
        reopen_failures(actor=owner_actor, now=now, failures=everything())

    assert set(everything().values_list("status", "ignore_reason", "resolved_at")) == {("open", "", None)}
    vendor("erp").refusals.clear()
    begin(owner_actor, now)
    run_flow(flow, now)
    assert set(everything().values_list("status", flat=True)) == {"resolved"}
    assert FailureNote.objects.filter(failure=broken[0]).count() == 3


def test_the_trend_counts_what_began_on_each_day(broken, now):
    ids = list(broken.values_list("pk", flat=True))
    RecordFailure.objects.filter(pk__in=ids[:2]).update(first_at=now - timedelta(days=13))
    RecordFailure.objects.filter(pk=ids[2]).update(first_at=now - timedelta(days=14))
    fingerprint = broken[0].fingerprint

    assert trend_of(everything(), [fingerprint], now) == {fingerprint: [2, *[0] * 12, 2]}
