"""A large first load, watched: its worker is killed, another goes on, a person stops it, and it is started once more.

`BENCH_VOLUME_RECORDS=100000` loads a hundred thousand records.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from apps.canonical.models import CanonicalRecord, CrossReference
from apps.core import clock
from apps.core.actor import Actor
from apps.flows.models import Flow
from apps.sync.engine.claim import STALE_AFTER
from apps.sync.models import RecordLog, RunStatus, SyncRun, WriteIntent
from apps.sync.selectors import RunProgress, run_progress
from apps.sync.services import cancel_run, reap_runs, start_run
from tests.bench.conftest import ROOT, SCHEMA
from tests.bench.measures import Measures
from tests.bench.test_bulk import flow
from tests.bench.test_dead_letters import taken

__all__ = ["flow"]
pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]
RECORDS = int(os.environ.get("BENCH_VOLUME_RECORDS", "10000"))
LOOK_SECONDS = 0.05


@pytest.fixture
def source() -> str:
    return "feed"


@pytest.fixture
def target() -> str:
    return "ledger"


@pytest.fixture(scope="module")
def vendor_url(start_vendor: Callable[[int], str]) -> str:
    return start_vendor(RECORDS)


class Load:
    """The load as a person sees it: the newest run, and what was told of its progress."""

    def __init__(self, flow: Flow, environment: dict[str, str]) -> None:
        self.flow, self.environment = flow, environment
        self.told: list[tuple[float, RunProgress]] = []

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "tests.bench.one_run", SCHEMA, str(self.flow.pk)]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def run(self) -> SyncRun:
        return SyncRun.objects.filter(flow=self.flow).latest("queued_at")

    def watch(self, process: subprocess.Popen[bytes], until: float = 2.0) -> SyncRun:
        """Looks on until this share of the records is read, or the worker has ended."""
        while process.poll() is None:
            run = self.run()
            self.told.append((time.monotonic(), run_progress(run, clock.now())))
            if self.loaded() >= until * RECORDS:
                break
            time.sleep(LOOK_SECONDS)
        return self.run()

    def loaded(self) -> int:
        return CanonicalRecord.objects.filter(environment=self.flow.environment).count()


def test_a_large_load_is_killed_stopped_and_finished(
    flow: Flow, owner_actor: Actor, vendor_url: str, environment_variables: dict[str, str], measures: Measures
) -> None:
    load, started = Load(flow, environment_variables), time.monotonic()
    first = start_run(actor=owner_actor, now=clock.now(), flow=flow)
    with load.worker() as process:
        killed = load.watch(process, until=0.3)
    assert (killed.pk, killed.status) == (first.pk, RunStatus.RUNNING)

    assert reap_runs(now=clock.now() + 2 * STALE_AFTER) == 1
    with load.worker() as process:
        cancel_run(actor=owner_actor, now=clock.now(), run=load.watch(process, until=0.6))
        stopped = load.watch(process)
    assert (stopped.pk, stopped.status, stopped.attempts) == (first.pk, RunStatus.CANCELED, 2)
    left = RECORDS - load.loaded()
    assert 0 < left < RECORDS * 0.7

    start_run(actor=owner_actor, now=clock.now(), flow=flow)
    with load.worker() as process:
        ended = load.watch(process)
    assert (ended.status, ended.error_message) == (RunStatus.SUCCEEDED, "")
    seconds = time.monotonic() - started

    assert_each_exactly_once(flow, vendor_url)
    assert_told(load)
    measures.exact("large load, killed and stopped on the way, each once", RECORDS, "records", expected=RECORDS)
    measures.note("large load with both interruptions", RECORDS / seconds, "records/s")


def assert_each_exactly_once(flow: Flow, vendor_url: str) -> None:
    arrived = {name: count for name, (count, _) in taken(vendor_url).items()}
    assert arrived == {f"Company {n} v1": 1 for n in range(1, RECORDS + 1)}
    records = CanonicalRecord.objects.filter(environment=flow.environment)
    assert records.count() == RECORDS
    assert CrossReference.objects.filter(record__environment=flow.environment).count() == 2 * RECORDS
    assert WriteIntent.objects.filter(flow=flow).count() == 0
    for direction in ("read", "write"):
        log = RecordLog.objects.filter(flow_id=flow.pk, direction=direction, action="created")
        assert (log.count(), log.values("record_id").distinct().count()) == (RECORDS, RECORDS), direction


def assert_told(load: Load) -> None:
    """While it ran the load told how far it was, how fast it went and how long it would still take."""
    told = [progress for _, progress in load.told if progress.eta_seconds is not None]
    assert told
    assert {progress.expected_count for progress in told} >= {RECORDS}
