"""Working off failed records together: who looks after them, what is put off, left or taken up again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from apps.accounts.models import StaffMembership
from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.sync.models import UNSOLVED, FailureNote, FailureStatus, NoteKind, RecordFailure
from apps.sync.services.failures import note_failures

LONGEST_SNOOZE = timedelta(days=3653)
MOST_TIMES = 1000


class UnableToAssign(Conflict):
    """The person is not a colleague."""


class UnableToComment(Conflict):
    """There is nothing to say."""


class UnableToSnooze(Conflict):
    """The time is not ahead, or nothing is open."""


class UnableToIgnore(Conflict):
    """No reason was given, or nothing is open."""


class UnableToReopen(Conflict):
    """The failure was not ignored, or the record failed again since."""


@transaction.atomic
def assign_failures(
    *, actor: Actor, now: datetime, failures: QuerySet[RecordFailure], assignee_id: UUID | None
) -> int:  # fmt: skip
    """This function will give the unsolved ones to a colleague (by user id), or to nobody; returns how many.

    Raises UnableToAssign.
    """
    chosen = _locked(actor, failures, UNSOLVED)
    label = ""
    if assignee_id is not None:
        member = (
            StaffMembership.objects.select_related("user").filter(user_id=assignee_id, user__is_active=True).first()
        )
        if member is None:
            raise UnableToAssign("There is no such colleague.", field="assignee")
        label = str(member.user)
    chosen.update(assignee_id=assignee_id, assignee_label=label)
    return _tell(actor, chosen, NoteKind.ASSIGNED, label or "nobody", now)


@transaction.atomic
def comment_failure(*, actor: Actor, now: datetime, failure: RecordFailure, text: str) -> FailureNote:
    """Raises UnableToComment, NotVisible."""
    actor.require("errors.resolve")
    actor.require_sight(failure.customer_id, "There is no such entry.")
    if not text.strip():
        raise UnableToComment("Write something first.", field="text")
    return FailureNote.objects.create(
        failure=failure, customer_id=failure.customer_id, environment_id=failure.environment_id, kind=NoteKind.COMMENT,
        text=text.strip()[:2000], by_label=actor.label, at=now,
    )  # fmt: skip


@transaction.atomic
def snooze_failures(
    *, actor: Actor, now: datetime, failures: QuerySet[RecordFailure], until: datetime | None = None, times: int = 0
) -> int:  # fmt: skip
    """This function will keep the unsolved ones out of sight until a time, or until each failed `times` more.

    They are tried again meanwhile like any others. Returns how many. Raises UnableToSnooze.
    """
    if (until is None) == (times == 0):
        raise UnableToSnooze("Choose a time, or how often it may happen again.", field="until")
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise UnableToSnooze("Choose a time that is ahead, by ten years at most.", field="until")
    if not 0 <= times <= MOST_TIMES:
        raise UnableToSnooze(f"Choose a number from 1 to {MOST_TIMES}.", field="times")
    chosen = _locked(actor, failures, UNSOLVED)
    chosen.update(snoozed_until=until, snoozed_attempts=F("attempts") + times if times else None)
    text = f"until {until:%Y-%m-%d %H:%M} UTC" if until else f"until it fails {times} more time{'s' * (times > 1)}"
    return _tell(actor, chosen, NoteKind.SNOOZED, text, now)


@transaction.atomic
def wake_failures(*, actor: Actor, now: datetime, failures: QuerySet[RecordFailure]) -> int:
    """This function will bring snoozed ones back into sight; returns how many."""
    snoozed = failures.filter(Q(snoozed_until__isnull=False) | Q(snoozed_attempts__isnull=False))
    chosen = _locked(actor, snoozed, UNSOLVED)
    chosen.update(snoozed_until=None, snoozed_attempts=None)
    return _tell(actor, chosen, NoteKind.WOKEN, "", now)


@transaction.atomic
def ignore_failures(*, actor: Actor, now: datetime, failures: QuerySet[RecordFailure], reason: str) -> int:
    """This function will leave the records as they are, for as long as they fail for the same cause.

    Returns how many. Raises UnableToIgnore.
    """
    words = reason.strip()[:300]
    if not words:
        raise UnableToIgnore("Say why these can be left.", field="reason")
    chosen = _locked(actor, failures, UNSOLVED)
    chosen.update(
        status=FailureStatus.IGNORED, ignore_reason=words, resolved_at=now, resolved_by_label=actor.label, retry=None
    )
    return _tell(actor, chosen, NoteKind.IGNORED, words, now)


@transaction.atomic
def reopen_failures(*, actor: Actor, now: datetime, failures: QuerySet[RecordFailure]) -> int:
    """This function will take ignored ones up again; returns how many. Raises UnableToReopen.

    One whose record has failed anew since stays as it is: the newer entry is open already.
    """
    newer = RecordFailure.objects.filter(
        flow=OuterRef("flow"), connection=OuterRef("connection"), direction=OuterRef("direction"),
        object_name=OuterRef("object_name"), external_id=OuterRef("external_id"), status__in=UNSOLVED,
    ).filter(Q(record_id=OuterRef("record_id")) | Q(record_id__isnull=True))  # fmt: skip
    chosen = _locked(actor, failures.filter(~Exists(newer)), (FailureStatus.IGNORED,))
    reopened = chosen.update(status=FailureStatus.OPEN, ignore_reason="", resolved_at=None, resolved_by_label="")
    if not reopened:
        raise UnableToReopen("Only an ignored entry whose record has not failed anew can be reopened.")
    return _tell(actor, chosen, NoteKind.REOPENED, "", now)


def _locked(
    actor: Actor, failures: QuerySet[RecordFailure], statuses: tuple[FailureStatus, ...]
) -> QuerySet[RecordFailure]:  # fmt: skip
    """The visible ones among them in one of the states, nobody else's to change until the transaction ends."""
    actor.require("errors.resolve")
    visible = RecordFailure.objects.visible_to(actor).filter(
        pk__in=failures.order_by().values("pk"), status__in=statuses
    )
    ids = list(visible.select_for_update(of=("self",)).order_by("id").values_list("pk", flat=True))
    found: QuerySet[RecordFailure] = RecordFailure.objects.filter(pk__in=ids)
    return found


def _tell(actor: Actor, chosen: QuerySet[RecordFailure], kind: NoteKind, text: str, now: datetime) -> int:
    """This function will note what was done on each record, and once per customer in the trail; returns how many."""
    note_failures(actor.label, chosen, kind, text, now)
    customers = list(chosen.values_list("customer_id", flat=True))
    for customer_id in sorted(set(customers)):
        record_audit(
            actor=actor, action=f"failures.{kind.value}", target_key="failures", owner_key=f"customer:{customer_id}",
            after={"count": customers.count(customer_id), "text": text}, now=now,
        )  # fmt: skip
    return len(customers)
