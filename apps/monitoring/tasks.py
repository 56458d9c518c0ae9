from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.monitoring import services


@shared_task(name="monitoring.evaluate")
def evaluate(*, key: str, **_: object) -> None:
    services.evaluate_environment(environment_id=UUID(key), now=clock.now())
