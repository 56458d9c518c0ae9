"""What people do about an exception. Whether it is one is the rules' affair alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.models import StaffMembership
from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.monitoring.models import BusinessException, ExceptionStatus

LONGEST_SNOOZE = timedelta(days=3653)


class UnableToHandle(Conflict):
    """The exception is not in a state for this, or nothing sensible was given."""


@transaction.atomic
def assign_exception(
    *, actor: Actor, now: datetime, exception: BusinessException, assignee_id: UUID | None
) -> BusinessException:
    """This function will give it to a colleague, or to nobody. Raises UnableToHandle."""
    locked = _lock(actor, exception)
    member = StaffMembership.objects.select_related("user").filter(user_id=assignee_id).first() if assignee_id else None
    if assignee_id and member is None:
        raise UnableToHandle("There is no such colleague.", field="assignee")
    before = locked.assignee_label
    locked.assignee = member.user if member else None
    locked.assignee_label = str(member.user) if member else ""
    return _save(actor, now, locked, "assigned", {"to": before}, {"to": locked.assignee_label or "nobody"})


@transaction.atomic
def snooze_exception(
    *, actor: Actor, now: datetime, exception: BusinessException, until: datetime
) -> BusinessException:
    """This function will keep it out of sight until then. Raises UnableToHandle."""
    locked = _lock(actor, exception)
    if locked.status != ExceptionStatus.OPEN:
        raise UnableToHandle(
            "Only an open exception can be snoozed. Reload the page to see what a colleague did with it."
        )
    if not now < until <= now + LONGEST_SNOOZE:
        raise UnableToHandle("Choose a time that is ahead, by ten years at most.", field="until")
    locked.snoozed_until = until
    return _save(actor, now, locked, "snoozed", None, {"until": until.isoformat()})


@transaction.atomic
def wake_exception(*, actor: Actor, now: datetime, exception: BusinessException) -> BusinessException:
    """This function will bring a snoozed one back. Raises UnableToHandle."""
    locked = _lock(actor, exception)
    if not locked.is_snoozed(now):
        raise UnableToHandle("The exception is not snoozed any more. Reload the page to see where it stands.")
    locked.snoozed_until = None
    return _save(actor, now, locked, "woken", None, None)


@transaction.atomic
def ignore_exception(*, actor: Actor, now: datetime, exception: BusinessException, reason: str) -> BusinessException:
    """This function will leave it be for as long as the rule holds without a break. Raises UnableToHandle."""
    locked = _lock(actor, exception)
    if not reason.strip():
        raise UnableToHandle("Say why, for whoever asks later.", field="reason")
    if locked.status != ExceptionStatus.OPEN:
        raise UnableToHandle(
            "Only an open exception can be ignored. Reload the page to see what a colleague did with it."
        )
    locked.status, locked.ignore_reason, locked.snoozed_until = ExceptionStatus.IGNORED, reason.strip()[:300], None
    return _save(actor, now, locked, "ignored", None, {"reason": locked.ignore_reason})


@transaction.atomic
def reopen_exception(*, actor: Actor, now: datetime, exception: BusinessException) -> BusinessException:
    """This function will take an ignored one up again. Raises UnableToHandle."""
    locked = _lock(actor, exception)
    if locked.status != ExceptionStatus.IGNORED:
        raise UnableToHandle("Only an ignored exception can be taken up again. Reload the page to see where it stands.")
    locked.status, locked.ignore_reason = ExceptionStatus.OPEN, ""
    return _save(actor, now, locked, "reopened", None, None)


def _lock(actor: Actor, exception: BusinessException) -> BusinessException:
    actor.require("exceptions.resolve")
    locked: BusinessException = (
        BusinessException.objects.select_for_update(of=("self",)).select_related("rule").get(pk=exception.pk)
    )
    if locked.status == ExceptionStatus.RESOLVED:
        raise UnableToHandle("It is resolved: the rule no longer holds for the record.")
    return locked


def _save(
    actor: Actor, now: datetime, exception: BusinessException, what: str, before: Any, after: Any
) -> BusinessException:
    exception.save()
    record_change(actor=actor, now=now, target=exception, action=f"exception.{what}", before=before, after=after)
    return exception
