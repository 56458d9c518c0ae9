"""Prepared merges from the check to the end: carried out and undone in the background, chunk by chunk.

Each chunk commits by itself with its count, so that a worker that dies loses nothing: the next one goes on where it was.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.canonical.models import MergeOutcome, MergePlan, MergePlanStatus, PlannedMerge, RecordMerge
from apps.canonical.services import UnableToMerge, UnableToUnmerge, ask_questions, unmerge_records
from apps.canonical.workspace import lock_environment
from apps.core.actor import Actor, system_actor
from apps.core.errors import NotVisible
from apps.customers.askers import RightsGone, note_asker, present_asker
from apps.dispatch.services import complete, extend_lease
from apps.sync.services import customer_joining, customer_moving, id_pairs
from apps.sync.services.plan_queue import PERMISSIONS, PLAN_KIND, UnableToCarryOut, audit_plan, queue_plan
from apps.sync.services.stewardship import demand_quiet, wake_flows

CHECKED_AT_ONCE = 500
ACTED_ON = (MergeOutcome.MERGE, MergeOutcome.LINK, MergeOutcome.ASK)
MERGED_AT_ONCE = 25
RELATED = ("customer", "environment", "other_customer", "other_environment", "left", "right")


@transaction.atomic
def apply_plan(*, actor: Actor, now: datetime, plan: MergePlan, prefers_other: bool = False) -> MergePlan:
    """This function will have the plan carried out in the background. Raises UnableToCarryOut, NotVisible, NotPermitted.

    `prefers_other`: where both records say something, the joining customer's is right.
    """
    locked = _lock(actor, plan, MergePlanStatus.READY)
    if locked.is_joining:
        customer_moving.demand_ready(locked)
    locked.status, locked.prefers_other = MergePlanStatus.APPLYING, prefers_other
    locked.applied_at, locked.applied_by_label = now, actor.label
    return _begin(actor, locked, "applied", now)


@transaction.atomic
def undo_plan(*, actor: Actor, now: datetime, plan: MergePlan) -> MergePlan:
    """This function will have everything the plan did undone in the background. Raises UnableToCarryOut, NotVisible."""
    locked = _lock(actor, plan, MergePlanStatus.APPLIED)
    if locked.is_joining:
        customer_moving.demand_undoable(locked)
    locked.status, locked.undone_at, locked.undone_by_label = MergePlanStatus.UNDOING, now, actor.label
    return _begin(actor, locked, "undone", now)


@transaction.atomic
def discard_plan(*, actor: Actor, now: datetime, plan: MergePlan) -> None:
    """This function will drop a plan that was never carried out. Raises UnableToCarryOut, NotVisible."""
    locked = _lock(actor, plan, MergePlanStatus.READY)
    audit_plan(actor, locked, "discarded", now)
    locked.delete()


@transaction.atomic
def decide_row(
    *, actor: Actor, now: datetime, plan: MergePlan, row: PlannedMerge, right_id: UUID | None
) -> PlannedMerge:
    """This function will take a person's word on one record: it is `right_id`, or a record of its own (None).

    Raises UnableToCarryOut, NotVisible, NotPermitted.
    """
    locked = _lock(actor, plan, MergePlanStatus.READY)
    if not locked.is_joining:
        raise UnableToCarryOut("The lines of a file are changed in the file.")
    chosen = customer_joining.decide_by_hand(locked, row, right_id)
    after = {"record": chosen.left_title, "outcome": chosen.outcome, "other": chosen.right_title}
    audit_plan(actor, locked, "decided", now, after)
    return chosen


def _lock(actor: Actor, plan: MergePlan, status: MergePlanStatus) -> MergePlan:
    for permission in PERMISSIONS:
        actor.require(permission)
    visible = MergePlan.objects.visible_to(actor).select_related(*RELATED)
    found: MergePlan | None = visible.select_for_update(of=("self",)).filter(pk=plan.pk).first()
    if found is None:
        raise NotVisible("There is no such import or joining.")
    if found.status != status:
        raise UnableToCarryOut(
            f"This is {found.get_status_display().lower()}. Reload the page for what can be done now."
        )
    return found


def _begin(actor: Actor, plan: MergePlan, action: str, now: datetime) -> MergePlan:
    plan.done_count, plan.message, plan.asked_by = 0, "", note_asker(actor)
    plan.save()
    audit_plan(actor, plan, action, now)
    queue_plan(plan, now)
    return plan


def carry_on_plan(*, plan_id: UUID, now: datetime) -> None:
    """This function will work a plan's current step off to its end, as long as whoever asked for it may."""
    while _take_chunk(plan_id, now):
        extend_lease(kind=PLAN_KIND, key=str(plan_id), now=now)
    complete(kind=PLAN_KIND, key=str(plan_id))


