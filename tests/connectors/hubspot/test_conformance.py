from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.hubspot import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness

_numbers = itertools.count(1)


class HubSpotHarness(SandboxHarness):
    vendor = "hubspot"
    connector_type = CONNECTOR
    create_calls = {
        name: ("POST", f"/crm/v3/objects/{name}/batch/upsert") for name in ("companies", "contacts", "deals")
    }

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def remove(self, stream: str, external_id: str) -> bool:
        """The archive is walked once an hour."""
        self.ahead += timedelta(minutes=61)
        self.control.clock(self.now().isoformat())
        return super().remove(stream, external_id)

    def seed(self, stream: str, count: int) -> list[str]:
        made = self.control.create(stream, [self.values(stream) for _ in range(count)])
        return [entry["id"] for entry in made]

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        if stream == "companies":
            return {"name": f"Company {number}", "domain": f"c{number}.example", "phone": "+49 1"}
        if stream == "contacts":
            return {"firstname": "Ada", "lastname": f"L{number}", "email": f"a{number}@example.org"}
        if stream == "quotes":
            return {"hs_title": f"Quote {number}", "hs_status": "APPROVED", "hs_quote_amount": "12.50"}
        return {"dealname": f"Deal {number}", "amount": f"{number}.50", "dealstage": "closedwon"}

    def edit(self, stream: str, external_id: str) -> None:
        name = {"companies": "name", "contacts": "lastname", "deals": "dealname", "quotes": "hs_title"}[stream]
        self.control.update(stream, external_id, {name: f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        if sink == "deals":
            links = {"associated_companies": self.seed("companies", 1)[0]}
            return {**self.values(sink), **links, "payment_status": "invoiced", "invoiced_amount": "12.50"}
        return self.values(sink)

    def change(self, sink: str) -> dict[str, Any]:
        if sink == "deals":
            return {"payment_status": "paid", "paid_amount": "12.50", "invoice_number": "INV-1"}
        return {"phone": "+49 2"}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        return {**self.values(sink), "amount": "a lot"} if sink == "deals" else {**self.values(sink), "nosuch": "x"}


class TestHubSpot(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> HubSpotHarness:
        return HubSpotHarness(sandbox)
