from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.business_central.support import BusinessCentralHarness


class TestBusinessCentral(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> BusinessCentralHarness:
        return BusinessCentralHarness(sandbox)
