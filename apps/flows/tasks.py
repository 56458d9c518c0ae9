from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.flows import services


@shared_task(name="flows.carry_out_publication")
def carry_out_publication(*, key: str, **_: object) -> None:
    services.carry_out_publication(publication_id=UUID(key), now=clock.now)
