from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.notifications import services


@shared_task(name="notifications.send")
def send(*, key: str, **_: object) -> None:
    services.deliver_mail(mail_id=UUID(key), now=clock.now())
