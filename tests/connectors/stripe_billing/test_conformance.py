from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.stripe_billing import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness
from tests.connectors.stripe_billing.support import add_customer, add_subscription, euros, line

_numbers = itertools.count(1)


class StripeHarness(SandboxHarness):
    vendor = "stripe_billing"
    connector_type = CONNECTOR
    create_calls = {
        "customers": ("POST", "/v1/customers"),
        "invoices": ("POST", "/v1/invoices"),
        "subscriptions": ("POST", "/v1/subscriptions"),
        "usage": ("POST", "/v1/billing/meter_events"),
    }

    kinds = {"usage": "meter_event"}
    kept = frozenset({"usage"})
    undone = {"payments": {"refund": 1250}, "quotes": {"status": "canceled"}}

    def seed(self, stream: str, count: int) -> list[str]:
        return [self.make(stream) for _ in range(count)]

    def make(self, stream: str) -> str:
        number = next(_numbers)
        if stream == "customers":
            return add_customer(self.control, f"Customer {number}", email=f"c{number}@example.org")
        customer = add_customer(self.control, f"For {stream} {number}")
        if stream == "usage":
            noon = datetime.now(UTC).replace(hour=12) - timedelta(days=1)
            event = {"stripe_customer_id": customer, "value": "1.5"}
            values = {"event_name": "support_hours", "payload": event, "timestamp": int(noon.timestamp())}
            self.control.create("usage", values)
            return f"mtr_test_hours/{customer}/{noon.date().isoformat()}"
        if stream == "subscriptions":
            return add_subscription(self.control, customer)
        if stream == "payments":
            return str(self.control.create("payments", {"amount": 1250, "currency": "eur", "customer": customer})["id"])
        lines = [{"amount": 9999, "description": f"Work {number}"}]
        return str(self.control.create(stream, {"customer": customer, "lines": lines})["id"])

    def edit(self, stream: str, external_id: str) -> None:
        number = next(_numbers)
        change: dict[str, Any] = {"description": f"Edited {number}"}
        if stream == "payments":
            change = {"refund": 10}
        if stream == "subscriptions":
            change = {"metadata": {"name": f"Edited {number}"}}
        self.control.update(stream, external_id, change)

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "customers":
            return {"name": f"Account {number}", "email": f"a{number}@example.org", "phone": "+49 1", "number": "7"}
        customer = self.make("customers")
        if sink == "usage":
            yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
            return {"customer": customer, "meter": "support_hours", "usage_date": yesterday, "quantity": "2.50"}
        if sink == "subscriptions":
            terms = {"amount": euros(9900), "interval": "month", "product": "prod_1", "quantity": "1"}
            return {"customer": customer, "name": f"Retainer {number}", "status": "active", **terms}
        lines = [line(2020, quantity="2", price=1010), line(48747, quantity="3.25", price=14999)]
        return {"customer": customer, "status": "open", "due_date": "2026-12-31", "lines": lines}

    def change(self, sink: str) -> dict[str, Any]:
        return {
            "customers": {"email": f"changed{next(_numbers)}@example.org", "phone": None},
            "invoices": {"status": "void"},
            "subscriptions": {"name": "Other", "quantity": "3"},
        }[sink]

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        if sink == "customers":
            return {"name": "Nobody", "email": "nobody"}
        return {**self.payload(sink), "customer": "cus_missing"}


class TestStripe(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> StripeHarness:
        return StripeHarness(sandbox)
