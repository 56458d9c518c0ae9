from celery import shared_task

from apps.core import clock
from apps.events import relaying


@shared_task(name="events.relay_outbox")
def relay_outbox(**_: object) -> int:
    return relaying.relay_outbox(now=clock.now())
