"""The Tryton suite on a real server."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.connectors.tryton.suite import Firm, TrytonSuite
from tests.real.servers import RealServer
from tests.real.servers.tryton_user import TrytonUser

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]


class RealFirm:
    """Work done by a person at Tryton's own client."""

    def __init__(self, server: RealServer) -> None:
        self.base_url = server.base_url
        self.api_key = server.credentials["api_key"]
        self.employees = {name: str(found) for name, found in server.facts["employees"].items()}
        self.accounts = {kind: account["code"] for kind, account in server.facts["accounts"].items()}
        self._user = TrytonUser(server)

    def add_party(self, name: str) -> str:
        return str(self._user.create("party.party", {"name": name}))

    def rename_party(self, party: str, name: str) -> None:
        self._user.write("party.party", int(party), {"name": name})

    def delete_party(self, party: str) -> None:
        self._user.rpc("model.party.party.delete", [int(party)])

    def pay(self, invoice: str, amount: Decimal) -> None:
        self._user.pay_invoice(int(invoice), amount)


@pytest.fixture(scope="module")
def firm(tryton_server: RealServer) -> Firm:
    return RealFirm(tryton_server)


class TestRealTryton(TrytonSuite):
    """Nothing here differs from the simulator."""
