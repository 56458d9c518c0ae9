from celery import shared_task

from apps.billing.services import deliveries, invoices
from apps.core import clock


@shared_task(name="billing.close_period")
def close_period(*, key: str, **_: object) -> None:
    invoices.close_due_periods(period_id=key, now=clock.now())


@shared_task(name="billing.deliver_invoice")
def deliver_invoice(*, key: str, **_: object) -> None:
    deliveries.deliver_invoice(invoice_id=key, now=clock.now())
