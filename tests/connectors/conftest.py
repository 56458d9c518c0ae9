from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.connectors.services import deliveries
from sandbox.testing import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """Simulated vendors on a free loopback port; tests take accounts of their own in it."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_hook_addresses_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers whose an address is; what a test rolled back must not be remembered by the next."""
    monkeypatch.setattr(deliveries, "_routes", {})
    monkeypatch.setattr(deliveries, "_accounts", {})
