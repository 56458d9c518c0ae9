"""The Tryton suite on the simulator."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.testing import RunningSandbox
from tests.connectors.tryton.suite import Firm, TrytonSuite

API_KEY = "key-of-a-user-application"


class SimulatedFirm:
    def __init__(self, sandbox: RunningSandbox) -> None:
        self.base_url = sandbox.base_url("tryton", "suite")
        self.api_key = API_KEY
        self.accounts = {"tax": "6.3.6"}
        self._control = sandbox.control("tryton", "suite")
        self._control.credentials(api_key=API_KEY)
        self._control.settings(company_name="Dunder Mifflin")
        self.employees = {
            "dana": self._add("employees", name="Dana Reyes", email="dana@northwind.example"),
            "omar": self._add("employees", name="Omar Haddad", email="omar@northwind.example"),
        }

    def _add(self, kind: str, **data: str) -> str:
        return str(self._control.create(kind, data)["id"])

    def add_party(self, name: str) -> str:
        return self._add("parties", name=name)

    def rename_party(self, party: str, name: str) -> None:
        self._control.update("parties", party, {"name": name})

    def delete_party(self, party: str) -> None:
        self._control.delete("parties", party)

    def pay(self, invoice: str, amount: Decimal) -> None:
        self._control.create("payments", {"invoice": invoice, "amount": str(amount)})


@pytest.fixture(scope="module")
def firm(sandbox: RunningSandbox) -> Firm:
    return SimulatedFirm(sandbox)


class TestSimulatedTryton(TrytonSuite):
    """Nothing here differs from the real server."""
