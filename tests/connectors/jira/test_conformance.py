from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.jira.harness import JiraHarness


class TestJira(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> JiraHarness:
        return JiraHarness(sandbox)
