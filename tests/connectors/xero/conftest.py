from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.connectors.vendors.xero import XeroConnector
from sandbox.testing import AccountControl, RunningSandbox, running_sandbox
from tests.connectors.xero.support import connect


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def control(server: RunningSandbox) -> AccountControl:
    found = server.control("xero", "acme")
    found.reset()
    return found


@pytest.fixture
def xero(server: RunningSandbox, control: AccountControl) -> XeroConnector:
    return connect(server, "acme")
