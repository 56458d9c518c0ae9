from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.asana.harness import AsanaHarness


class TestAsana(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> AsanaHarness:
        return AsanaHarness(sandbox)
