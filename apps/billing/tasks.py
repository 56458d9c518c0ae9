from celery import shared_task

from apps.billing.services import invoices
from apps.core import clock


@shared_task(name="billing.close_period")
def close_period(*, key: str, **_: object) -> None:
    invoices.close_period(period_id=key, now=clock.now())
