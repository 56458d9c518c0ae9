from __future__ import annotations

import pytest

from apps.connectors.vendors.chargebee import ChargebeeConnector
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.chargebee.support import connect


@pytest.fixture
def server(sandbox: RunningSandbox) -> RunningSandbox:
    return sandbox


@pytest.fixture
def control(server: RunningSandbox) -> AccountControl:
    found = server.control("chargebee", "acme")
    found.reset()
    return found


@pytest.fixture
def chargebee(server: RunningSandbox, control: AccountControl) -> ChargebeeConnector:
    return connect(server, "acme")
