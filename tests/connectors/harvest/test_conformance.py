from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.harvest.harness import HarvestHarness


class TestHarvest(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> HarvestHarness:
        return HarvestHarness(sandbox)
