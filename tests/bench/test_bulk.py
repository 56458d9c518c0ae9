"""Bulk sync: pull, map, match, cross-reference, write in batches, full record log; then the same again, unchanged."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.connectors import registry
from apps.connectors.services import create_connection
from apps.core import clock
from apps.core.actor import Actor
from apps.core.bulk import fetch_rows
from apps.customers.models import Environment, EnvironmentKind
from apps.customers.services import create_customer
from apps.flows.models import Flow, IntegrationTemplate, IntegrationTemplateVersion
from apps.flows.services import deploy_integration, go_live
from apps.sync.models import RecordLog, RunStatus, SyncRun
from apps.sync.services import run_due_flow, start_run
from tests.bench.bare_loop import BareLoop
from tests.bench.fast_vendor import CONNECTORS
from tests.bench.measures import Measures

pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]

TEMPLATE: dict[str, Any] = {
    "key": "bulk", "version": "1.0.0", "name": "Bulk", "summary": "", "documentation": "",
    "roles": {"crm": {"domain": "crm", "label": "CRM", "help": ""}, "erp": {"domain": "erp", "label": "ERP", "help": ""}},
    "settings": [],
    "flows": [
        {
            "key": "bulk", "name": "Bulk", "description": "", "schedule_seconds": 300,
            "reads": [{"role": "crm", "entity": "account"}], "rules": [{"on": "account", "write": {"role": "erp"}}],
        }
    ],
}  # fmt: skip


@pytest.fixture
def source() -> str:
    """The vendor to read from."""
    return "source"


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch, owner_actor: Actor, vendor_url: str, source: str, target: str) -> Flow:
    known = {**registry.connectors(), **CONNECTORS}
    monkeypatch.setattr(registry, "connectors", lambda: known)
    now = clock.now()
    customer = create_customer(actor=owner_actor, now=now, name="Bulk", currency="EUR")
    environment = Environment.objects.get(customer=customer, kind=EnvironmentKind.PRODUCTION)
    roles = {
        role: create_connection(
            actor=owner_actor, now=now, environment=environment, vendor=vendor, name=vendor, secrets={},
            settings={"base_url": vendor_url, "version": "1"},
        )
        for role, vendor in (("crm", source), ("erp", target))
    }  # fmt: skip
    template, _ = IntegrationTemplate.objects.get_or_create(key="bulk", name="Bulk")
    version, _ = IntegrationTemplateVersion.objects.get_or_create(
        template=template, number="1.0.0", defaults={"definition": TEMPLATE, "released_at": now}
    )
    integration = deploy_integration(
        actor=owner_actor, now=now, environment=environment, template_version=version, name="", bindings=roles,
        settings={},
    )  # fmt: skip
    go_live(actor=owner_actor, now=now, integration=integration)
    return Flow.objects.select_related("integration", "environment", "customer", "current_version").get(
        integration=integration
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    outcome = work()
    return time.perf_counter() - started, outcome


def busy() -> float:
    """Seconds of CPU that this process and its database connection have used."""
    pid = fetch_rows("SELECT pg_backend_pid()", [])[0][0]
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def resident() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_bulk_sync(flow: Flow, owner_actor: Actor, vendor_url: str, record_count: int, measures: Measures) -> None:
    bare = BareLoop(vendor_url)
    for _ in bare.pages("1"):  # the vendor makes its pages
        pass
    bare_busy = busy()
    bare_seconds, count = timed(lambda: bare.sync("1"))
    bare_busy = busy() - bare_busy
    assert count == record_count
    bare_unchanged, _ = timed(lambda: bare.sync("1"))

    memory, own_busy = resident(), busy()
    seconds, run = timed(lambda: run_once(flow, owner_actor))
    grown, own_busy = resident() - memory, busy() - own_busy
    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    # Every record is logged twice: as read and as written.
    assert (run.read_count, run.created_count, RecordLog.objects.filter(run_id=run.pk).count()) == (
        record_count, 2 * record_count, 2 * record_count,
    )  # fmt: skip
    again, second = timed(lambda: run_once(flow, owner_actor))
    assert (second.status, second.created_count, second.updated_count) == (RunStatus.SUCCEEDED, 0, 0)

    limit, unchanged_limit = record_count / bare_seconds, record_count / bare_unchanged
    measures.rate("bulk sync, new records", record_count / seconds, "records/s", limit=limit, least=5000, share=0.45)
    cpu, bare_cpu = (1_000_000 * spent / record_count for spent in (own_busy, bare_busy))
    # What else the machine does changes this least.
    measures.time("bulk sync, CPU per record with its database", cpu, "µs", most=bare_cpu / 0.45, limit=bare_cpu)
    measures.rate("unchanged records read again", record_count / again, "records/s", limit=unchanged_limit, least=25000)
    measures.time("memory grown by a bulk sync", grown, "MB", most=50)


def run_once(flow: Flow, actor: Actor) -> SyncRun:
    start_run(actor=actor, now=clock.now(), flow=flow)
    run = run_due_flow(flow_id=flow.pk, now=clock.now())
    assert run is not None
    return run
