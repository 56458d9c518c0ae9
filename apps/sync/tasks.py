from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.core.prepared import prepared_statements
from apps.sync import services
from apps.sync.services.purging import keep_lease


@shared_task(name="sync.run_due_flow")
def run_due_flow(*, key: str, **_: object) -> None:
    services.run_due_flow(flow_id=UUID(key), now=clock.now())


@shared_task(name="sync.run_on_deliveries")
def run_on_deliveries(*, key: str, **_: object) -> None:
    with prepared_statements():
        services.run_on_deliveries(key=key, now=clock.now())


@shared_task(name="sync.carry_on_plan")
def carry_on_plan(*, key: str, **_: object) -> None:
    services.carry_on_plan(plan_id=UUID(key), now=clock.now())


@shared_task(name="sync.reap_runs")
def reap_runs(*, key: str, **_: object) -> None:
    services.reap_runs(now=clock.now())


@shared_task(name="sync.carry_out_retry")
def carry_out_retry(*, key: str, **_: object) -> None:
    services.carry_out_retry(retry_id=UUID(key), now=clock.now)


@shared_task(name="sync.make_export")
def make_export(*, key: str, **_: object) -> None:
    services.make_export(export_id=UUID(key), now=clock.now)


@shared_task(name="sync.expire_export")
def expire_export(*, key: str, **_: object) -> None:
    services.expire_export(export_id=UUID(key))


@shared_task(name="sync.purge_logs")
def purge_logs(*, key: str, **_: object) -> None:
    services.purge_logs(now=clock.now(), go_on=lambda: keep_lease(clock.now()))


@shared_task(name="sync.advance_rollout")
def advance_rollout(*, key: str, **_: object) -> None:
    services.advance_rollout(rollout_id=UUID(key), now=clock.now())
