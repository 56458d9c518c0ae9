from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.chargebee import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.chargebee.support import PRICES, add_customer, add_invoice, add_subscription, euros, line
from tests.connectors.harness import SandboxHarness

_numbers = itertools.count(1)
DUE = int(datetime(2027, 3, 1, tzinfo=UTC).timestamp())


class ChargebeeHarness(SandboxHarness):
    vendor = "chargebee"
    connector_type = CONNECTOR
    # Its webhooks show a password and sign nothing: a changed body cannot be told (see test_webhooks).
    abilities = frozenset({"faults", "deliveries"})
    create_calls = {
        "customers": ("POST", "/api/v2/customers"),
        "invoices": ("POST", "/api/v2/invoices/create_for_charge_items_and_charges"),
        "payments": ("POST", "/api/v2/invoices/"),
        "subscriptions": ("POST", "/api/v2/customers/"),
        "usages": ("POST", "/api/v2/subscriptions/"),
        "schedules": ("POST", "/api/v2/subscriptions/"),
    }

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, **PRICES}

    def seed(self, stream: str, count: int) -> list[str]:
        return [self.make(stream) for _ in range(count)]

    def make(self, stream: str) -> str:
        number = next(_numbers)
        if stream == "customers":
            return add_customer(self.control, f"Customer {number}", email=f"c{number}@example.org")
        customer = add_customer(self.control, f"For {stream} {number}")
        if stream == "invoices":
            return add_invoice(self.control, customer)
        if stream == "subscriptions":
            return add_subscription(self.control, customer)
        if stream == "schedules":
            plan = {"subscription_id": add_subscription(self.control, customer), "date": DUE, "terms_to_charge": 2}
            made = self.control.create(stream, plan)
            return f"{made['subscription_id']}/{made['id']}"
        fields: dict[str, dict[str, Any]] = {
            "payments": {"amount": 1250, "customer_id": customer},
            "quotes": {"customer_id": customer, "charges": [{"amount": 9999, "description": "Work"}]},
            "usages": {"item_price_id": "metered", "quantity": "3.25", "usage_date": 1795348800},
        }
        if stream == "usages":
            fields[stream]["subscription_id"] = add_subscription(self.control, customer)
        return str(self.control.create(stream, fields[stream])["id"])

    def remove(self, stream: str, external_id: str) -> bool:
        return super().remove(stream, external_id.rpartition("/")[2])

    def edit(self, stream: str, external_id: str) -> None:
        number = next(_numbers)
        name = {"customers": "company", "invoices": "po_number", "quotes": "name", "usages": "note"}.get(
            stream, "comment"
        )
        self.control.update(stream, external_id, {name: f"Edited {number}"})

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "customers":
            return {"company": f"Account {number}", "email": f"a{number}@example.org", "phone": "+49 1"}
        if sink == "payments":
            return {
                "invoice_id": self.make("invoices"),
                "amount": euros(1010),
                "paid_date": "2026-11-20",
                "reference": "W",
            }
        if sink == "usages":
            values = {"quantity": "3.25", "usage_date": "2026-11-20", "note": "Hours", "item_price_id": "metered"}
            return {"subscription_id": self.make("subscriptions"), **values}
        if sink == "schedules":
            day = (datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=number)).date().isoformat()
            return {"subscription_id": self.make("subscriptions"), "date": day, "amount": euros(20_000)}
        customer = {"customer_id": self.make("customers")}
        if sink == "subscriptions":
            return {
                **customer,
                "name": "Retainer",
                "status": "active",
                "amount": euros(9900),
                "quantity": "1",
                "item_price_id": "p",
            }
        return {
            **customer,
            "currency": "EUR",
            "status": "open",
            "issue_date": "2026-11-20",
            "lines": [line(2020), line(5)],
        }

    def change(self, sink: str) -> dict[str, Any]:
        return {
            "customers": {"email": f"changed{next(_numbers)}@example.org", "phone": None, "vat_number": "DE1"},
            "invoices": {"po_number": "PO 7", "status": "open"},
            "schedules": {"date": "2028-01-01", "amount": euros(10_000)},
            "subscriptions": {"name": "Other", "status": "active", "quantity": "3"},
        }[sink]

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        bad: dict[str, dict[str, Any]] = {
            "customers": {"email": "nobody"},
            "invoices": {"currency": "XTS"},
            "payments": {"amount": euros(99_999_999)},
            "subscriptions": {"customer_id": "nobody"},
            "usages": {"quantity": "lots"},
            "schedules": {"amount": euros(7)},
        }
        return {**self.payload(sink), **bad[sink]}


class TestChargebee(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> ChargebeeHarness:
        return ChargebeeHarness(sandbox)
