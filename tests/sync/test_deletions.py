"""Deletions: ignored, noted or carried over; vanished records found; never too many at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.canonical.models import CanonicalChange, CanonicalRecord, CrossReference
from apps.connectors.sdk.errors import RecordRejected
from apps.core.clock import moved_clock
from apps.core.errors import NotPermitted, NotVisible
from apps.flows.models import FieldPolicy
from apps.flows.services import go_live
from apps.sync.models import DeletionReview, RecordFailure, RecordLog, Removal, RunStatus, RunTrigger
from apps.sync.services import UnableToReview, approve_deletions, execute_run, reject_deletions, start_reconcile
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import FakeStream, vendor


@pytest.fixture
def flow(deploy, owner_actor, now):
    integration = deploy("two-way-accounts")
    go_live(actor=owner_actor, now=now, integration=integration)
    return flow_of(integration)


def policy(flow, now, name: str) -> None:
    FieldPolicy.objects.create(
        integration=flow.integration, entity="account", field="@deleted", policy=name, changed_at=now
    )


def fill(flow, now, count: int) -> None:
    for number in range(count):
        vendor("crm").put("companies", f"c{number}", name=f"Forge {number}", domain=f"f{number}.example")
    assert run_flow(flow, now).status == RunStatus.SUCCEEDED


def delete_in_crm(*numbers: int) -> None:
    for number in numbers:
        vendor("crm").put("companies", f"c{number}", deleted=True)


def vanish_from_crm(*numbers: int) -> None:
    for number in numbers:
        del vendor("crm").objects["companies"][f"c{number}"]


def parties() -> list[str]:
    return sorted(party["name"] for party in vendor("erp").all("parties"))


def reconcile(flow, owner_actor, now):
    with moved_clock(now):
        return execute_run(run_id=start_reconcile(actor=owner_actor, now=now, flow=flow).pk)


CASES = [("ignore", 2, 0), ("mark", 2, 1), ("propagate", 1, 1)]


@pytest.mark.parametrize("name, left, noted", CASES)
def test_each_policy_has_its_way(flow, now, name, left, noted):
    policy(flow, now, name)
    fill(flow, now, 2)
    delete_in_crm(0)

    for minutes in (1, 2):
        assert run_flow(flow, now + timedelta(minutes=minutes)).status == RunStatus.SUCCEEDED

    assert len(parties()) == left
    assert CanonicalChange.objects.filter(fields__has_key="deleted_in").count() == noted
    assert CanonicalRecord.objects.count() == 2
    assert vendor("crm").objects["companies"]["c0"]["deleted"]


def test_a_deletion_carried_over_is_logged_and_not_made_again(flow, now):
    policy(flow, now, "propagate")
    fill(flow, now, 2)
    delete_in_crm(0)
    run_flow(flow, now + timedelta(minutes=1))

    log = RecordLog.objects.get(action="deleted")
    assert (log.title, log.object_name) == ("Forge 0", "parties")
    assert Removal.objects.get().status == "done"
    written = vendor("erp").write_count
    run_flow(flow, now + timedelta(minutes=2))
    assert (vendor("erp").write_count, parties()) == (written, ["Forge 1"])


def test_a_refused_deletion_is_told(flow, now):
    policy(flow, now, "propagate")
    fill(flow, now, 1)
    party = vendor("erp").all("parties")[0]["id"]
    vendor("erp").refusals[party] = RecordRejected("it has invoices", code="in_use", status=409)
    delete_in_crm(0)

    run = run_flow(flow, now + timedelta(minutes=1))

    assert run.status == RunStatus.PARTIAL
    assert RecordFailure.objects.get().message == "it has invoices"
    assert Removal.objects.get().status == "refused"


def test_a_full_comparison_finds_what_vanished(flow, owner_actor, now):
    policy(flow, now, "propagate")
    fill(flow, now, 3)
    vanish_from_crm(1)
    run_flow(flow, now + timedelta(minutes=1))
    assert len(parties()) == 3

    run = reconcile(flow, owner_actor, now + timedelta(minutes=2))

    assert (run.trigger, run.status) == (RunTrigger.RECONCILE, RunStatus.SUCCEEDED)
    assert parties() == ["Forge 0", "Forge 2"]
    assert CrossReference.objects.exclude(deleted_at=None).count() == 2


def test_too_many_are_stopped_at_once_until_a_person_approves(flow, owner_actor, now, monkeypatch):
    policy(flow, now, "propagate")
    fill(flow, now, 16)
    vanish_from_crm(*range(6))

    with monkeypatch.context() as patched:
        patched.setattr(FakeStream, "get", lambda self, external_id: pytest.fail("it asked for each of too many"))
        reconcile(flow, owner_actor, now + timedelta(minutes=1))

    review = DeletionReview.objects.get()
    assert (review.count, review.total, review.percent, review.is_removal) == (6, 16, 38, False)
    assert (len(parties()), CrossReference.objects.exclude(deleted_at=None).count()) == (16, 0)
    approve_deletions(actor=owner_actor, now=now, review=review)
    run_flow(flow, now + timedelta(minutes=2))
    assert len(parties()) == 10
    with pytest.raises(UnableToReview):
        approve_deletions(actor=owner_actor, now=now, review=review)


def test_too_many_removals_are_stopped_and_can_be_refused(flow, owner_actor, now):
    policy(flow, now, "propagate")
    fill(flow, now, 8)
    delete_in_crm(*range(6))

    run_flow(flow, now + timedelta(minutes=1))

    review = DeletionReview.objects.get()
    assert (review.count, review.total, review.is_removal, len(parties())) == (6, 8, True, 8)
    reject_deletions(actor=owner_actor, now=now, review=review)
    run_flow(flow, now + timedelta(minutes=2))
    assert len(parties()) == 8
    assert set(Removal.objects.values_list("status", flat=True)) == {"dropped"}
    assert DeletionReview.objects.count() == 1


def test_nobody_else_approves(flow, owner_actor, now):
    policy(flow, now, "propagate")
    fill(flow, now, 8)
    delete_in_crm(*range(6))
    run_flow(flow, now + timedelta(minutes=1))
    review = DeletionReview.objects.get()
    viewer = type(owner_actor)(owner_actor.kind, "v", "V", frozenset({"records.view"}), scope=None)
    stranger = type(owner_actor)(owner_actor.kind, "s", "S", owner_actor.permissions, scope=frozenset())

    with pytest.raises(NotPermitted):
        approve_deletions(actor=viewer, now=now, review=review)
    with pytest.raises(NotVisible):
        approve_deletions(actor=stranger, now=now, review=review)
    assert len(parties()) == 8
