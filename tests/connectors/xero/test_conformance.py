from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.xero import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness

_numbers = itertools.count(1)


PROJECT_IDS = {
    "projects": "projectId",
    "project_users": "userId",
    "tasks": "taskId",
    "time_entries": "timeEntryId",
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class XeroHarness(SandboxHarness):
    vendor = "xero"
    connector_type = CONNECTOR
    kept = frozenset({"project_users"})
    undone = {
        "contacts": {"ContactStatus": "ARCHIVED"},
        "invoices": {"Status": "VOIDED"},
        "payments": {"Status": "DELETED"},
        "quotes": {"Status": "DELETED"},
    }
    create_calls = {
        **{name.lower(): ("PUT", f"/api.xro/2.0/{name}") for name in ("Contacts", "Invoices", "Payments")},
        "projects": ("POST", "/projects.xro/2.0/Projects"),
        "tasks": ("POST", "/projects.xro/2.0/Projects"),
        "time_entries": ("POST", "/projects.xro/2.0/Projects"),
    }

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "sales_account": "200"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "good-token-1234567890" if valid else "wrong-token-0987654321"}

    def seed(self, stream: str, count: int) -> list[str]:
        if stream in PROJECT_IDS:
            return [self.seed_project_part(stream) for _ in range(count)]
        id_field = {"contacts": "ContactID", "invoices": "InvoiceID", "payments": "PaymentID", "quotes": "QuoteID"}[
            stream
        ]
        return [self.control.create(stream, self.values(stream))[id_field] for _ in range(count)]

    def seed_project_part(self, stream: str) -> str:
        number = next(_numbers)
        if stream == "projects":
            values = {"name": f"Project {number}", "contactId": self.seed("contacts", 1)[0], "estimateAmount": 100.5}
        elif stream == "project_users":
            values = {"name": f"Person {number}", "email": f"p{number}@example.org"}
        elif stream == "tasks":
            values = {**self.task(number), "projectId": self.project}
        else:
            values = {**self.time(), "projectId": self.project}
        made = self.control.create(stream, values)
        own = str(made[PROJECT_IDS[stream]])
        return own if "projectId" not in values else f"{self.project}/{own}"

    @cached_property
    def project(self) -> str:
        return self.seed_project_part("projects")

    def task(self, number: int) -> dict[str, Any]:
        rate = {"currency": "EUR", "value": 99.5}
        return {"name": f"Task {number}", "rate": rate, "chargeType": "TIME", "estimateMinutes": 90}

    def time(self) -> dict[str, Any]:
        task = self.seed_project_part("tasks").partition("/")[2]
        person = self.seed_project_part("project_users")
        return {"userId": person, "taskId": task, "dateUtc": "2026-11-20T00:00:00Z", "duration": 75, "description": ""}

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        if stream == "contacts":
            return {
                "Name": f"Customer {number}",
                "EmailAddress": f"c{number}@example.org",
                "AccountNumber": f"{number}",
            }
        if stream == "payments":
            return {
                "Invoice": {"InvoiceID": self.seed("invoices", 1)[0]},
                "Amount": 1.25,
                "Reference": f"Wire {number}",
            }
        line = {"Description": f"Work {number}", "Quantity": 1.5, "UnitAmount": 99.99, "AccountCode": "200"}
        if stream == "quotes":
            return {
                "Contact": {"ContactID": self.seed("contacts", 1)[0]},
                "Title": f"Offer {number}",
                "LineItems": [line],
            }
        return {
            "Type": "ACCREC",
            "Contact": {"ContactID": self.seed("contacts", 1)[0]},
            "DueDate": "2026-12-31",
            "Status": "AUTHORISED",
            "LineItems": [line],
        }

    def remove(self, stream: str, external_id: str) -> bool:
        return super().remove(stream, external_id.rpartition("/")[2])

    def edit(self, stream: str, external_id: str) -> None:
        number = next(_numbers)
        changes: dict[str, dict[str, Any]] = {
            "contacts": {"Name": f"Edited {number}"},
            "invoices": {"DueDate": "2027-01-31"},
            # The one change a user can make to a payment is to undo it.
            "payments": {"Status": "DELETED"},
            "quotes": {"Title": f"Edited {number}"},
        }
        self.control.update(stream, external_id, changes[stream])

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "projects":
            return {
                "name": f"Written {number}", "contactId": self.seed("contacts", 1)[0], "status": "INPROGRESS",
                "estimateAmount": "250.00", "deadlineUtc": "2026-12-31T00:00:00Z",
            }  # fmt: skip
        if sink == "tasks":
            return {"project": self.project, "name": f"Written {number}", "estimateMinutes": 60}
        if sink == "time_entries":
            task, person = self.seed_project_part("tasks"), self.seed_project_part("project_users")
            return {
                "task": task,
                "userId": person,
                "date": "2026-11-20",
                "duration": 45,
                "description": f"Work {number}",
            }
        if sink == "contacts":
            return {"Name": f"Account {number}", "EmailAddress": f"a{number}@example.org", "Phone": "+49 1"}
        if sink == "payments":
            invoice = self.seed("invoices", 1)[0]
            return {"InvoiceID": invoice, "AccountCode": "090", "Amount": "10.10", "Date": "2026-11-20"}
        line = {"Description": "Work", "Quantity": "2", "UnitAmount": "10.10", "LineAmount": "20.20"}
        return {
            "ContactID": self.seed("contacts", 1)[0],
            "Status": "AUTHORISED",
            "DueDate": "2026-12-31",
            "CurrencyCode": "EUR",
            "LineItems": [line],
        }

    def change(self, sink: str) -> dict[str, Any]:
        if sink in PROJECT_IDS:
            more = {
                "projects": {"status": "CLOSED"},
                "tasks": {"estimateMinutes": 30},
                "time_entries": {"duration": 50},
            }
            return {**self.payload(sink), **more[sink]}
        if sink == "contacts":
            return {"EmailAddress": f"changed{next(_numbers)}@example.org", "Phone": None}
        return {"DueDate": "2027-02-28", "Status": "AUTHORISED"}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        if sink == "contacts":
            return {"Name": "", "EmailAddress": "nobody@example.org"}
        if sink in PROJECT_IDS:
            bad = {"projects": {"contactId": UNKNOWN}, "tasks": {"name": ""}, "time_entries": {"userId": ""}}
            return {**self.payload(sink), **bad[sink]}
        if sink == "payments":
            return {**self.payload(sink), "Amount": "999999.99"}
        return {**self.payload(sink), "CurrencyCode": "XTS"}


class TestXero(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> XeroHarness:
        return XeroHarness(sandbox)
