from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.zendesk.harness import ZendeskHarness


class TestZendesk(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> ZendeskHarness:
        return ZendeskHarness(sandbox)
