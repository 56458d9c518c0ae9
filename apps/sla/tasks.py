from celery import shared_task

from apps.core import clock
from apps.sla import services


@shared_task(name="sla.close_month")
def close_month(*, key: str, **_: object) -> None:
    services.close_due_month(customer_id=key, now=clock.now())
