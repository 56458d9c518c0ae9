from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.redmine.harness import SimulatedRedmine


class TestRedmine(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> SimulatedRedmine:
        return SimulatedRedmine(sandbox)
