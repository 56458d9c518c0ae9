from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance, Harness
from apps.connectors.sdk.conformance.declarations import DeclarationsConformance
from apps.connectors.sdk.conformance.reading import ReadingConformance
from apps.connectors.sdk.conformance.trouble import TroubleConformance
from apps.connectors.sdk.conformance.writing import WritingConformance
from sandbox.testing import RunningSandbox
from tests.connectors.odoo.harness import Odoo17Harness, OdooHarness


class TestOdooJson2(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> OdooHarness:
        return OdooHarness(sandbox)


class TestOdooJsonRpc(DeclarationsConformance, WritingConformance, TroubleConformance):
    """The same connector on the other transport and the older fields; how it pages was shown above."""

    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> Odoo17Harness:
        return Odoo17Harness(sandbox)

    def test_every_object_reads_canonical(self, harness: Harness) -> None:
        ReadingConformance().test_records_have_ids_times_and_canonical_values(harness)
