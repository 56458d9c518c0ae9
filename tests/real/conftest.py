"""Real servers, one of each per test run. Where one cannot run, its tests are skipped; in CI that is a failure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.real.servers import RealServer, Unavailable, start_bottlecrm, start_redmine, start_tryton


@pytest.fixture(scope="session")
def tryton_server() -> Iterator[RealServer]:
    yield from _running(start_tryton)


@pytest.fixture(scope="session")
def redmine_server() -> Iterator[RealServer]:
    yield from _running(start_redmine)


@pytest.fixture(scope="session")
def bottlecrm_server() -> Iterator[RealServer]:
    yield from _running(start_bottlecrm)


def _running(start: Callable[[], RealServer]) -> Iterator[RealServer]:
    try:
        server = start()
    except Unavailable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    try:
        yield server
    finally:
        server.stop()
