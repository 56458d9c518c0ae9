"""What people decide about a rollout under way: go on, end, go back, leave out, answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.core.visible import get_visible
from apps.customers.askers import note_asker
from apps.dispatch.services import schedule
from apps.flows.models import MemberStatus, RolloutMember, RolloutStatus, TemplateRollout
from apps.flows.services.upgrades import plan_upgrade
from apps.sync.services.rollouts import (
    APPLIED,
    ROLLOUT_KIND,
    UnableToRollOut,
    audit_rollout,
    count_open_failures,
    end_rollout,
    give_back,
    require_partner,
    run_all,
)


class UnableToChangeRollout(Conflict):
    """The rollout's state does not allow this step."""


@transaction.atomic
def resume_rollout(*, actor: Actor, now: datetime, rollout: TemplateRollout) -> TemplateRollout:
    """This function will go on after a halt: who failed is tried again, with a new run."""
    locked = _lock(actor, rollout, RolloutStatus.HALTED)
    for member in locked.members.filter(status=MemberStatus.FAILED).select_related("integration"):
        member.status = MemberStatus.WATCHED if member.after_id else MemberStatus.WAITING
        member.message, member.changed_at = "", now
        member.open_failures = count_open_failures(member.integration)
        member.save()
        if member.after_id:
            run_all(member, now)
    locked.status, locked.halt_reason, locked.asked_by = RolloutStatus.RUNNING, "", note_asker(actor)
    locked.save(update_fields=["status", "halt_reason", "asked_by"])
    audit_rollout(actor, now, locked, "rollout.resumed")
    schedule(kind=ROLLOUT_KIND, key=str(locked.pk), due_at=now)
    return locked


@transaction.atomic
def cancel_rollout(*, actor: Actor, now: datetime, rollout: TemplateRollout) -> TemplateRollout:
    """This function will end the rollout where it is: who has the version keeps it."""
    locked = _lock(actor, rollout, RolloutStatus.RUNNING, RolloutStatus.HALTED)
    end_rollout(locked, RolloutStatus.CANCELED, now)
    audit_rollout(actor, now, locked, "rollout.canceled")
    return locked


@transaction.atomic
def roll_back(*, actor: Actor, now: datetime, rollout: TemplateRollout) -> TemplateRollout:
    """This function will give everybody back what they had before, in the background."""
    every = [status for status in RolloutStatus if status != RolloutStatus.ROLLED_BACK]
    locked = _lock(actor, rollout, *every)
    locked.status, locked.halt_reason, locked.finished_at = RolloutStatus.ROLLING_BACK, "", None
    locked.asked_by = note_asker(actor)
    locked.save(update_fields=["status", "halt_reason", "finished_at", "asked_by"])
    audit_rollout(actor, now, locked, "rollout.rolled_back")
    schedule(kind=ROLLOUT_KIND, key=str(locked.pk), due_at=now)
    return locked


@transaction.atomic
def roll_back_member(*, actor: Actor, now: datetime, member: RolloutMember) -> RolloutMember:
    """This function will give one customer back what it had before. Raises UnableToChangeRollout."""
    require_partner(actor)
    locked = _lock_member(actor, member)
    if locked.status not in APPLIED or locked.after_id is None:
        raise UnableToChangeRollout("This customer does not have the version from this rollout.")
    give_back(actor, now, locked)
    if locked.status != MemberStatus.ROLLED_BACK:
        raise UnableToChangeRollout(locked.message)
    audit_rollout(actor, now, locked.rollout, "rollout.member_rolled_back")
    return locked


@transaction.atomic
def skip_member(*, actor: Actor, now: datetime, member: RolloutMember) -> RolloutMember:
    """This function will leave a customer out, or, when it failed, leave it as it is and not wait for it."""
    require_partner(actor)
    locked = _lock_member(actor, member)
    if locked.status in (MemberStatus.DONE, MemberStatus.ROLLED_BACK, MemberStatus.SKIPPED):
        raise UnableToChangeRollout(
            f"This customer is {locked.get_status_display().lower()}: there is nothing to leave out."
        )
    has_it = locked.after_id is not None
    locked.status, locked.message = (MemberStatus.DONE, "Taken as it is") if has_it else (MemberStatus.SKIPPED, "")
    locked.save(update_fields=["status", "message"])
    audit_rollout(actor, now, locked.rollout, "rollout.member_skipped")
    schedule(kind=ROLLOUT_KIND, key=str(locked.rollout_id), due_at=now)
    return locked


@transaction.atomic
def answer_member(*, actor: Actor, now: datetime, member: RolloutMember, answers: Mapping[str, Any]) -> RolloutMember:
    """This function will take up a customer with what was missing. Raises UnableToRollOut with the setting to answer."""
    require_partner(actor)
    locked = _lock_member(actor, member)
    if locked.status != MemberStatus.NEEDS_ANSWER:
        raise UnableToChangeRollout("Nothing is asked for this customer.")
    given = {**locked.answers, **answers}
    plan = plan_upgrade(locked.integration, locked.rollout.version, given)
    if plan.problems:
        asked = plan.asked
        raise UnableToRollOut(plan.problems[0], field=asked[0].key if asked else "")
    locked.answers, locked.status, locked.message = given, MemberStatus.WAITING, ""
    locked.save(update_fields=["answers", "status", "message"])
    schedule(kind=ROLLOUT_KIND, key=str(locked.rollout_id), due_at=now)
    return locked


def _lock(actor: Actor, rollout: TemplateRollout, *allowed: str) -> TemplateRollout:
    require_partner(actor)
    locked = TemplateRollout.objects.select_for_update(of=("self",)).select_related("version").get(pk=rollout.pk)
    if locked.status not in allowed:
        raise UnableToChangeRollout(
            f"This rollout is {locked.get_status_display().lower()}. Reload the page for what can be done now."
        )
    return locked


def _lock_member(actor: Actor, member: RolloutMember) -> RolloutMember:
    TemplateRollout.objects.select_for_update().get(pk=member.rollout_id)
    related = RolloutMember.objects.visible_to(actor).select_related(
        "integration__customer", "rollout__version", "before", "after"
    )
    return get_visible(related, member.pk, "There is no such customer in this rollout.")
