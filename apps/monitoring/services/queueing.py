"""When environments are looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from apps.customers.models import Environment, EnvironmentKind
from apps.dispatch.services import schedule

KIND = "monitoring.evaluate"
PRIORITY = 6
# Flows that react to events end many times a second: one look serves all that ended meanwhile, and its lock, which is
# that of whoever changes the records, is seldom in their way.
TOGETHER = timedelta(seconds=5)
EVERYWHERE_PER_SECOND = 10


def evaluate_soon(*, environment_id: UUID, now: datetime) -> None:
    """This function will have the environment evaluated shortly, once for all that asked meanwhile."""
    schedule(kind=KIND, key=str(environment_id), due_at=now + TOGETHER, priority=PRIORITY)


def evaluate_everywhere(*, now: datetime) -> None:
    """This function will have every customer's production evaluated, not all at once where there are many."""
    environments = Environment.objects.filter(kind=EnvironmentKind.PRODUCTION, customer__archived_at=None)
    for number, pk in enumerate(environments.order_by("id").values_list("pk", flat=True)):
        due_at = now + timedelta(seconds=number // EVERYWHERE_PER_SECOND)
        schedule(kind=KIND, key=str(pk), due_at=due_at, priority=PRIORITY)
