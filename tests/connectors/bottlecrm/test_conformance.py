from __future__ import annotations

from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from sandbox.testing import RunningSandbox
from tests.connectors.bottlecrm.harness import BottleWork
from tests.connectors.harness import SandboxHarness


class BottleHarness(SandboxHarness, BottleWork):
    vendor = "bottlecrm"
    create_calls = {name: ("POST", f"/api/{name}") for name in ("accounts", "contacts", "opportunities")}

    def make(self, kind: str, data: dict[str, Any]) -> str:
        return str(self.control.create(kind, data)["id"])

    def change_record(self, kind: str, external_id: str, data: dict[str, Any]) -> None:
        self.control.update(kind, external_id, data)


class TestBottleCrm(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> BottleHarness:
        return BottleHarness(sandbox)
