from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.netsuite.support import NetSuiteHarness


class TestNetSuite(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> NetSuiteHarness:
        return NetSuiteHarness(sandbox)
