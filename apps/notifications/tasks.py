from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.notifications.services.mails import deliver_mail
from apps.notifications.services.queueing import prune_deliveries
from apps.notifications.services.sending import work_endpoint


@shared_task(name="notifications.send")
def send(*, key: str, **_: object) -> None:
    deliver_mail(mail_id=UUID(key), now=clock.now())


@shared_task(name="notifications.deliver_webhooks")
def deliver_webhooks(*, key: str, **_: object) -> None:
    work_endpoint(endpoint_id=UUID(key), now=clock.now())


@shared_task(name="notifications.prune_webhooks")
def prune_webhooks(**_: object) -> None:
    prune_deliveries(now=clock.now())
