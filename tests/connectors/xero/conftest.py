from __future__ import annotations

import pytest

from apps.connectors.vendors.xero import XeroConnector
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.xero.support import connect


@pytest.fixture
def server(sandbox: RunningSandbox) -> RunningSandbox:
    return sandbox


@pytest.fixture
def control(server: RunningSandbox) -> AccountControl:
    found = server.control("xero", "acme")
    found.reset()
    return found


@pytest.fixture
def xero(server: RunningSandbox, control: AccountControl) -> XeroConnector:
    return connect(server, "acme")
