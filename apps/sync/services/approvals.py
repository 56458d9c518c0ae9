"""Releasing and refusing what waits for a person. The write itself is planned by the flow's next run."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_audit
from apps.canonical.models import CanonicalRecord
from apps.canonical.services.questions import touch_records
from apps.canonical.workspace import lock_environment
from apps.core.actor import Actor, ActorKind
from apps.core.errors import AnticipatedError, Conflict, NotPermitted
from apps.flows.models import Flow, IntegrationStatus
from apps.sync.engine.hashing import digest
from apps.sync.models import ApprovalRequest, ApprovalStatus
from apps.sync.services.runs import make_due

MAX_REASON = 500


class UnableToApprove(Conflict):
    """It is decided already, or the record has changed since it was shown."""


class ReasonMissing(AnticipatedError):
    """Who refuses says why: somebody has to mend it."""


def approve(*, actor: Actor, now: datetime, approval: ApprovalRequest, reason: str = "") -> ApprovalRequest:
    """This function will let the record be written as it was shown. Raises UnableToApprove, NotPermitted, NotVisible."""
    return _decide(actor, now, approval, ApprovalStatus.RELEASED, reason)


def reject(*, actor: Actor, now: datetime, approval: ApprovalRequest, reason: str) -> ApprovalRequest:
    """This function will keep the record from being written until it changes. Raises ReasonMissing, UnableToApprove."""
    if not reason.strip():
        raise ReasonMissing("Say why, so that somebody can mend it.", field="reason")
    return _decide(actor, now, approval, ApprovalStatus.REJECTED, reason)


@transaction.atomic
def _decide(
    actor: Actor, now: datetime, approval: ApprovalRequest, status: ApprovalStatus, reason: str
) -> ApprovalRequest:
    actor.require("approvals.decide")
    actor.require_sight(approval.customer_id, "There is no such request.")
    if (approval.audience == "customer") != (actor.scope is not None):
        raise NotPermitted("The customer decides this." if actor.scope is None else "Your service team decides this.")
    if approval.audience == "customer" and actor.kind is ActorKind.API_KEY:
        # Keys are made by the partner's people, whichever customer they are bound to.
        raise NotPermitted("The customer's own people decide this, in their portal: no API key does it for them.")
    lock_environment(approval.environment_id)
    locked = ApprovalRequest.objects.select_for_update().get(pk=approval.pk)
    if locked.status != ApprovalStatus.OPEN:
        raise UnableToApprove(
            f"This is decided already: {locked.get_status_display().lower()}. Go back to the list for what still waits for a decision."
        )
    if status == ApprovalStatus.RELEASED and not _is_as_shown(locked):
        raise UnableToApprove("It has changed since it was shown. The next run asks again with what it is now.")
    locked.status, locked.decided_at, locked.decided_by_label = status, now, actor.signature[:200]
    locked.reason = reason.strip()[:MAX_REASON]
    locked.save(update_fields=["status", "decided_at", "decided_by_label", "reason"])
    touch_records([locked.record_id], now)
    _make_due(locked.flow, now)
    record_audit(
        actor=actor, action=f"approval.{status}", target_key=f"record:{locked.record_id}", target_label=locked.title,
        owner_key=locked.owner_key, now=now,
        after={"question": locked.question, "shown": locked.shown, "reason": locked.reason},
    )  # fmt: skip
    return locked


def _is_as_shown(approval: ApprovalRequest) -> bool:
    record = CanonicalRecord.objects.filter(pk=approval.record_id).first()
    if record is None:
        return False
    return digest({name: record.data.get(name) for name in approval.shown}) == approval.digest


def _make_due(flow: Flow, now: datetime) -> None:
    if flow.is_enabled and flow.integration.status == IntegrationStatus.LIVE:
        make_due(flow.pk, now)
