"""Pairs of ids from a file: bad lines told, good ones merged or linked in the background, all of it undone at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.canonical.models import CanonicalRecord, CrossReference, MergePlanStatus, RecordMerge
from apps.canonical.plan_selectors import count_outcomes
from apps.core.errors import NotPermitted
from apps.dispatch.models import WorkItem
from apps.sync.models import RunStatus
from apps.sync.services import (
    UnableToCarryOut,
    UnableToReadPairs,
    apply_plan,
    carry_on_plan,
    discard_plan,
    merge_plans,
    request_pairs,
    undo_plan,
)
from tests.factories.askers import owner, owner_actor
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

__all__ = ["owner", "owner_actor"]

FILE = "HubSpot;ERP\nc1;p1\nc2;p2\nc2;p3\nc9;p9\nc3\nc4;p4\nc5;p5\n"


@pytest.fixture
def flow(deploy, now):
    for number, name in enumerate(["Anvil", "Bellows", "Crucible", "Drill"], 1):
        vendor("crm").put("companies", f"c{number}", name=name)
    for number, name in enumerate(["Hammer", "Hearth", "Iron", "Drill"], 1):
        vendor("erp").put("parties", f"p{number}", name=name, phone=str(number))
    flow = flow_of(deploy("opportunity-to-project"))
    assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    return flow


@pytest.fixture
def check(systems, owner_actor, now):
    """A file looked at in the background; returns the plan."""

    def check(text=FILE, actor=owner_actor):
        plan = request_pairs(
            actor=actor, now=now, entity="account", left=systems["crm"], right=systems["erp"], text=text
        )
        carry_on_plan(plan_id=plan.pk, now=now)
        plan.refresh_from_db()
        return plan

    return check


@pytest.fixture
def carry_out(owner_actor, now):
    def carry_out(plan, act=apply_plan):
        act(actor=owner_actor, now=now, plan=plan)
        carry_on_plan(plan_id=plan.pk, now=now)
        plan.refresh_from_db()
        return plan

    return carry_out


def lines(plan):
    return [(row.position, row.outcome) for row in plan.rows.order_by("position")]


def homes():
    return sorted(CrossReference.objects.values_list("external_id", "record_id"), key=str)


def test_it_works(flow, check, carry_out):
    plan = check()

    assert (plan.status, plan.total, plan.done_count) == (MergePlanStatus.READY, 7, 7)
    assert lines(plan) == [
        (2, "merge"), (3, "merge"), (4, "error"), (5, "error"), (6, "error"), (7, "merge"), (8, "error"),
    ]  # fmt: skip
    assert RecordMerge.objects.count() == 0
    told = dict(plan.rows.values_list("position", "message"))
    assert (told[4], told[6]) == ("c2 is on line 3 already.", "Two ids are expected.")
    assert plan.rows.values_list("left_title", "right_title").get(position=2) == ("Anvil", "Hammer")

    carry_out(plan)

    assert (plan.status, plan.done_count) == (MergePlanStatus.APPLIED, 7)
    assert count_outcomes(plan) == {"error": 4, "merge": 3}
    merged = CrossReference.objects.get(external_id="c1").record
    assert sorted(merged.cross_references.values_list("external_id", flat=True)) == ["c1", "p1"]
    assert lines(check("c1,p1\n")) == [(1, "known")]
    assert WorkItem.objects.filter(kind="sync.merge_plan").count() == 0
    audited = AuditEvent.objects.filter(action__startswith="merge_plan.").order_by("id")
    assert list(audited.values_list("action", flat=True))[:2] == ["merge_plan.requested", "merge_plan.applied"]


def test_a_worker_that_dies_leaves_the_rest_to_the_next(flow, check, owner_actor, now, monkeypatch):
    monkeypatch.setattr(merge_plans, "MERGED_AT_ONCE", 2)
    plan = check()
    apply_plan(actor=owner_actor, now=now, plan=plan)
    assert merge_plans._take_chunk(plan.pk, now)
    plan.refresh_from_db()
    assert (plan.done_count, RecordMerge.objects.count()) == (6, 2)

    carry_on_plan(plan_id=plan.pk, now=now)

    plan.refresh_from_db()
    assert (plan.status, plan.done_count, RecordMerge.objects.count()) == ("applied", 7, 3)


def test_an_import_is_undone_as_a_whole(flow, check, carry_out, owner_actor, now):
    before = homes()
    plan = carry_out(check(FILE + "c3;p77\n"))
    assert CrossReference.objects.filter(external_id="p77").count() == 1

    carry_out(plan, undo_plan)

    assert (plan.status, homes()) == (MergePlanStatus.UNDONE, before)
    with pytest.raises(UnableToCarryOut, match="undone"):
        undo_plan(actor=owner_actor, now=now, plan=plan)


def test_a_record_that_is_not_read_yet_is_recognized_when_it_is(flow, check, carry_out, now):
    plan = carry_out(check("c1,p77\n"))
    assert count_outcomes(plan) == {"link": 1}
    vendor("erp").put("parties", "p77", name="Quite another name", phone="7")

    run_flow(flow, now + timedelta(minutes=1))

    record = CrossReference.objects.get(external_id="p77").record
    assert record.data == {"name": "Anvil", "phone": "7"}
    assert CanonicalRecord.objects.filter(entity="account").count() == 8
    assert check("c1,p78\n").rows.get().message == "Anvil has another id in ERP."
    carry_out(plan, undo_plan)
    assert CrossReference.objects.filter(external_id="p77").count() == 1


def test_two_ids_of_one_system_are_told(flow, check, carry_out):
    carry_out(check("c1,p1\n"))

    assert check("c1,p2\n").rows.get().message == "ERP holds both, under two ids. Merge them there first."


def test_what_changed_since_the_check_is_told_at_its_line(flow, check, carry_out):
    plan = check("c1,p1\nc2,p2\n")
    CrossReference.objects.get(external_id="c1").record.delete()

    carry_out(plan)

    assert [(row.outcome, row.message) for row in plan.rows.order_by("position")] == [
        ("error", "One of the two records is gone."), ("merge", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "left,right\n", "\n\n", "1," + "2" * 200_000, "1,2\x00\n"])
def test_an_empty_or_unreadable_file_is_refused(flow, check, text):
    with pytest.raises(UnableToReadPairs) as caught:
        check(text)
    assert caught.value.field == "file"


def test_only_who_may_and_only_once(flow, check, carry_out, owner_actor, now):
    viewer = type(owner_actor)(owner_actor.kind, "v", "V", frozenset({"records.view"}), scope=None)
    plan = check()

    with pytest.raises(NotPermitted):
        check(actor=viewer)
    with pytest.raises(NotPermitted):
        apply_plan(actor=viewer, now=now, plan=plan)
    carry_out(plan)
    with pytest.raises(UnableToCarryOut, match="carried out"):
        apply_plan(actor=owner_actor, now=now, plan=plan)
    with pytest.raises(UnableToCarryOut):
        discard_plan(actor=owner_actor, now=now, plan=plan)
    discard_plan(actor=owner_actor, now=now, plan=check("c3,p3\n"))
    assert RecordMerge.objects.count() == 3


GONE = "Staff owner is not on the team any more."


def leave(owner):
    User.objects.filter(pk=owner.pk).update(is_active=False)


def test_nothing_is_checked_for_whoever_left(flow, systems, owner, owner_actor, now):
    plan = request_pairs(
        actor=owner_actor, now=now, entity="account", left=systems["crm"], right=systems["erp"], text=FILE
    )
    leave(owner)

    carry_on_plan(plan_id=plan.pk, now=now)

    plan.refresh_from_db()
    assert (plan.status, plan.message) == (MergePlanStatus.UNDONE, f"{GONE} Begin again in your own name.")


def test_what_nobody_stands_for_any_more_is_left_and_can_be_undone(
    flow, check, owner, owner_actor, system, now, monkeypatch
):
    monkeypatch.setattr(merge_plans, "MERGED_AT_ONCE", 2)
    plan, before = check(), homes()
    apply_plan(actor=owner_actor, now=now, plan=plan)
    assert merge_plans._take_chunk(plan.pk, now)
    leave(owner)

    carry_on_plan(plan_id=plan.pk, now=now)

    plan.refresh_from_db()
    assert (plan.status, RecordMerge.objects.count()) == (MergePlanStatus.APPLIED, 2)
    assert plan.message == f"{GONE} The rest was left as it is. Undo it in your own name."
    undo_plan(actor=system, now=now, plan=plan)
    carry_on_plan(plan_id=plan.pk, now=now)
    plan.refresh_from_db()
    assert (plan.status, plan.message, homes()) == (MergePlanStatus.UNDONE, "", before)


def test_before_anything_was_changed_another_carries_it_out(flow, check, owner, owner_actor, system, now):
    plan = check()
    apply_plan(actor=owner_actor, now=now, plan=plan)
    leave(owner)
    carry_on_plan(plan_id=plan.pk, now=now)
    plan.refresh_from_db()
    assert (plan.status, RecordMerge.objects.count()) == (MergePlanStatus.READY, 0)
    assert plan.message == f"{GONE} Nothing was changed: carry it out in your own name."

    apply_plan(actor=system, now=now, plan=plan)
    carry_on_plan(plan_id=plan.pk, now=now)

    plan.refresh_from_db()
    assert (plan.status, RecordMerge.objects.count()) == (MergePlanStatus.APPLIED, 3)
