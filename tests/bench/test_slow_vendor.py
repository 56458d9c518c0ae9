"""A system that takes its time to answer: several calls under way at once, beside one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from apps.connectors.services import calls_at_once
from apps.core.actor import Actor
from apps.flows.models import Flow
from apps.sync.models import RunStatus
from tests.bench.fast_vendor import BATCH_SIZE
from tests.bench.measures import Measures
from tests.bench.test_bulk import flow, run_once, source
from tests.bench.test_dead_letters import tell

__all__ = ["flow", "source"]
pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]
RECORDS, ANSWERS_AFTER_MS = 4000, 200


@pytest.fixture(scope="module")
def vendor_url(start_vendor: Callable[[int], str]) -> str:
    return start_vendor(RECORDS)


def test_writing_to_a_slow_vendor(flow: Flow, owner_actor: Actor, vendor_url: str, measures: Measures) -> None:
    tell(vendor_url, f"/slow?ms={ANSWERS_AFTER_MS}")
    started = time.perf_counter()
    run = run_once(flow, owner_actor)
    seconds = time.perf_counter() - started

    assert (run.status, run.created_count) == (RunStatus.SUCCEEDED, 2 * RECORDS)
    one_by_one = RECORDS / BATCH_SIZE * ANSWERS_AFTER_MS / 1000
    name = f"written to a vendor that takes {ANSWERS_AFTER_MS} ms, {calls_at_once('target')} calls at once"
    measures.rate(name, RECORDS / seconds, "records/s", limit=RECORDS / one_by_one, least=0, share=1.0)
