"""The connectors' conformance suite on a real Tryton."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from tests.connectors.tryton.harness import TrytonWork
from tests.real.servers import RealServer
from tests.real.servers.tryton_user import TrytonUser

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]

MODELS = {
    "parties": "party.party", "employees": "company.employee", "projects": "project.work", "tasks": "project.work",
    "timesheet_lines": "timesheet.line", "invoices": "account.invoice", "payments": "account.move.line",
    "quotes": "sale.sale", "contracts": "sale.subscription",
}  # fmt: skip
_numbers = itertools.count(1)


class RealTryton(TrytonWork):
    def __init__(self, server: RealServer) -> None:
        super().__init__()
        self.server = server
        self.user = TrytonUser(server)

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.server.base_url}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return self.server.credentials if valid else {"api_key": "wrong-key-0987654321"}

    def make(self, kind: str, **data: Any) -> str:
        return str(getattr(self.user, f"make_{kind}")(**data))

    def edit(self, stream: str, external_id: str) -> None:
        change: dict[str, Any] = {"name": f"Edited {next(_numbers)}"}
        if stream in ("timesheet_lines", "invoices", "quotes", "contracts"):
            change = {"description": f"Edited {next(_numbers)}"}
        elif stream == "payments":
            # The one field of a posted entry that stays open.
            change = {"maturity_date": {"__class__": "date", "year": 2026, "month": 12, "day": 1 + next(_numbers) % 28}}
        self.user.write(MODELS[stream], int(external_id), change)

    def remove(self, stream: str, external_id: str) -> bool:
        """Posted entries stay."""
        if stream == "payments":
            return False
        self.user.rpc(f"model.{MODELS[stream]}.delete", [int(external_id)])
        return True

    def count(self, sink: str) -> int:
        domain = [["type", "=", sink.removesuffix("s")]] if sink in ("projects", "tasks") else []
        return int(self.user.rpc(f"model.{MODELS[sink]}.search_count", domain))


class TestRealTrytonConformance(ConnectorConformance):
    @pytest.fixture
    def harness(self, tryton_server: RealServer) -> RealTryton:
        return RealTryton(tryton_server)
