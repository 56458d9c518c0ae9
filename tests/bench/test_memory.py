"""A worker's memory over a long run: what it holds at the end beside what it held after a tenth of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.core.actor import Actor
from apps.flows.models import Flow
from apps.sync.models import RunStatus
from tests.bench.measures import Measures
from tests.bench.test_bulk import flow, run_once, source

__all__ = ["flow", "source"]
pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.enable_socket]
RECORDS = int(os.environ.get("BENCH_MEMORY_RECORDS", "100000"))
EVERY_SECONDS = 0.2


class Watch:
    """Looks at this process's resident size again and again."""

    def __init__(self) -> None:
        self.sizes: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


@pytest.fixture(scope="module")
def vendor_url(start_vendor: Callable[[int], str]) -> str:
    return start_vendor(RECORDS)


def test_memory_stays_flat(flow: Flow, owner_actor: Actor, measures: Measures) -> None:
    with Watch() as watch:
        run = run_once(flow, owner_actor)

    assert (run.status, run.read_count) == (RunStatus.SUCCEEDED, RECORDS)
    tenth = max(1, len(watch.sizes) // 10)
    early, late = max(watch.sizes[: 2 * tenth]), max(watch.sizes[-tenth:])
    measures.time(f"worker memory, end of {RECORDS:,} records", late, "MB", most=early * 1.2, limit=early)
