from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.pipedrive import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness

_numbers = itertools.count(1)


class PipedriveHarness(SandboxHarness):
    """Its deliveries carry no signature over their body, so the suite's forgeries cannot all be told apart."""

    vendor = "pipedrive"
    connector_type = CONNECTOR
    abilities = frozenset({"faults", "deliveries"})
    create_calls = {name: ("POST", f"/api/v2/{name}") for name in ("organizations", "persons", "deals")}

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self.control.settings(search_lag_seconds=30)
        self.ahead = 0

    def seed(self, stream: str, count: int) -> list[str]:
        made = self.control.create(stream, [self.values(stream) for _ in range(count)])
        return [str(entry["id"]) for entry in made]

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        if stream == "organizations":
            return {"name": f"Organization {number}"}
        if stream == "persons":
            email = {"value": f"a{number}@example.org", "primary": True, "label": "work"}
            return {"name": f"Ada L{number}", "emails": [email]}
        return {"title": f"Deal {number}", "value": number + 0.5, "currency": "EUR"}

    def edit(self, stream: str, external_id: str) -> None:
        name = "title" if stream == "deals" else "name"
        self.control.update(stream, external_id, {name: f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        values = self.values(sink)
        if sink == "persons":
            values = {"name": values["name"], "email": values["emails"][0]["value"], "phone": "+49 1"}
        if sink == "deals":
            values |= {"org_id": int(self.seed("organizations", 1)[0]), "status": "won"}
            values |= {"cf_payment_status": "invoiced", "cf_invoiced_amount": 12.5}
        return values

    def change(self, sink: str) -> dict[str, Any]:
        if sink == "deals":
            return {"cf_payment_status": "paid", "cf_paid_amount": 12.5, "cf_invoice_number": "INV-1"}
        return {"name": f"Changed {next(_numbers)}"}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        return {**self.payload(sink), "title" if sink == "deals" else "name": ""}

    def settle(self, seconds: int) -> None:
        self.ahead += seconds
        self.control.clock((datetime.now(UTC) + timedelta(seconds=self.ahead)).isoformat())


class TestPipedrive(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> PipedriveHarness:
        return PipedriveHarness(sandbox)
