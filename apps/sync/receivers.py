from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apps.core import clock
from apps.sync.services import note_change

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent


def on_webhook_received(event: OutboxEvent) -> None:
    note_change(
        connection_id=UUID(event.payload["connection_id"]),
        streams=list(event.payload.get("streams") or []),
        now=clock.now(),
    )
