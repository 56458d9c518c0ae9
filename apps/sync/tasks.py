from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.sync import services


@shared_task(name="sync.run_due_flow")
def run_due_flow(*, key: str, **_: object) -> None:
    services.run_due_flow(flow_id=UUID(key), now=clock.now())


@shared_task(name="sync.run_on_deliveries")
def run_on_deliveries(*, key: str, **_: object) -> None:
    services.run_on_deliveries(key=key, now=clock.now())


@shared_task(name="sync.carry_on_plan")
def carry_on_plan(*, key: str, **_: object) -> None:
    services.carry_on_plan(plan_id=UUID(key), now=clock.now())


@shared_task(name="sync.reap_runs")
def reap_runs(*, key: str, **_: object) -> None:
    services.reap_runs(now=clock.now())
