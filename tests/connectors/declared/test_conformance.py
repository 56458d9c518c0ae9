"""A connector written down passes the suite that every programmed one passes."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.declared.harness import KimaiHarness


class TestKimai(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> KimaiHarness:
        return KimaiHarness(sandbox)
