from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.modernization import services


@shared_task(name="modernization.compare")
def compare(*, key: str, **_: object) -> None:
    services.carry_out_comparison(run_id=UUID(key), now=clock.now)
