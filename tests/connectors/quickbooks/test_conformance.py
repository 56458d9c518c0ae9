from __future__ import annotations

import itertools
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.quickbooks import CONNECTOR
from sandbox.quickbooks.company import realm_of
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness
from tests.connectors.quickbooks.support import add_customer, add_invoice, pay, sold

_numbers = itertools.count(1)


class QuickBooksHarness(SandboxHarness):
    vendor = "quickbooks"
    connector_type = CONNECTOR
    entities = {"customers": "customer", "invoices": "invoice", "payments": "payment", "estimates": "estimate"}

    def settings(self) -> dict[str, Any]:
        realm = realm_of(self.base_url.rsplit("/", 1)[1])
        return {"base_url": self.base_url, "realm_id": realm, "sales_item": "1"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "good-token-1234567890" if valid else "wrong-token-0987654321"}

    def lose_answer(self, sink: str) -> None:
        path = f"{self.settings()['realm_id']}/{self.entities[sink]}"
        self.control.fault("timeout_after_commit", method="POST", path_prefix=f"/v3/company/{path}")

    def seed(self, stream: str, count: int) -> list[str]:
        return [self.make(stream) for _ in range(count)]

    def make(self, stream: str) -> str:
        number = next(_numbers)
        if stream == "customers":
            return add_customer(self.control, f"Customer {number}", PrimaryEmailAddr={"Address": f"c{number}@x.test"})
        customer = add_customer(self.control, f"For {stream} {number}")
        if stream == "invoices":
            return str(add_invoice(self.control, customer)["Id"])
        if stream == "payments":
            return str(pay(self.control, customer, (add_invoice(self.control, customer)["Id"], 12.5))["Id"])
        offer = {"CustomerRef": {"value": customer}, "Line": [sold(99.99)]}
        return str(self.control.create("estimates", offer)["Id"])

    def edit(self, stream: str, external_id: str) -> None:
        name = "DisplayName" if stream == "customers" else "PrivateNote"
        self.control.update(stream, external_id, {name: f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "customers":
            return {
                "DisplayName": f"Account {number}",
                "Email": f"a{number}@example.org",
                "Phone": "+49 1",
                "Website": None,
            }
        if sink == "payments":
            return {"InvoiceId": self.make("invoices"), "TotalAmt": "10.10", "TxnDate": "2026-11-20"}
        line = {"Description": "Work", "Qty": "2", "UnitPrice": "10.10", "Amount": "20.20"}
        dates = (
            {"DueDate": "2026-12-31"}
            if sink == "invoices"
            else {"ExpirationDate": "2026-12-31", "TxnStatus": "Pending"}
        )
        return {"CustomerId": self.make("customers"), "TxnDate": "2026-11-20", "ItemId": "1", "Lines": [line], **dates}

    def change(self, sink: str) -> dict[str, Any]:
        return {
            "customers": {"Email": f"changed{next(_numbers)}@example.org", "Phone": None},
            "invoices": {"DueDate": "2027-02-28"},
            "payments": {"PaymentRefNum": "Wire 7"},
            "estimates": {"TxnStatus": "Accepted"},
        }[sink]

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        if sink == "customers":
            return {"DisplayName": "", "Email": "nobody@example.org"}
        if sink == "payments":
            return {**self.payload(sink), "InvoiceId": "424242"}
        return {**self.payload(sink), "CustomerId": "424242"}


class TestQuickBooks(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> QuickBooksHarness:
        return QuickBooksHarness(sandbox)
