from __future__ import annotations

import itertools
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.salesforce import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness
from tests.connectors.salesforce.support import SETTINGS

_numbers = itertools.count(1)
SOBJECTS = {
    "accounts": "Account", "contacts": "Contact", "opportunities": "Opportunity", "quotes": "Quote",
    "contracts": "Contract", "schedules": "OpportunityLineItemSchedule",
}  # fmt: skip


class SalesforceHarness(SandboxHarness):
    vendor = "salesforce"
    connector_type = CONNECTOR
    abilities = frozenset({"faults"})
    kinds = SOBJECTS
    unknown_id = "001dM00zzzzzzzzQAA"
    create_calls = {name: ("PATCH", f"/services/data/v60.0/composite/sobjects/{kind}/") for name, kind in kinds.items()}

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, **SETTINGS}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "good-token-1234567890" if valid else "wrong-token-0987654321"}

    def seed(self, stream: str, count: int) -> list[str]:
        made = self.control.create(SOBJECTS[stream], [self.values(stream) for _ in range(count)])
        return [entry["Id"] for entry in made]

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        if stream == "accounts":
            return {"Name": f"Account {number}", "Website": f"www.c{number}.example", "Phone": "+49 1"}
        if stream == "contacts":
            return {"FirstName": "Ada", "LastName": f"L{number}", "Email": f"a{number}@example.org"}
        if stream == "quotes":
            return {"Name": f"Quote {number}", "OpportunityId": self.seed("opportunities", 1)[0]}
        if stream == "contracts":
            return {"Name": f"Contract {number}", "AccountId": self.seed("accounts", 1)[0], "StartDate": "2026-01-01"}
        if stream == "schedules":
            line = self.control.create("OpportunityLineItem", {"OpportunityId": self.seed("opportunities", 1)[0]})
            return {"OpportunityLineItemId": line["Id"], "ScheduleDate": "2026-12-01", "Revenue": number + 0.5}
        return {
            "Name": f"Deal {number}",
            "Amount": number + 0.5,
            "StageName": "Closed Won",
            "CloseDate": "2026-12-31",
        }

    def edit(self, stream: str, external_id: str) -> None:
        name = {"contacts": "LastName", "schedules": "Description"}.get(stream, "Name")
        self.control.update(SOBJECTS[stream], external_id, {name: f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        values = self.values(sink)
        if sink == "opportunities":
            values |= {"AccountId": self.seed("accounts", 1)[0], "initial_ContactId": self.seed("contacts", 1)[0]}
            values |= {"Payment_Status__c": "invoiced", "Invoiced_Amount__c": 12.5}
        return values

    def change(self, sink: str) -> dict[str, Any]:
        changes: dict[str, dict[str, Any]] = {
            "opportunities": {"Payment_Status__c": "paid", "Paid_Amount__c": 12.5, "Invoice_Number__c": "INV-1"},
            "quotes": {"Status": "Accepted", "ExpirationDate": "2027-01-31"},
        }
        return changes.get(sink, {"Phone": "+49 2"})

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        return {**self.payload(sink), "Name" if sink != "contacts" else "LastName": ""}


class TestSalesforce(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> SalesforceHarness:
        return SalesforceHarness(sandbox)
