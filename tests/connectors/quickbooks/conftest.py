from __future__ import annotations

import pytest

from apps.connectors.vendors.quickbooks import QuickBooksConnector
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.quickbooks.support import connect


@pytest.fixture
def server(sandbox: RunningSandbox) -> RunningSandbox:
    return sandbox


@pytest.fixture
def control(server: RunningSandbox) -> AccountControl:
    found = server.control("quickbooks", "acme")
    found.reset()
    return found


@pytest.fixture
def quickbooks(server: RunningSandbox, control: AccountControl) -> QuickBooksConnector:
    return connect(server, "acme")
