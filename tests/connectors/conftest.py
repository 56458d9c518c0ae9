from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.testing import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """Simulated vendors on a free loopback port; tests take accounts of their own in it."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running
