from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apps.core import clock
from apps.flows.services.release_rules import tell_of_access, tell_of_member

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent


def on_access_changed(event: OutboxEvent) -> None:
    told = event.payload
    tell_of_access(
        connection_id=UUID(told["connection_id"]), by=told["by"], by_ids=told["by_ids"], key=str(event.pk),
        now=clock.now(),
    )  # fmt: skip


def on_member_joined(event: OutboxEvent) -> None:
    told = event.payload
    tell_of_member(
        invitation_id=UUID(told["invitation"]), user_id=told["user"], key=str(event.pk), now=clock.now()
    )  # fmt: skip
