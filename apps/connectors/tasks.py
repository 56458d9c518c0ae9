from uuid import UUID

from celery import shared_task

from apps.connectors import services
from apps.core import clock


@shared_task(name="connectors.check_connection")
def check_connection(*, key: str, **_: object) -> None:
    services.run_scheduled_check(connection_id=UUID(key), now=clock.now())
