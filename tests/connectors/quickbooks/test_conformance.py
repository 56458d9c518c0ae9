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
    entities = {"customers": "customer", "invoices": "invoice", "payments": "payment", "estimates": "estimate",
                "projects": "customer", "time_entries": "timeactivity"}  # fmt: skip

    def settings(self) -> dict[str, Any]:
        realm = realm_of(self.base_url.rsplit("/", 1)[1])
        return {"base_url": self.base_url, "realm_id": realm, "sales_item": "1"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "good-token-1234567890" if valid else "wrong-token-0987654321"}

    kinds = {"projects": "customers", "time_entries": "timeactivities"}

    def count(self, sink: str) -> int:
        rows = self.control.objects(self.kind(sink))
        return len([row for row in rows if row.get("Job")] if sink == "projects" else rows)

    def lose_answer(self, sink: str) -> None:
        path = f"{self.settings()['realm_id']}/{self.entities[sink]}"
        self.control.fault("timeout_after_commit", method="POST", path_prefix=f"/v3/company/{path}")

    def seed(self, stream: str, count: int) -> list[str]:
        return [self.make(stream) for _ in range(count)]

    def make(self, stream: str) -> str:
        number = next(_numbers)
        if stream == "customers":
            return add_customer(self.control, f"Customer {number}", PrimaryEmailAddr={"Address": f"c{number}@x.test"})
        if stream == "employees":
            person = {"DisplayName": f"Person {number}", "PrimaryEmailAddr": {"Address": f"p{number}@x.test"}}
            return str(self.control.create("employees", person)["Id"])
        customer = add_customer(self.control, f"For {stream} {number}")
        if stream == "projects":
            parent = {"Job": True, "ParentRef": {"value": customer}}
            return add_customer(self.control, f"Project {number}", **parent)
        if stream == "time_entries":
            time = {
                "NameOf": "Employee", "EmployeeRef": {"value": self.make("employees")}, "TxnDate": "2026-11-20",
                "CustomerRef": {"value": self.make("projects")}, "Hours": 1, "Minutes": 15, "BillableStatus": "Billable",
            }  # fmt: skip
            return str(self.control.create("timeactivities", time)["Id"])
        if stream == "invoices":
            return str(add_invoice(self.control, customer)["Id"])
        if stream == "payments":
            return str(pay(self.control, customer, (add_invoice(self.control, customer)["Id"], 12.5))["Id"])
        offer = {"CustomerRef": {"value": customer}, "Line": [sold(99.99)]}
        return str(self.control.create("estimates", offer)["Id"])

    def edit(self, stream: str, external_id: str) -> None:
        named = ("customers", "projects", "employees")
        name = "DisplayName" if stream in named else "Description" if stream == "time_entries" else "PrivateNote"
        self.control.update(self.kind(stream), external_id, {name: f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "customers":
            return {
                "DisplayName": f"Account {number}",
                "Email": f"a{number}@example.org",
                "Phone": "+49 1",
                "Website": None,
            }
        if sink == "projects":
            return {"DisplayName": f"Written {number}", "CustomerId": self.make("customers"), "Active": True}
        if sink == "time_entries":
            return {
                "TxnDate": "2026-11-20", "Seconds": 4500, "EmployeeId": self.make("employees"), "ItemId": "1",
                "ProjectId": self.make("projects"), "Description": f"Work {number}", "Billable": True,
            }  # fmt: skip
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
            "projects": {"DisplayName": f"Renamed {next(_numbers)}", "Active": False},
            "time_entries": {"TxnDate": "2026-11-19", "Seconds": 1800, "Description": "Less", "Billable": False},
        }[sink]

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        if sink == "customers":
            return {"DisplayName": "", "Email": "nobody@example.org"}
        if sink == "payments":
            return {**self.payload(sink), "InvoiceId": "424242"}
        if sink == "time_entries":
            return {**self.payload(sink), "EmployeeId": "424242"}
        return {**self.payload(sink), "CustomerId": "424242"}


class TestQuickBooks(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> QuickBooksHarness:
        return QuickBooksHarness(sandbox)
