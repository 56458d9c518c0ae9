"""Ten thousand dead letters replayed: every record arrives once, in its newest version."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Callable

import orjson
import pytest

from apps.connectors.models import Connection
from apps.core import clock
from apps.core.actor import Actor
from apps.flows.models import Flow
from apps.sync.desk import retry_progress
from apps.sync.models import FailureRetry, FailureStatus, RecordFailure, RunStatus
from apps.sync.services import carry_out_retry, start_retry
from tests.bench.measures import Measures
from tests.bench.test_bulk import flow, run_once, source
from tests.factories.askers import owner, owner_actor

__all__ = ["flow", "owner", "owner_actor", "source"]
pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def record_count() -> int:
    return min(int(os.environ.get("BENCH_RECORDS", "20000")), 10_000)


@pytest.fixture(scope="module")
def vendor_url(record_count: int, start_vendor: Callable[[int], str]) -> str:
    return start_vendor(record_count)


def tell(vendor_url: str, path: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{vendor_url}{path}", method="POST", data=b""), timeout=10).close()


def taken(vendor_url: str) -> dict[str, list[float]]:
    with urllib.request.urlopen(f"{vendor_url}/taken", timeout=10) as answer:
        found: dict[str, list[float]] = orjson.loads(answer.read())
    return found


def test_replaying(flow: Flow, owner_actor: Actor, vendor_url: str, record_count: int, measures: Measures) -> None:
    tell(vendor_url, "/refuse?on=1")
    for version in ("1", "2"):
        Connection.objects.filter(vendor="source").update(settings={"base_url": vendor_url, "version": version})
        started = time.perf_counter()
        assert run_once(flow, owner_actor).status == RunStatus.PARTIAL
        refused_rate = record_count / (time.perf_counter() - started)
    dead = list(RecordFailure.objects.filter(flow=flow, status=FailureStatus.OPEN).values_list("pk", flat=True))
    assert len(dead) == record_count

    tell(vendor_url, "/refuse?on=0")
    started = time.perf_counter()
    retry = start_retry(
        actor=owner_actor, now=clock.now(), failures=RecordFailure.objects.filter(flow=flow), label="All"
    )  # fmt: skip
    answered = time.perf_counter()
    carry_out_retry(retry_id=retry.pk, now=clock.now)
    marked = time.perf_counter()
    run = run_once(flow, owner_actor)
    rate = record_count / (time.perf_counter() - started)

    progress = retry_progress(FailureRetry.objects.get(pk=retry.pk))
    assert (run.status, run.created_count) == (RunStatus.SUCCEEDED, record_count)
    assert (progress.total, progress.resolved, progress.waiting) == (record_count, record_count, 0)
    measures.time("answer to who asks for all dead letters", answered - started, "s", most=1)
    measures.time("all dead letters marked in the background", marked - answered, "s", most=30)
    assert RecordFailure.objects.filter(flow=flow).exclude(status=FailureStatus.RESOLVED).count() == 0
    arrived = {name: count for name, (count, _) in taken(vendor_url).items()}
    assert arrived == {f"Company {n} v2": 1 for n in range(1, record_count + 1)}
    measures.exact("dead letters replayed, each once and newest", len(arrived), "records", expected=record_count)
    measures.rate("dead letters replayed per second", rate, "records/s", limit=refused_rate, least=1)
