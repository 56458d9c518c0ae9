from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from apps.audit.models import AuditEvent
from apps.core import correlation
from apps.core.actor import Actor


class Audited(Protocol):
    """What an event can be about: `subject_key` names it, `owner_key` whose it is; people know it by its text."""

    @property
    def subject_key(self) -> str: ...

    @property
    def owner_key(self) -> str: ...


def record_change(
    *,
    actor: Actor,
    now: datetime,
    target: Audited,
    action: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """This function will append an event about something that knows its own names."""
    return record_audit(
        actor=actor, action=action, target_key=target.subject_key, target_label=str(target), owner_key=target.owner_key,
        before=before, after=after, now=now,
    )  # fmt: skip


def record_audit(
    *,
    actor: Actor,
    action: str,
    target_key: str,
    now: datetime,
    target_label: str = "",
    owner_key: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """This function will append one event to the trail, in the caller's transaction.

    `target_key` and `owner_key` are opaque subject keys (`customer:<id>`); secrets never go into before or after.
    """
    return AuditEvent.objects.create(
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        target_key=target_key,
        target_label=target_label,
        owner_key=owner_key,
        before=before,
        after=after,
        request_id=correlation.request_id(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What one of many equal actions was done to."""

    target_key: str
    target_label: str = ""
    owner_key: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def record_audits(*, actor: Actor, action: str, now: datetime, entries: Sequence[AuditEntry]) -> None:
    """Like `record_audit`, for one action on many targets."""
    request_id = correlation.request_id()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=now, actor_kind=actor.kind, actor_id=actor.id, actor_label=actor.label, action=action,
            target_key=entry.target_key, target_label=entry.target_label, owner_key=entry.owner_key,
            before=entry.before, after=entry.after, request_id=request_id,
        )
        for entry in entries
    )  # fmt: skip
