from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apps.connectors.services import pause_connections_of
from apps.core import clock

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent


def on_customer_archived(event: OutboxEvent) -> None:
    pause_connections_of(customer_id=UUID(event.payload["customer_id"]), now=clock.now())
