"""A file drop passes the suite that every connector passes, over a real SFTP server."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from tests.connectors.files.harness import PayrollHarness


class TestPayrollFiles(ConnectorConformance):
    @pytest.fixture
    def harness(self, payroll: PayrollHarness) -> PayrollHarness:
        return payroll
