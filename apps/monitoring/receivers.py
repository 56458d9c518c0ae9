from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apps.core import clock
from apps.flows.models import Flow
from apps.monitoring.services import evaluate_soon

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent


def on_run_finished(event: OutboxEvent) -> None:
    if not event.payload.get("is_production"):
        return
    environment = Flow.objects.filter(pk=event.payload["flow_id"]).values_list("environment_id", flat=True).first()
    if environment is not None:
        evaluate_soon(environment_id=UUID(str(environment)), now=clock.now())
