"""The suite every connector inherits; it runs unchanged against a simulator and a real server.

    class TestHarvest(ConnectorConformance):
        @pytest.fixture
        def harness(self, sandbox): return HarvestHarness(sandbox)

A harness speaks for one fresh (or shared, real) vendor account. What it cannot do - a real server cannot be told to
answer 429 - it leaves out of `abilities`; those checks are reported as skipped, never as passed.
"""

from __future__ import annotations

from apps.connectors.sdk.conformance.declarations import DeclarationsConformance
from apps.connectors.sdk.conformance.reading import ReadingConformance
from apps.connectors.sdk.conformance.trouble import TroubleConformance
from apps.connectors.sdk.conformance.writing import WritingConformance
from apps.connectors.sdk.conformance_harness import Delivery, Harness

__all__ = ["ConnectorConformance", "Delivery", "Harness"]


class ConnectorConformance(DeclarationsConformance, ReadingConformance, WritingConformance, TroubleConformance):
    """Inherit it, give a `harness` fixture, done."""
