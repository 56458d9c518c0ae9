from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.tryton.harness import SimulatedTryton


class TestTryton(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> SimulatedTryton:
        return SimulatedTryton(sandbox)
