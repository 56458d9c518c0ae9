from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.connectwise.harness import ConnectWiseHarness


class TestConnectWise(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> ConnectWiseHarness:
        return ConnectWiseHarness(sandbox)