@transaction.atomic
def _take_chunk(plan_id: UUID, now: datetime) -> bool:
    """One chunk of whatever the plan is at; False when nothing is left to do."""
    found = MergePlan.objects.select_related(*RELATED).select_for_update(of=("self",))
    plan = found.filter(pk=plan_id).first()
    if plan is None or not plan.is_working:
        return False
    owners = filter(None, (plan.customer_id, plan.other_customer_id))
    try:
        present_asker(plan.asked_by, now=now, permissions=PERMISSIONS, owners=owners)
    except RightsGone as error:
        _give_up(plan, error.user_message)
        return False
    if plan.status == MergePlanStatus.CHECKING:
        _check(plan)
    elif plan.status == MergePlanStatus.APPLYING:
        _apply(plan, now)
    else:
        _undo(plan, now)
    plan.save(update_fields=["status", "total", "done_count", "moved", "message", "applied_at"])
    return bool(plan.is_working)


def _give_up(plan: MergePlan, reason: str) -> None:
    """Nobody stands for the rest. What was done already can be undone; where nothing was, somebody else begins again."""
    if plan.status == MergePlanStatus.CHECKING:
        plan.status, plan.message = MergePlanStatus.UNDONE, f"{reason} Begin again in your own name."
    elif plan.status == MergePlanStatus.APPLYING and not (plan.moved or plan.rows.exclude(done_at=None).exists()):
        plan.status, plan.applied_at = MergePlanStatus.READY, None
        plan.message = f"{reason} Nothing was changed: carry it out in your own name."
    else:
        plan.status = MergePlanStatus.APPLIED
        plan.message = f"{reason} The rest was left as it is. Undo it in your own name."
    plan.message = plan.message[:500]
    plan.save(update_fields=["status", "message", "applied_at"])


def _check(plan: MergePlan) -> None:
    check = customer_joining.check_rows if plan.is_joining else id_pairs.check_rows
    done = check(plan, CHECKED_AT_ONCE)
    plan.done_count = min(plan.done_count + done, plan.total)
    if not done:
        plan.status = MergePlanStatus.READY


def _apply(plan: MergePlan, now: datetime) -> None:
    actor = system_actor(plan.applied_by_label)
    _lock_environments(plan)
    if plan.is_joining and not plan.moved:
        try:
            customer_moving.demand_ready(plan)
        except UnableToCarryOut as error:
            plan.status, plan.message, plan.applied_at = MergePlanStatus.READY, error.user_message, None
        else:
            plan.moved = customer_moving.move_over(plan, now)
        return
    left = plan.rows.filter(done_at=None)
    plan.done_count += left.exclude(outcome__in=ACTED_ON).update(done_at=now)
    rows = list(left.order_by("position")[:MERGED_AT_ONCE])
    for row in rows:
        _apply_row(plan, row, actor, now)
    plan.done_count += len(rows)
    if not rows:
        plan.status = MergePlanStatus.APPLIED
        wake_flows(plan.environment_id, actor, now)


def _apply_row(plan: MergePlan, row: PlannedMerge, actor: Actor, now: datetime) -> None:
    row.done_at = now
    try:
        with transaction.atomic():
            if row.outcome == MergeOutcome.MERGE:
                customer_joining.merge_row(plan, row, actor, now)
            elif row.outcome == MergeOutcome.LINK:
                id_pairs.link_row(plan, row, now)
            elif row.outcome == MergeOutcome.ASK:
                ask_questions(plan.environment, customer_joining.doubts_of(row), now)
    except UnableToMerge as error:
        row.outcome, row.message = MergeOutcome.ERROR, error.user_message[:300]
    row.save(update_fields=["done_at", "outcome", "message"])


def _undo(plan: MergePlan, now: datetime) -> None:
    """Merges first, the newest before the older; then what was moved goes back."""
    actor = system_actor(plan.undone_by_label)
    _lock_environments(plan)
    merges = RecordMerge.objects.filter(batch_id=plan.pk, undone_at=None).select_related("kept")
    chunk = list(merges.order_by("-merged_at", "-id")[:MERGED_AT_ONCE])
    try:
        with transaction.atomic():
            demand_quiet([merge.kept_id for merge in chunk])
            for merge in chunk:
                unmerge_records(actor=actor, now=now, merge=merge, ask_again=True)
    except (UnableToMerge, UnableToUnmerge) as error:
        plan.status, plan.message = MergePlanStatus.APPLIED, error.user_message
        return
    plan.done_count += len(chunk)
    if not chunk:
        _undo_rest(plan)
        plan.status = MergePlanStatus.UNDONE
        wake_flows(plan.environment_id, actor, now)


def _undo_rest(plan: MergePlan) -> None:
    if plan.is_joining:
        customer_moving.move_back(plan)
    else:
        id_pairs.unlink_rows(plan)


def _lock_environments(plan: MergePlan) -> None:
    """Always in the same order, so that two plans over the same customers never wait for each other forever."""
    for environment_id in sorted(filter(None, (plan.environment_id, plan.other_environment_id)), key=str):
        lock_environment(environment_id)
