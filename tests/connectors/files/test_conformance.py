"""File drops pass the suite that every connector passes, over a real SFTP server: those that come and those that go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from tests.connectors.files.harness import PayrollHarness
from tests.connectors.files.outgoing import IntakeHarness
from tests.connectors.files.server import RunningSftp


class TestPayrollFiles(ConnectorConformance):
    @pytest.fixture
    def harness(self, payroll: PayrollHarness) -> PayrollHarness:
        return payroll


class TestLedgerIntake(ConnectorConformance):
    @pytest.fixture
    def harness(self, sftp: RunningSftp) -> Iterator[IntakeHarness]:
        harness = IntakeHarness(sftp)
        yield harness
        harness.close()
