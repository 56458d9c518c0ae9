from __future__ import annotations

import pytest

from apps.connectors.vendors.stripe_billing import StripeConnector
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.stripe_billing.support import connect


@pytest.fixture
def server(sandbox: RunningSandbox) -> RunningSandbox:
    return sandbox


@pytest.fixture
def control(server: RunningSandbox) -> AccountControl:
    found = server.control("stripe_billing", "acme")
    found.reset()
    return found


@pytest.fixture
def stripe(server: RunningSandbox, control: AccountControl) -> StripeConnector:
    return connect(server, "acme")
