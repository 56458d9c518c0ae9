from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.audit.models import AuditEvent
from apps.core import correlation
from apps.core.actor import Actor


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
