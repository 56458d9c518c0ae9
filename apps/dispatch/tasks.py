from celery import shared_task

from apps.core import clock
from apps.dispatch import sweeping


@shared_task(name="dispatch.sweep_outbox")
def sweep_outbox(**_: object) -> int:
    return sweeping.sweep(now=clock.now())
