from __future__ import annotations

import itertools
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from apps.connectors.vendors.xero import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness

_numbers = itertools.count(1)


class XeroHarness(SandboxHarness):
    vendor = "xero"
    connector_type = CONNECTOR
    create_calls = {name.lower(): ("PUT", f"/api.xro/2.0/{name}") for name in ("Contacts", "Invoices", "Payments")}

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "sales_account": "200"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "good-token-1234567890" if valid else "wrong-token-0987654321"}

    def seed(self, stream: str, count: int) -> list[str]:
        id_field = {"contacts": "ContactID", "invoices": "InvoiceID", "payments": "PaymentID", "quotes": "QuoteID"}[
            stream
        ]
        return [self.control.create(stream, self.values(stream))[id_field] for _ in range(count)]

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
        if sink == "contacts":
            return {"EmailAddress": f"changed{next(_numbers)}@example.org", "Phone": None}
        return {"DueDate": "2027-02-28", "Status": "AUTHORISED"}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        if sink == "contacts":
            return {"Name": "", "EmailAddress": "nobody@example.org"}
        if sink == "payments":
            return {**self.payload(sink), "Amount": "999999.99"}
        return {**self.payload(sink), "CurrencyCode": "XTS"}


class TestXero(ConnectorConformance):
    @pytest.fixture
    def harness(self, sandbox: RunningSandbox) -> XeroHarness:
        return XeroHarness(sandbox)
